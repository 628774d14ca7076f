"""Median of the last compute times: blind to single stalls."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.base import Forecast
from predictor.forecasters.residuals import Residuals
from predictor.params import STRICT, param


@dataclass(frozen=True)
class MedianParams:
    """Median of the last iterations: blind to single stalls."""

    __pydantic_config__ = STRICT

    name: Literal["median"] = "median"
    window: Annotated[int, param("Iterations that are remembered.", unit="iterations", ge=1, le=1000)] = 15

    def build(self) -> Median:
        return Median(self.window)


class Median:
    """See `MedianParams`."""

    def __init__(self, window: int) -> None:
        self._recent: deque[float] = deque(maxlen=window)
        self._median_s = 0.0
        self._residuals = Residuals()

    def observe(self, duration_s: float) -> None:
        if self._recent:
            self._residuals.add(duration_s / self._median_s if self._median_s > 0 else 1.0)
        self._recent.append(duration_s)
        self._median_s = statistics.median(self._recent)

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        return self._residuals.widen(self._median_s, elapsed_s) if self._recent else None
