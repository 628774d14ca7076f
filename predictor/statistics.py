"""Means with their intervals: Student's t, plain and on logarithms (Student 1908; paired, so as repetitions are)."""

from __future__ import annotations

import math
from collections.abc import Sequence

Interval = tuple[float, float]

# 97.5% quantiles of Student's t for 1 to 30 degrees of freedom.
_QUANTILES = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
_NORMAL = 1.959964


def quantile(freedom: int) -> float:
    """Give the 97.5% quantile of Student's t; above 30 by the first terms of its expansion in 1 / freedom."""
    if freedom <= len(_QUANTILES):
        return _QUANTILES[freedom - 1]
    z = _NORMAL
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Give the standard deviation of a sample of at least two values."""
    centre = mean(values)
    return math.sqrt(sum((value - centre) ** 2 for value in values) / (len(values) - 1))


def interval(values: Sequence[float]) -> Interval | None:
    """Give the 95% interval of the mean by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    centre = mean(values)
    half = quantile(len(values) - 1) * deviation(values) / math.sqrt(len(values))
    return centre - half, centre + half


def median_interval(values: Sequence[float]) -> Interval | None:
    """Give an interval that holds the median with at least 95%, whatever the distribution; None below six values.

    By ranks: the median lies below the k-th smallest value only if fewer than k of all lie below it, which is as
    likely as fewer than k heads in as many throws of a coin.
    """
    num, k, tail = len(values), 0, 0.0
    while k < num and 2 * (tail := tail + math.comb(num, k) / 2**num) <= 0.05:
        k += 1
    ordered = sorted(values)
    return (ordered[k - 1], ordered[num - k]) if k else None


def geometric_mean(ratios: Sequence[float]) -> float | None:
    return math.exp(mean([math.log(ratio) for ratio in ratios])) if ratios else None


def geometric_interval(ratios: Sequence[float]) -> Interval | None:
    """Give the 95% interval of the geometric mean, by Student's t on the logarithms."""
    logarithms = interval([math.log(ratio) for ratio in ratios])
    return logarithms and (math.exp(logarithms[0]), math.exp(logarithms[1]))
