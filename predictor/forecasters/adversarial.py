"""Forecasts that are wrong on purpose: no forecast, however bad, may break training (METHOD section 6).

Their windows are not calibrated, which would repair them: a fixed share below and above the point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.forecasters.base import SHORTEST_S, Forecast, Point
from predictor.params import STRICT

_LOW, _HIGH = 0.9, 1.1  # a narrow window: sure of itself
_OVERDUE = 1.1
_LEAST, _SPAN = 0.2, 4.8  # `random` multiplies the last duration by 0.2 to 5
_GOLDEN = 0.6180339887498949  # fractional part of the golden ratio: its multiples fill [0, 1) evenly, without a seed
_LONGEST_S = 1e12


class Uncalibrated:
    """A point forecast with a window of fixed shares."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._is_empty = True

    def observe(self, duration_s: float) -> None:
        self._point.learn(max(duration_s, SHORTEST_S))
        self._is_empty = False

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        if self._is_empty:
            return None
        point_s = min(_LONGEST_S, max(SHORTEST_S, self._point.point_s()))
        if elapsed_s > point_s * _LOW:
            point_s = max(point_s, elapsed_s * _OVERDUE)
        return Forecast(point_s, max(elapsed_s, _LOW * point_s), _HIGH * point_s)

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        forecast = self.forecast(elapsed_s)
        return None if forecast is None else forecast.mean_s


@dataclass(frozen=True)
class InvertedParams:
    """Expects a slow iteration after a fast one, and a fast one after a slow one."""

    __pydantic_config__ = STRICT

    name: Literal["inverted"] = "inverted"

    def build(self) -> Uncalibrated:
        return Uncalibrated(Inverted())


class Inverted:
    """The square of the running mean over the last duration."""

    def __init__(self) -> None:
        self._num, self._mean_s, self._last_s = 0, 0.0, 0.0

    def learn(self, duration_s: float) -> None:
        self._num += 1
        self._mean_s += (duration_s - self._mean_s) / self._num
        self._last_s = duration_s

    def point_s(self) -> float:
        return self._mean_s * (self._mean_s / self._last_s)


@dataclass(frozen=True)
class RandomParams:
    """Expects some multiple of the last iteration, from a fifth of it to five times."""

    __pydantic_config__ = STRICT

    name: Literal["random"] = "random"

    def build(self) -> Uncalibrated:
        return Uncalibrated(Random())


class Random:
    """The last duration times a number that jumps about; the same at every run."""

    def __init__(self) -> None:
        self._num, self._last_s = 0, 0.0

    def learn(self, duration_s: float) -> None:
        self._num += 1
        self._last_s = duration_s

    def point_s(self) -> float:
        return self._last_s * (_LEAST + _SPAN * (self._num * _GOLDEN % 1.0))


@dataclass(frozen=True)
class FrozenParams:
    """Expects the first iteration again, for ever."""

    __pydantic_config__ = STRICT

    name: Literal["frozen"] = "frozen"

    def build(self) -> Uncalibrated:
        return Uncalibrated(Frozen())


class Frozen:
    """The first duration."""

    def __init__(self) -> None:
        self._first_s = 0.0

    def learn(self, duration_s: float) -> None:
        self._first_s = self._first_s or duration_s

    def point_s(self) -> float:
        return self._first_s
