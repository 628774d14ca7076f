"""Quantiles for any point forecast: adaptive conformal inference (Gibbs & Candes 2021, arXiv:2106.00170).

The score of an iteration is the ratio of its duration to a centre that was known before it. The window is the
quantiles of the last ratios, times the next centre. Each tail has its own level, which moves after each iteration:

    level += _STEP x (0.05 - (1 if the duration was beyond that end of the window else 0))

so that in the long run 5% of the durations fall below and 5% above, whatever their distribution. How *wide* such a
window is depends on the centre alone. Three are kept, each with windows of its own, and the one is used whose
windows were the narrowest of late:

* the point forecast itself,
* the level at which the worker is believed to be (`predictor.forecasters.regimes`): best where levels alternate,
* a constant, which makes the window the quantiles of the durations themselves: best where they are independent.

So the width of the window hardly depends on which point forecast a user has chosen. Ratios rather than
differences, since the jitter of compute times grows with their length.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque
from math import ceil

from predictor.forecasters.base import SHORTEST_S, Forecast, Point
from predictor.forecasters.regimes import Regimes

_TAIL = 0.05  # share of the durations that shall fall beyond each end of the window
_STEP = 0.002  # of a tail's level: large ones make windows that breathe, which are wide on average
_LEAST_LEVEL, _LARGEST_LEVEL = 0.005, 0.15
_MEMORY = 256  # ratios that are remembered
_ENOUGH = 20  # below this many ratios say little about a tail of 5%, and the prior is mixed in
_PRIOR_LOW, _PRIOR_HIGH = 0.7, 1.5
_FORGETTING = 0.98  # of the mean widths
_OVERDUE = 1.1  # longer than ever seen: expect a tenth more than has passed


class Tails:
    """The last ratios around one centre and the two quantiles of them. O(log memory) compares to learn."""

    __slots__ = ("_high_level", "_low_level", "_recent", "high", "low", "ratios", "width_s")

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self.ratios: list[float] = []  # sorted
        self._low_level = self._high_level = _TAIL
        self.low, self.high = _PRIOR_LOW, _PRIOR_HIGH
        self.width_s = 0.0  # mean width of the windows, forgetting

    def learn(self, duration_s: float, centre_s: float) -> None:
        """Learn a duration, and the centre that was forecast for it; both > 0."""
        ratio, ratios, recent = duration_s / centre_s, self.ratios, self._recent
        low, high = self.low, self.high
        self.width_s = _FORGETTING * self.width_s + (1 - _FORGETTING) * (high - low) * centre_s
        low_level = self._low_level + _STEP * (_TAIL - (ratio < low))
        if not _LEAST_LEVEL <= low_level <= _LARGEST_LEVEL:
            low_level = _LEAST_LEVEL if low_level < _LEAST_LEVEL else _LARGEST_LEVEL
        high_level = self._high_level + _STEP * (_TAIL - (ratio > high))
        if not _LEAST_LEVEL <= high_level <= _LARGEST_LEVEL:
            high_level = _LEAST_LEVEL if high_level < _LEAST_LEVEL else _LARGEST_LEVEL
        self._low_level, self._high_level = low_level, high_level
        recent.append(ratio)
        insort(ratios, ratio)
        if len(recent) > _MEMORY:
            del ratios[bisect_right(ratios, recent.popleft()) - 1]
        num = len(ratios)
        # How many ratios lie beyond an end of the window: the share of a future value among n past ones, rounded up.
        # Where the tail begins with a jump to another level, the end stays on this side of it; what that lets
        # through, the level makes up for.
        rank = ceil(low_level * (num + 1)) - 1
        low = ratios[rank if rank < num else -1]
        rank = ceil(high_level * (num + 1))
        high = ratios[-rank if rank <= num else 0]
        if num < _ENOUGH:
            trust = num / _ENOUGH
            low = trust * min(low, 1.0) + (1 - trust) * _PRIOR_LOW
            high = trust * max(high, 1.0) + (1 - trust) * _PRIOR_HIGH
        self.low, self.high = low, high


class Calibrated:
    """A forecaster made of a point forecast; see the head of this module."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._regimes = Regimes()
        self._tails = (Tails(), Tails(), Tails())
        self._centres_s: tuple[float, ...] = ()  # of the next iteration; empty until something was observed
        self._used = 0  # which of them
        self._next: Forecast | None = None  # for elapsed_s = 0

    def observe(self, duration_s: float) -> None:
        duration_s = max(duration_s, SHORTEST_S)
        if self._centres_s:
            for tails, centre_s in zip(self._tails, self._centres_s, strict=True):
                tails.learn(duration_s, centre_s)
        constant_s = self._centres_s[2] if self._centres_s else duration_s
        self._point.learn(duration_s)
        self._regimes.learn(math.log(duration_s))
        self._centres_s = self._point.point_s(), math.exp(self._regimes.centre), constant_s
        first, second, third = (tails.width_s for tails in self._tails)
        # While little is known, the point forecast is the least surprising centre.
        self._used = 0 if len(self._tails[0].ratios) < _ENOUGH or first <= min(second, third) else 1 + (third < second)
        self._next = self._forecast()

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        following = self._next
        if following is None or elapsed_s <= following.low_s:
            return following
        return self._given(elapsed_s, following)

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        forecast = self.forecast(elapsed_s)
        return None if forecast is None else forecast.mean_s

    def _forecast(self) -> Forecast:
        tails, centre_s = self._tails[self._used], self._centres_s[self._used]
        low_s, high_s = tails.low * centre_s, tails.high * centre_s
        # A point outside of its own calibrated window has been wrong there before: its nearer end is better.
        return Forecast(min(max(self._centres_s[0], low_s), high_s), low_s, high_s)

    def _given(self, elapsed_s: float, following: Forecast) -> Forecast:
        """Forecast from those remembered iterations only that lasted longer than this one has by now."""
        tails, centre_s = self._tails[self._used], self._centres_s[self._used]
        longer = tails.ratios[bisect_right(tails.ratios, elapsed_s / centre_s) :]
        if not longer:
            mean_s = max(following.mean_s, elapsed_s * _OVERDUE)
            return Forecast(mean_s, elapsed_s, max(following.high_s, mean_s * _OVERDUE))
        num = len(longer)
        mean_s = max(elapsed_s, centre_s * sum(longer) / num)
        low_s = max(elapsed_s, centre_s * longer[int(_TAIL * num)])
        high_s = centre_s * longer[ceil((1 - _TAIL) * num) - 1]
        return Forecast(mean_s, min(low_s, mean_s), max(high_s, mean_s))
