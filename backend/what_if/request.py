"""What is asked for: policies, each with values for a grid, and perhaps a forecaster of its own."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter

from predictor.decoding import decode
from predictor.errors import Complaint, SpecError
from predictor.forecasters import AnyForecasterParams
from predictor.policies import AnyPolicyParams

MAX_POLICIES = 64  # after the expansion of grids

_POLICY: TypeAdapter[Any] = TypeAdapter(AnyPolicyParams)
_FORECASTER: TypeAdapter[Any] = TypeAdapter(AnyForecasterParams)


@dataclass(frozen=True, slots=True)
class Question:
    """One policy with one forecaster, complete with defaults."""

    policy: dict[str, Any]
    forecaster: dict[str, Any]

    @property
    def key(self) -> bytes:
        """Give a text that is the same for the same question."""
        return orjson.dumps([self.policy, self.forecaster], option=orjson.OPT_SORT_KEYS)

    def params(self) -> tuple[Any, Any]:
        """Give the policy's and the forecaster's parameters."""
        return decode(_POLICY, self.policy), decode(_FORECASTER, self.forecaster)


def expand(policies: Sequence[dict[str, Any]], forecaster: dict[str, Any]) -> list[Question]:
    """Give every combination, each once.

    Args:
        policies: objects as in a spec; a list stands for several values; `forecaster`, where given, is one of its own.
        forecaster: of the others.

    Raises:
        SpecError: a wrong policy, or too many.
    """
    found: dict[bytes, Question] = {}
    grids = [_choices(policy, place) for place, policy in enumerate(policies)]
    num = sum(math.prod(len(values) for values in grid.values()) for grid in grids)
    if num > MAX_POLICIES:
        raise SpecError([Complaint("policies", num, f"may stand for at most {MAX_POLICIES} policies")])
    for place, policy in enumerate(policies):
        own = policy.get("forecaster", None)
        checked = forecaster if own is None else _check(_FORECASTER, own, f"policies.{place}.forecaster")
        for values in itertools.product(*grids[place].values()):
            one = dict(zip(grids[place], values, strict=True))
            question = Question(_check(_POLICY, one, f"policies.{place}"), checked)
            found.setdefault(question.key, question)
    return list(found.values())


def _choices(policy: dict[str, Any], place: int) -> dict[str, list[Any]]:
    """Give the values of each setting, each once."""
    for name, value in policy.items():
        if value == []:
            raise SpecError([Complaint(f"policies.{place}.{name}", value, "needs at least one value")])
    return {
        name: list({orjson.dumps(one): one for one in (value if isinstance(value, list) else [value])}.values())
        for name, value in policy.items()
        if name != "forecaster"
    }


def _check(adapter: TypeAdapter[Any], data: object, path: str) -> dict[str, Any]:
    try:
        return dataclasses.asdict(decode(adapter, data))
    except SpecError as error:
        raise SpecError(
            [Complaint(_below(path, one.field), one.value, one.wish) for one in error.complaints]
        ) from error


def _below(path: str, field: str) -> str:
    return path if field == "spec" else f"{path}.{field}"
