"""Level and damped trend of the logarithms of the compute times (Holt 1957; damping: Gardner & McKenzie 1985)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param

_LARGEST_SURPRISE = math.log(2.0)  # a stall moves level and trend no more than an iteration of twice the length


@dataclass(frozen=True)
class HoltParams:
    """Level and trend: follows workers that become steadily slower or faster."""

    __pydantic_config__ = STRICT

    name: Literal["holt"] = "holt"
    level_weight: Annotated[float, param("Weight of the newest iteration in the level.", gt=0, le=1)] = 0.3
    trend_weight: Annotated[float, param("Weight of the newest change in the trend.", ge=0, le=1)] = 0.05
    damping: Annotated[float, param("Share of the trend that lasts to the next iteration.", ge=0, lt=1)] = 0.8

    def build(self) -> Calibrated:
        return Calibrated(Holt(self))


class Holt:
    """See `HoltParams`. Of logarithms, so no trend leads below 0."""

    def __init__(self, params: HoltParams) -> None:
        self._params = params
        self._level: float | None = None
        self._trend = 0.0

    def learn(self, duration_s: float) -> None:
        value, params = math.log(duration_s), self._params
        if self._level is None:
            self._level = value
            return
        trend = params.damping * self._trend
        expected = self._level + trend
        surprise = min(_LARGEST_SURPRISE, max(-_LARGEST_SURPRISE, value - expected))
        self._level = expected + params.level_weight * surprise
        self._trend = trend + params.level_weight * params.trend_weight * surprise

    def point_s(self) -> float:
        assert self._level is not None, "asked before anything was learned"
        return math.exp(self._level + self._params.damping * self._trend)
