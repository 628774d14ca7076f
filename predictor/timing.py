"""When to synchronise: forecast iteration ends, and the cut of least idle fraction (METHOD section 4).

Each worker that has not pushed yet has a sequence of forecast iteration ends e_1 < e_2 < ...  A cut at time T
lets it push at its last end e <= T, so it contributes T - e of idleness to the round. The cut chosen is

    argmin over T of  sum_i (T - e_i) / (N (T - round start)),      T >= every worker's first end, T <= limit

found by ZipLine's sliding scan over the merged, sorted ends (Zhao et al. 2019, arXiv:2001.01347, algorithm 1)
with another objective: ZipLine's max - min is not divided by the length of the round, and so it knows no
reason to prefer a long round with the same slack.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from predictor.forecasters import Forecast

_GRACE = 0.1  # of an iteration: steady workers have quantiles as narrow as the clock's noise
_MAX_ENDS = 64  # forecast ends of one worker in one plan; bounds the cost of a decision


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of one worker: the end of its running iteration, and of those after it."""

    started_s: float  # of the running iteration
    running: Forecast  # of the running iteration, given how long it has lasted already
    later: Forecast  # of any iteration, nothing given

    def end_s(self, num: int) -> float:
        """Give the expected end of the num-th iteration from now; the running one is the first."""
        return self.started_s + self.running.mean_s + (num - 1) * self.later.mean_s

    def ends_s(self, limit_s: float) -> list[float]:
        """Give the expected ends up to the limit, at most `_MAX_ENDS`; a first end beyond the limit is put there."""
        if self.end_s(1) >= limit_s or self.later.mean_s <= 0:
            return [min(self.end_s(1), limit_s)]
        num = int((limit_s - self.end_s(1)) / self.later.mean_s) + 1
        return [self.end_s(i) for i in range(1, min(num, _MAX_ENDS) + 1)]

    def interval_s(self, num: int) -> tuple[float, float]:
        """Give the 5% and 95% quantiles of `end_s(num)`; the errors of iterations add as if independent."""
        return self._low_s(self.running, num), self._high_s(self.running, num)

    def due_s(self, num: int, limit_s: float) -> float:
        """Give the time at which the num-th end is overdue.

        That is its 95% quantile, or, if that is earlier, the limit; but never before it is expected. All as it
        stood when the running iteration started: given the time that has elapsed, a quantile would recede for
        ever before a worker that stalls.
        """
        expected_s = self.started_s + num * self.later.mean_s
        return min(self._high_s(self.later, num), max(limit_s, expected_s)) + _GRACE * self.later.mean_s

    def _low_s(self, running: Forecast, num: int) -> float:
        below_s = math.hypot(
            running.mean_s - running.low_s, math.sqrt(num - 1) * (self.later.mean_s - self.later.low_s)
        )
        return self.started_s + running.mean_s + (num - 1) * self.later.mean_s - below_s

    def _high_s(self, running: Forecast, num: int) -> float:
        above_s = math.hypot(
            running.high_s - running.mean_s, math.sqrt(num - 1) * (self.later.high_s - self.later.mean_s)
        )
        return self.started_s + running.mean_s + (num - 1) * self.later.mean_s + above_s


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut time, and for each worker how many iterations from now it does before it pushes (>= 1)."""

    at_s: float
    idle_fraction: float  # in [0, 1]
    num_iterations: dict[int, int]


def least_idle_cut(
    ends: Mapping[int, Sequence[float]], arrived: Sequence[float], round_started_s: float, limit_s: float
) -> Cut:
    """Choose the cut. O(M log M) for M ends in all.

    Args:
        ends: for each worker that is still to push, its future iteration ends in ascending order, at least one.
        arrived: times at which the other workers of this round pushed.
        round_started_s: from where idleness is counted, before all ends.
        limit_s: latest cut; not before any worker's first end.
    """
    first_possible_s = max(worker_ends[0] for worker_ends in ends.values())
    merged = sorted((end, worker) for worker, worker_ends in ends.items() for end in worker_ends if end <= limit_s)
    num_workers = len(ends) + len(arrived)
    taken: dict[int, int] = {}  # worker -> ends passed so far
    last_ends: dict[int, float] = {}
    sum_of_ends = sum(arrived)
    best: Cut | None = None
    for end, worker in merged:
        sum_of_ends += end - last_ends.get(worker, 0.0)
        last_ends[worker] = end
        taken[worker] = taken.get(worker, 0) + 1
        if end < first_possible_s:
            continue
        idle_fraction = (num_workers * end - sum_of_ends) / (num_workers * max(end - round_started_s, 1e-9))
        if best is None or idle_fraction < best.idle_fraction - 1e-12:
            best = Cut(end, idle_fraction, dict(taken))
    assert best is not None, "the latest first end is always a possible cut"
    return best
