"""Equal slices of a run's time whose length doubles when there are too many, so that they need bounded memory."""

from __future__ import annotations

import math

FIRST_S = 0.125
MOST = 80  # slices; a run has between half as many and as many, once it is long enough


class Slices:
    """Seconds by slice and by key. Adding costs O(slices that the span touches)."""

    def __init__(self) -> None:
        self.length_s = FIRST_S
        self.rows: dict[int, list[float]] = {}  # key -> seconds in each slice, as far as there are any

    def add(self, key: int, from_s: float, to_s: float, weight: float = 1.0) -> None:
        """Spread the seconds of a span over the slices."""
        if not from_s < to_s < math.inf:
            return
        while to_s > self.length_s * MOST:
            self._halve()
        row = self.rows.setdefault(key, [])
        length_s = self.length_s
        first, last = int(from_s // length_s), min(MOST - 1, int(to_s // length_s))
        if len(row) <= last:
            row.extend([0.0] * (last + 1 - len(row)))
        if first == last:
            row[first] += weight * (to_s - from_s)
            return
        for place in range(first, last + 1):
            part_s = min(to_s, (place + 1) * length_s) - max(from_s, place * length_s)
            row[place] += weight * max(0.0, part_s)

    def copy(self) -> Slices:
        made = Slices()
        made.length_s = self.length_s
        made.rows = {key: row.copy() for key, row in self.rows.items()}
        return made

    def _halve(self) -> None:
        self.length_s *= 2
        self.rows = {key: [sum(row[i : i + 2]) for i in range(0, len(row), 2)] for key, row in self.rows.items()}
