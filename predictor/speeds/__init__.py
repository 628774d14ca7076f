"""Speed models: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from predictor.speeds.base import ReadText, SpeedModel, SpeedParams
from predictor.speeds.drift import DriftParams
from predictor.speeds.lognormal import LognormalParams
from predictor.speeds.markov import MarkovParams
from predictor.speeds.native import NativeParams
from predictor.speeds.pareto import ParetoParams
from predictor.speeds.trace import TraceParams
from predictor.speeds.transfer import Transfer

SPEEDS: dict[str, type[Any]] = {
    "lognormal": LognormalParams,
    "markov": MarkovParams,
    "pareto": ParetoParams,
    "drift": DriftParams,
    "trace": TraceParams,
    "native": NativeParams,
}

if TYPE_CHECKING:
    AnySpeedParams = SpeedParams
else:
    AnySpeedParams = Annotated[Union[tuple(SPEEDS.values())], Field(discriminator="kind")]  # noqa: UP007

__all__ = ["SPEEDS", "AnySpeedParams", "LognormalParams", "ReadText", "SpeedModel", "SpeedParams", "Transfer"]
