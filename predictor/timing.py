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
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from predictor.forecasters import Forecast

_GRACE = 0.1  # of an iteration: steady workers have quantiles as narrow as the clock's noise
_MAX_ENDS = 64  # forecast ends of one worker in one plan; bounds the cost of a decision
_FEW_ENDS = 100  # up to here a loop is quicker than vectors
_SHORTEST_S = 1e-9  # of a round
_EQUAL = 1e-12  # difference of idle fractions that is noise


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected of one worker: the end of its running iteration, and of those after it."""

    started_s: float  # of the running iteration
    running: Forecast  # of the running iteration, given how long it has lasted already
    later: Forecast  # of any iteration, nothing given

    def end_s(self, num: int) -> float:
        """Give the expected end of the num-th iteration from now; the running one is the first."""
        return self.started_s + self.running.mean_s + (num - 1) * self.later.mean_s

    def ends_s(self, limit_s: float, first: int = 1) -> list[float]:
        """Give the expected ends from the `first` one up to the limit, at most `_MAX_ENDS`.

        Where already the first one lies beyond the limit, it is put there.
        """
        first_s, each_s = self.end_s(first), self.later.mean_s
        if first_s >= limit_s or each_s <= 0:
            return [min(first_s, limit_s)]
        num = min(int((limit_s - first_s) / each_s) + 1, _MAX_ENDS)
        return [first_s + i * each_s for i in range(num)]

    def first_after(self, at_s: float) -> int:
        """Give the number of the first iteration that is expected to end at `at_s` or later."""
        missing_s = at_s - self.end_s(1)
        return 1 if missing_s <= 0 or self.later.mean_s <= 0 else 1 + math.ceil(missing_s / self.later.mean_s)

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
    # Each end moves its worker's last end forward by its distance from the end before it, so that a running sum of
    # these steps over the sorted ends is sum_i e_i.
    merged: list[float] = []
    steps: list[float] = []
    for worker_ends in ends.values():
        before_s = 0.0
        for end_s in worker_ends:
            merged.append(end_s)
            steps.append(end_s - before_s)
            before_s = end_s
    scan = _scan_few if len(merged) <= _FEW_ENDS else _scan_many
    at_s, idle_fraction = scan(
        merged, steps, _Round(round_started_s, first_possible_s, limit_s, sum(arrived), len(ends) + len(arrived))
    )
    num_iterations = {
        worker: len(worker_ends) if worker_ends[-1] <= at_s else bisect_right(worker_ends, at_s)
        for worker, worker_ends in ends.items()
    }
    return Cut(at_s, max(0.0, idle_fraction), num_iterations)


class _Round(NamedTuple):
    """What a scan has to know of the round."""

    started_s: float
    first_s: float  # no cut before it
    limit_s: float  # no cut after it, but for the first one that is possible
    arrived_s: float  # sum over the workers that have pushed
    num_workers: int


def _scan_few(merged: Sequence[float], steps: Sequence[float], of: _Round) -> tuple[float, float]:
    """Give the best of the merged ends and its idle fraction; quicker than vectors where there are few."""
    started_s, first_s, limit_s, arrived_s, num_workers = of
    cuts: list[float] = []
    idle_fractions: list[float] = []
    sum_s = 0.0
    for place in sorted(range(len(merged)), key=merged.__getitem__):
        cut_s = merged[place]
        sum_s += steps[place]
        if cut_s < first_s:
            continue
        if cut_s > limit_s and cuts:
            break
        length_s = cut_s - started_s
        idle_s = cut_s - (sum_s + arrived_s) / num_workers
        cuts.append(cut_s)
        idle_fractions.append(idle_s / (length_s if length_s > _SHORTEST_S else _SHORTEST_S))
    enough = min(idle_fractions) + _EQUAL
    best = next(place for place, idle_fraction in enumerate(idle_fractions) if idle_fraction <= enough)
    return cuts[best], idle_fractions[best]


def _scan_many(merged: Sequence[float], steps: Sequence[float], of: _Round) -> tuple[float, float]:
    """Do the same with few vector operations."""
    cuts = np.array(merged)
    order = cuts.argsort(kind="stable")
    sums_s = np.array(steps)[order].cumsum()
    cuts = cuts[order]
    start = int(cuts.searchsorted(of.first_s))
    stop = max(start + 1, int(cuts.searchsorted(of.limit_s, "right")))
    cuts, sums_s = cuts[start:stop], sums_s[start:stop]
    lengths_s = np.maximum(cuts - of.started_s, _SHORTEST_S)
    idle_fractions = (cuts - (sums_s + of.arrived_s) / of.num_workers) / lengths_s
    best = int((idle_fractions <= idle_fractions.min() + _EQUAL).argmax())  # of equal ones the earliest
    return float(cuts[best]), float(idle_fractions[best])
