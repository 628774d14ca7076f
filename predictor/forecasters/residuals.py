"""Quantiles for any point forecast: the ratios of what happened to what was forecast, over a window.

Ratios rather than differences, since the jitter of compute times grows with their length.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import deque

from predictor.forecasters.base import Forecast

_WINDOW = 64  # ratios that are remembered
_FEW = 8  # below this the window says nothing about tails, and the prior speaks
_PRIOR_LOW, _PRIOR_HIGH = 0.7, 1.5
_OVERDUE = 1.1  # longer than ever seen: expect a tenth more than has passed


class Residuals:
    """Remember ratios actual / forecast; give a forecast its quantiles. O(log window) to add."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, ratio: float) -> None:
        """Learn one ratio, > 0."""
        self._recent.append(ratio)
        insort(self._sorted, ratio)
        if len(self._recent) > _WINDOW:
            oldest = self._recent.popleft()
            del self._sorted[bisect_right(self._sorted, oldest) - 1]

    def widen(self, point_s: float, elapsed_s: float) -> Forecast:
        """Give the forecast around the point `point_s`, conditioned on having lasted `elapsed_s` already."""
        low, high = self._quantile(0.05), self._quantile(0.95)
        ratio = elapsed_s / point_s if point_s > 0 else 0.0
        if ratio <= low:
            mean = 1.0 if low <= 1.0 <= high else (low + high) / 2
            return Forecast(mean * point_s, low * point_s, high * point_s)
        longer = self._sorted[bisect_right(self._sorted, ratio) :]
        if not longer:
            mean_s = max(point_s, elapsed_s * _OVERDUE)
            return Forecast(mean_s, elapsed_s, max(high * point_s, mean_s * _OVERDUE))
        mean_s = point_s * sum(longer) / len(longer)
        high_s = point_s * longer[math.ceil(0.95 * len(longer)) - 1]
        return Forecast(mean_s, min(elapsed_s, mean_s), max(high_s, mean_s))

    def _quantile(self, share: float) -> float:
        num = len(self._sorted)
        if num < _FEW:
            return _PRIOR_LOW if share < 0.5 else _PRIOR_HIGH
        rank = share * (num + 1) - 1  # the rank of a future value among `num` past ones
        return self._sorted[min(num - 1, max(0, math.floor(rank) if share < 0.5 else math.ceil(rank)))]
