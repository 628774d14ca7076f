"""Tuning: the keys and the learning rate with the least mean time over seeds that are not reported.

1. On the first tuning seed every point of a policy's grid is run to the budget with all learning rates, and its
   own range of rates is extended by a factor of about sqrt(2) while its best lies at the range's edge.
2. On the other seeds the points follow, the most promising first. A rate, a point or the rest of a run is left out
   where its mean could not come down to the best mean so far, however well it did from there on. Times are
   never negative, so this cannot change the winner, and it is the same for every policy.
3. While the winner's rate lies at the edge of its range, the range is extended, on all seeds.

A seed that misses the target counts as twice the budget.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from predictor.policies import PolicyParams

MISS = 2  # a seed that misses the target counts as so many budgets
MAX_EXTENSIONS = 6  # of a range of learning rates, on either side: a factor of 8
_STEP = math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a run came to: time to the target in seconds (inf: missed) and the last loss (may be nan)."""

    time_s: float
    loss: float


class Objective(Protocol):
    """Runs one point of the grid with several learning rates on one seed."""

    def __call__(self, params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> Sequence[Trial]:
        """Give a trial for each rate; a target that is first met at or before `until_s` is always seen."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner."""

    params: PolicyParams
    learning_rate: float
    mean_s: float  # over the tuning seeds, with the misses
    num_runs: int  # simulations that it took


@dataclass(slots=True)
class _Point:
    """One point of the grid, and the trials of its learning rates on each seed that was run."""

    place: int
    params: PolicyParams
    trials: dict[float, list[Trial]] = field(default_factory=dict)


@dataclass(frozen=True, order=True, slots=True)
class _Rank:
    """Orders candidates; ties go to the least loss where seeds were missed, the earlier point, the smaller rate."""

    total_s: float
    missed_loss: float
    place: int
    rate: float


class Tuner:
    """Tunes one policy in one scenario."""

    def __init__(self, rates: Sequence[float], seeds: Sequence[int], budget_s: float, objective: Objective) -> None:
        """Prepare.

        Args:
            rates: learning rates to start with, ascending.
            seeds: tuning seeds.
            budget_s: of one run.
            objective: runs it.
        """
        self._rates, self._seeds, self._budget_s, self._objective = list(rates), list(seeds), budget_s, objective
        self._best: _Rank | None = None
        self._num_runs = 0

    def tune(self, grid: Sequence[PolicyParams]) -> Choice:
        """Find the best of the grid."""
        points = [_Point(place, params) for place, params in enumerate(grid)]
        for point in points:
            self._explore(point)
        for point in sorted(points, key=lambda one: (self._first_s(one), one.place)):
            self._finish(point, sorted(point.trials))
        assert self._best, "the first point is always finished"
        for _ in range(2 * MAX_EXTENSIONS):
            point = points[self._best.place]
            rate = self._beyond(point, self._best.rate)
            if rate is None:
                break
            self._run(point, [rate], self._seeds[0], self._budget_s)
            self._finish(point, [rate])
        return Choice(grid[self._best.place], self._best.rate, self._best.total_s / len(self._seeds), self._num_runs)

    def _explore(self, point: _Point) -> None:
        self._run(point, self._rates, self._seeds[0], self._budget_s)
        for _ in range(2 * MAX_EXTENSIONS):
            best = min(point.trials, key=lambda rate: (*self._merit(point.trials[rate][0]), rate))
            rate = self._beyond(point, best)
            if rate is None:
                return
            self._run(point, [rate], self._seeds[0], self._budget_s)

    def _merit(self, trial: Trial) -> tuple[float, float]:
        """Compare by time; among those who missed, by the loss they ended with."""
        if trial.time_s < math.inf:
            return trial.time_s, 0.0
        return self._cost_s(trial), trial.loss if math.isfinite(trial.loss) else math.inf

    def _beyond(self, point: _Point, rate: float) -> float | None:
        """Give the next rate beyond the range of a point, if `rate` lies at its edge."""
        ends, start, limit = sorted(point.trials), self._rates, _STEP ** (MAX_EXTENSIONS - 0.5)
        if rate == ends[0] and rate > start[0] / limit:
            return _rounded(rate / _STEP)
        if rate == ends[-1] and rate < start[-1] * limit:
            return _rounded(rate * _STEP)
        return None

    def _finish(self, point: _Point, rates: list[float]) -> None:
        """Run what can still win on the remaining seeds."""
        for seed in self._seeds[1:]:
            rates = [rate for rate in rates if self._total_s(point, rate) <= self._limit_s()]
            if not rates:
                return
            spare_s = self._limit_s() - min(self._total_s(point, rate) for rate in rates)
            until_s = min(self._budget_s, spare_s)
            self._run(point, rates, seed, until_s)
            if until_s < self._budget_s:  # who was cut off has no time, and cannot win
                rates = [rate for rate in rates if point.trials[rate][-1].time_s < math.inf]
        for rate in rates:
            missed_loss = sum(self._merit(trial)[1] for trial in point.trials[rate])
            rank = _Rank(self._total_s(point, rate), missed_loss, point.place, rate)
            if self._best is None or rank < self._best:
                self._best = rank

    def _run(self, point: _Point, rates: Sequence[float], seed: int, until_s: float) -> None:
        self._num_runs += 1
        for rate, trial in zip(rates, self._objective(point.params, rates, seed, until_s), strict=True):
            point.trials.setdefault(rate, []).append(trial)

    def _limit_s(self) -> float:
        return math.inf if self._best is None else self._best.total_s

    def _first_s(self, point: _Point) -> float:
        return min(self._cost_s(trials[0]) for trials in point.trials.values())

    def _total_s(self, point: _Point, rate: float) -> float:
        return sum(self._cost_s(trial) for trial in point.trials[rate])

    def _cost_s(self, trial: Trial) -> float:
        return trial.time_s if trial.time_s < math.inf else MISS * self._budget_s


def _rounded(rate: float) -> float:
    """Give two significant digits, as people write learning rates."""
    return float(f"{rate:.2g}")
