"""The tuner on made-up objectives: it finds what a search of everything finds, and prunes only what cannot win."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from predictor.policies import PolicyParams
from predictor.policies.ssp import SspParams
from workers.bench.tuner import MISS, Choice, Trial, Tuner

BUDGET_S = 100.0
SEEDS = (101, 102)
RATES = (0.35, 0.5, 0.7, 1.0, 1.4)
GRID = [SspParams(threshold=threshold) for threshold in (1, 2, 4, 8, 16, 32)]


class Landscape:
    """Times fall and rise around a best rate for each threshold, with noise for each seed."""

    def __init__(self, noise: int = 0, best_rate: float = 0.7, scale_s: float = 40.0) -> None:
        self._noise, self._best_rate, self._scale_s = noise, best_rate, scale_s
        self.runs: list[tuple[int, tuple[float, ...], int, float]] = []

    def time_s(self, threshold: int, rate: float, seed: int) -> float:
        distance = abs(math.log2(rate / self._best_rate)) + abs(math.log2(threshold / 4)) / 2
        luck = random.Random(f"{self._noise} {threshold} {rate} {seed}").uniform(0.6, 1.7) if self._noise else 1.0
        time_s = self._scale_s * (1 + distance) * luck
        return time_s if time_s <= BUDGET_S else math.inf

    def __call__(self, params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        assert isinstance(params, SspParams)
        self.runs.append((params.threshold, tuple(rates), seed, until_s))
        times = [self.time_s(params.threshold, rate, seed) for rate in rates]
        return [
            Trial(one if one <= until_s else math.inf, abs(rate - self._best_rate))
            for one, rate in zip(times, rates, strict=True)
        ]

    def mean_s(self, threshold: int, rate: float) -> float:
        times = [self.time_s(threshold, rate, seed) for seed in SEEDS]
        return sum(one if one < math.inf else MISS * BUDGET_S for one in times) / len(SEEDS)

    def tune(self, grid: Sequence[SspParams] = GRID) -> Choice:
        return Tuner(RATES, SEEDS, BUDGET_S, self).tune(grid)


def test_the_best_is_found() -> None:
    choice = Landscape().tune()
    assert (choice.params, choice.learning_rate) == (SspParams(threshold=4), 0.7)
    assert choice.mean_s == 40


@pytest.mark.parametrize(("best_rate", "found"), [(4.0, 4.0), (0.13, 0.13), (11.0, 11.0), (0.046, 0.046), (0.7, 0.7)])
def test_the_range_grows_until_the_best_is_inside(best_rate: float, found: float) -> None:
    landscape = Landscape(best_rate=best_rate)
    assert landscape.tune([SspParams(threshold=4)]).learning_rate == pytest.approx(found, rel=0.02)


def test_the_range_ends_somewhere() -> None:
    high, low = Landscape(best_rate=1e6), Landscape(best_rate=1e-6)
    assert 1.4 * 7 < high.tune([SspParams(threshold=4)]).learning_rate < 1.4 * 9
    assert 0.35 / 9 < low.tune([SspParams(threshold=4)]).learning_rate < 0.35 / 7


def test_where_all_miss_the_last_loss_leads_outwards() -> None:
    choice = Landscape(best_rate=2.8, scale_s=95).tune([SspParams(threshold=4)])
    assert choice.learning_rate == pytest.approx(2.8)
    assert choice.mean_s == 95


def test_a_miss_counts_twice_the_budget() -> None:
    assert Landscape(scale_s=1000).tune().mean_s == MISS * BUDGET_S


@pytest.mark.parametrize("noise", range(1, 60))
def test_pruning_does_not_change_the_winner(noise: int) -> None:
    landscape = Landscape(noise)
    choice = landscape.tune()
    assert isinstance(choice.params, SspParams)
    ran = {(threshold, rate) for threshold, rates, _, _ in landscape.runs for rate in rates}
    best_s = min(landscape.mean_s(threshold, rate) for threshold, rate in ran)
    assert landscape.mean_s(choice.params.threshold, choice.learning_rate) == best_s
    assert choice.mean_s == best_s


def test_pruning_saves_work() -> None:
    landscape = Landscape()
    choice = landscape.tune()
    second = [(rates, until_s) for _, rates, seed, until_s in landscape.runs if seed == SEEDS[1]]
    assert len(landscape.runs) == choice.num_runs
    assert sum(len(rates) for rates, _ in second) < len(GRID) * len(RATES)
    assert min(until_s for _, until_s in second) < BUDGET_S


def test_nothing_is_pruned_on_the_first_seed() -> None:
    landscape = Landscape()
    landscape.tune()
    first = [(threshold, rates, until_s) for threshold, rates, seed, until_s in landscape.runs if seed == SEEDS[0]]
    assert {threshold for threshold, rates, until_s in first if rates == RATES and until_s == BUDGET_S} == {
        params.threshold for params in GRID
    }


def test_a_tie_goes_to_the_earlier_point_and_the_smaller_rate() -> None:
    def flat(params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        return [Trial(10.0 if 0.4 < rate < 1.2 else 20.0, 0.1) for rate in rates]

    choice = Tuner(RATES, SEEDS, BUDGET_S, flat).tune(GRID)
    assert (choice.params, choice.learning_rate) == (GRID[0], 0.5)
