"""Speed models: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictor.params import one_of
from predictor.speeds.base import SpeedModel, SpeedParams
from predictor.speeds.lognormal import LognormalParams
from predictor.speeds.native import NativeParams

SPEEDS: dict[str, type[Any]] = {
    "lognormal": LognormalParams,
    "native": NativeParams,
}

if TYPE_CHECKING:
    AnySpeedParams = SpeedParams
else:
    AnySpeedParams = one_of(SPEEDS, "kind")

__all__ = ["SPEEDS", "AnySpeedParams", "LognormalParams", "SpeedModel", "SpeedParams"]
