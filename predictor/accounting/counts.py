"""Distributions of whole numbers, such as staleness and lead."""

from __future__ import annotations

from typing import Any

MOST_BARS = 24


class Counts:
    """How often each number has come. Memory grows with the number of different ones."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, value: int) -> None:
        self._counts[value] = self._counts.get(value, 0) + 1

    def report(self) -> dict[str, Any]:
        """Give mean, quantile and bars of equal width, without gaps, at most `MOST_BARS`."""
        counts = sorted(self._counts.items())
        num = sum(count for _, count in counts)
        if not num:
            unknown = dict.fromkeys(("mean", "median", "p95", "max"))
            return {"num": 0, **unknown, "width": 1, "first": 0, "bars": []}
        first, last = counts[0][0], counts[-1][0]
        width = -(-(last - first + 1) // MOST_BARS)
        bars = [0] * ((last - first) // width + 1)
        for value, count in counts:
            bars[(value - first) // width] += count
        return {
            "num": num,
            "mean": sum(value * count for value, count in counts) / num,
            "median": _quantile(counts, num, 0.5),
            "p95": _quantile(counts, num, 0.95),
            "max": last,
            "width": width,
            "first": first,
            "bars": bars,
        }


def _quantile(counts: list[tuple[int, int]], num: int, share: float) -> int:
    """Give the smallest number that at least this share of all does not exceed."""
    reached = 0
    for value, count in counts:
        reached += count
        if reached >= share * num:
            return value
    return counts[-1][0]
