"""Median of the last compute times: blind to single stalls."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param


@dataclass(frozen=True)
class MedianParams:
    """Median of the last iterations: blind to single stalls."""

    __pydantic_config__ = STRICT

    name: Literal["median"] = "median"
    window: Annotated[int, param("Iterations that are remembered.", unit="iterations", ge=1, le=1000)] = 15

    def build(self) -> Calibrated:
        return Calibrated(Median(self.window))


class Median:
    """See `MedianParams`."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []

    def learn(self, duration_s: float) -> None:
        self._recent.append(duration_s)
        insort(self._sorted, duration_s)
        if len(self._recent) > self._window:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]

    def point_s(self) -> float:
        half, is_odd = divmod(len(self._sorted), 2)
        return self._sorted[half] if is_odd else (self._sorted[half - 1] + self._sorted[half]) / 2
