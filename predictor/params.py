"""How a parameter is declared: a type with its limits, a help text and a unit, in one line.

The dataclass of a policy, forecaster or speed model is its own documentation: the form in the browser, the
REST schema and `validate` are all drawn from it.

    threshold: Annotated[int, param("Largest lead at which a worker may go on.", unit="iterations", ge=0)] = 3
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

# `__pydantic_config__` of every dataclass of a spec: no unknown keys, and only numbers that JSON can hold.
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


def param(help: str, *, unit: str = "", advanced: bool = False, **limits: Any) -> Any:
    """Describe a parameter.

    Args:
        help: one sentence for the user.
        unit: "s", "iterations", "bytes/s", or "" for a plain number.
        advanced: the form folds it away.
        limits: pydantic's `ge`, `gt`, `le`, `lt`, `min_length`, `max_length`.
    """
    return Field(description=help, json_schema_extra={"unit": unit, "advanced": advanced}, **limits)


def one_of(registry: Mapping[str, type[Any]], discriminator: str) -> Any:
    """Give the type "any of the registered dataclasses", told apart by the value of one field."""
    return Annotated[functools.reduce(operator.or_, registry.values()), Field(discriminator=discriminator)]
