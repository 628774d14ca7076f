"""The duration that is cheapest to act on: METHOD section 5's timing rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.base import SHORTEST_S
from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param


@dataclass(frozen=True)
class TimingParams:
    """Acts on the duration that would have cost least of late, when late costs a whole iteration."""

    __pydantic_config__ = STRICT

    name: Literal["timing"] = "timing"
    window: Annotated[int, param("Iterations that are remembered.", unit="iterations", ge=1, le=1000)] = 8

    def build(self) -> Timing:
        return Timing(self.window)


class RecentMean:
    """The last durations, sorted when asked for, and their mean."""

    def __init__(self, window: int) -> None:
        self._recent: deque[float] = deque(maxlen=window)

    def learn(self, duration_s: float) -> None:
        self._recent.append(duration_s)

    def point_s(self) -> float:
        return sum(self._recent) / len(self._recent)

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        """Give the cheapest of the durations that are longer than `elapsed_s`; None if none is."""
        longer = sorted(duration_s for duration_s in self._recent if duration_s > elapsed_s)
        return cheapest_s(longer, self.point_s() if late_s is None else late_s) if longer else None


class Timing(Calibrated):
    """See `TimingParams`. The mean and its window are those of the last durations; what differs is `aim_s`."""

    def __init__(self, window: int) -> None:
        self._recent = RecentMean(window)
        self._aim_s: float | None = None  # for elapsed_s = 0
        super().__init__(self._recent)

    def observe(self, duration_s: float) -> None:
        super().observe(duration_s)
        self._aim_s = self._recent.aim_s()

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        if self._aim_s is None or (elapsed_s <= 0 and late_s is None):
            return self._aim_s
        return self._recent.aim_s(elapsed_s, late_s) or super().aim_s(elapsed_s)


def cheapest_s(durations_s: Sequence[float], late_s: float) -> float:
    """Give argmin over a in D of  sum over d in D of (late_s if d < a else d - a). O(len).

    To come early costs the time until the end; to come late costs `late_s`, a whole iteration.

    Args:
        durations_s: D, ascending, at least one.
        late_s: what it costs to come late.
    """
    num = len(durations_s)
    rest_s = sum(durations_s)
    best_s, best_cost_s = SHORTEST_S, float("inf")
    for rank, aim_s in enumerate(durations_s):  # rank: how many are shorter; of equal ones the first is the cheapest
        cost_s = rank * late_s + rest_s - (num - rank) * aim_s
        if cost_s < best_cost_s:
            best_s, best_cost_s = aim_s, cost_s
        rest_s -= aim_s
    return best_s
