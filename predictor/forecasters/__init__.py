"""Forecasters: one file each, one line here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from predictor.forecasters.adversarial import FrozenParams, InvertedParams, RandomParams
from predictor.forecasters.ar import ArParams
from predictor.forecasters.auto import AutoParams
from predictor.forecasters.base import Forecast, Forecaster, ForecasterParams
from predictor.forecasters.ewma import EwmaParams
from predictor.forecasters.gru import GruParams
from predictor.forecasters.holt import HoltParams
from predictor.forecasters.last_value import LastValueParams
from predictor.forecasters.markov import MarkovRegimeParams
from predictor.forecasters.median import MedianParams
from predictor.forecasters.timing import TimingParams
from predictor.params import one_of

FORECASTERS: dict[str, type[Any]] = {
    "ewma": EwmaParams,
    "last_value": LastValueParams,
    "median": MedianParams,
    "holt": HoltParams,
    "ar": ArParams,
    "markov": MarkovRegimeParams,
    "timing": TimingParams,
    "auto": AutoParams,
    "gru": GruParams,
}

# Wrong on purpose, for the robustness benchmark: no spec can name them, and no form offers them.
ADVERSARIAL: dict[str, type[Any]] = {
    "inverted": InvertedParams,
    "random": RandomParams,
    "frozen": FrozenParams,
}

if TYPE_CHECKING:
    AnyForecasterParams = ForecasterParams
else:
    AnyForecasterParams = one_of(FORECASTERS, "name")


def with_changes(params: ForecasterParams, changes: Mapping[str, Any]) -> ForecasterParams:
    """Give the parameters with changes, which were checked; another `name` starts from its own defaults."""
    name = changes.get("name", params.name)
    of_kind: Any = params  # a dataclass, which its protocol cannot say
    changed: ForecasterParams = (
        dataclasses.replace(of_kind, **changes) if name == params.name else FORECASTERS[name](**changes)
    )
    return changed


def build_adversarial(name: str) -> ForecasterParams:
    """Give the parameters of a forecaster that is wrong on purpose.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in ADVERSARIAL:
        raise ValueError(f"adversarial forecaster must be one of {', '.join(ADVERSARIAL)}, got {name!r}")
    params: ForecasterParams = ADVERSARIAL[name]()
    return params


__all__ = [
    "ADVERSARIAL",
    "FORECASTERS",
    "AnyForecasterParams",
    "EwmaParams",
    "Forecast",
    "Forecaster",
    "ForecasterParams",
    "TimingParams",
    "build_adversarial",
    "with_changes",
]
