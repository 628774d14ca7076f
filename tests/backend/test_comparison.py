"""Comparison: who belongs together, what an interval says, and what a missed target is worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from backend.comparison import bands
from backend.comparison.groups import METRICS, Compared, against, compare_groups, group_runs, spread

TIME = METRICS[0]
ACCURACY = next(metric for metric in METRICS if metric.key == "final_accuracy")


def run(
    run_id: str, policy: str = "ssp", seed: int = 1, time_s: float | None = 10.0, accuracy: float = 0.9, **spec: Any
) -> Compared:
    summary = {
        "time_to_target_s": time_s, "final_accuracy": accuracy, "outcome": "completed", "duration_s": 50.0
    }  # fmt: skip
    settings = {"name": run_id, "seed": seed, "policy": {"name": policy}, "stop": {"target": {"value": 0.9}}, **spec}
    return Compared(run_id, settings, summary, is_finished=True)


def test_runs_that_differ_in_name_and_seed_alone_are_one_setting() -> None:
    runs = [run("a"), run("b", "bsp"), run("c", seed=2), run("d", "bsp", seed=2)]
    assert [[one.id for one in group] for group in group_runs(runs)] == [["a", "c"], ["b", "d"]]


def test_the_order_of_keys_makes_no_other_setting() -> None:
    one = run("a")
    other = Compared("b", dict(reversed(list(one.spec.items()))), one.summary, is_finished=True)
    assert len(group_runs([one, other])) == 1


def test_a_spread_is_students_interval() -> None:
    found = spread(TIME, [run(str(seed), seed=seed, time_s=value) for seed, value in enumerate([8.0, 10.0, 12.0])])
    assert found is not None
    assert (found.num, found.mean, found.least, found.most) == (3, 10.0, 8.0, 12.0)
    assert (found.low, found.high) == pytest.approx((10 - 4.3027 * 2 / math.sqrt(3), 10 + 4.3027 * 2 / math.sqrt(3)))


def test_one_run_has_a_mean_and_no_interval() -> None:
    found = spread(TIME, [run("a")])
    assert found is not None
    assert (found.mean, found.low, found.high) == (10.0, None, None)


def test_a_missed_target_is_a_bound_and_enters_no_mean() -> None:
    found = spread(TIME, [run("a", time_s=None), run("b", seed=2, time_s=20.0)])
    assert found is not None
    assert (found.num, found.num_bounds, found.mean) == (1, 1, 20.0)
    only = spread(TIME, [run("a", time_s=None)])
    assert only is not None
    assert (only.num, only.num_bounds, only.mean) == (0, 1, None)


def test_a_run_without_a_target_has_no_time_to_it() -> None:
    assert spread(TIME, [run("a", time_s=None, stop={"target": None})]) is None


def test_pairs_are_of_one_seed_and_their_ratios_are_averaged_by_logarithm() -> None:
    mine = [run("a", seed=1, time_s=5.0), run("b", seed=2, time_s=40.0), run("c", seed=7, time_s=1.0)]
    base = [run("d", seed=2, time_s=20.0), run("e", seed=1, time_s=10.0), run("f", seed=3, time_s=1.0)]
    found = against(TIME, mine, base)
    assert found is not None
    assert (found.num_pairs, found.num_better, found.num_worse) == (2, 1, 1)
    assert found.centre == pytest.approx(1.0)
    assert found.effect == pytest.approx(0.0)


def test_differences_of_shares_are_plain() -> None:
    mine = [run(f"a{seed}", seed=seed, accuracy=0.92 + seed / 100) for seed in (1, 2)]
    base = [run(f"b{seed}", seed=seed, accuracy=0.90) for seed in (1, 2)]
    found = against(ACCURACY, mine, base)
    assert found is not None
    assert found.centre == pytest.approx(0.035)
    assert found.effect == pytest.approx(0.035 / (0.01 / math.sqrt(2)))
    assert found.num_better == 2


def test_pairs_that_differ_equally_have_no_effect_size() -> None:
    mine = [run(f"a{seed}", seed=seed, accuracy=(310 + seed) / 360) for seed in (1, 2, 3)]
    base = [run(f"b{seed}", seed=seed, accuracy=(306 + seed) / 360) for seed in (1, 2, 3)]
    found = against(ACCURACY, mine, base)
    assert found is not None
    assert found.centre == pytest.approx(4 / 360)
    assert found.effect is None  # what spread there is comes from rounding


def test_times_beyond_comparison_are_compared() -> None:
    mine = [run("a", seed=1, time_s=1e300), run("b", seed=2, time_s=0.1)]
    base = [run("c", seed=1, time_s=1e-300), run("d", seed=2, time_s=0.1)]
    found = against(TIME, mine, base)
    assert found is not None
    assert found.centre == pytest.approx(1e300)
    assert found.high is not None
    assert math.isfinite(found.high)


def test_who_missed_the_target_loses_to_who_reached_it_and_ties_with_who_missed_it() -> None:
    mine = [run("a", seed=1, time_s=None), run("b", seed=2, time_s=None), run("c", seed=3, time_s=30.0)]
    base = [run("d", seed=1, time_s=10.0), run("e", seed=2, time_s=None), run("f", seed=3, time_s=None)]
    found = against(TIME, mine, base)
    assert found is not None
    assert (found.num_pairs, found.centre) == (0, None)
    assert (found.num_better, found.num_worse) == (1, 1)


def test_a_run_that_took_longer_than_anothers_bound_does_not_lose_by_that() -> None:
    found = against(TIME, [run("a", time_s=60.0)], [run("b", time_s=None)])  # the bound is 50 s
    assert found is not None
    assert (found.num_better, found.num_worse) == (0, 0)


def test_the_baselines_setting_is_not_held_against_itself() -> None:
    groups = compare_groups([run("a"), run("b", "bsp"), run("c", "bsp", seed=2)], "c")
    assert [bool(group.against) for group in groups] == [True, False]
    assert [bool(group.against) for group in compare_groups([run("a"), run("b", "bsp")], "unknown")] == [False, True]
    assert compare_groups([], None) == []


def curve(values: list[float | None], step_s: float = 1.0) -> dict[str, list[Any]]:
    num = len(values)
    at_s = [step_s * place for place in range(num)]
    return {"at_s": at_s, "version": list(range(num)), "iterations": [10 * n for n in range(num)], "loss": values,
            "accuracy": [0.5] * num}  # fmt: skip


def test_a_band_is_the_geometric_mean_of_losses_and_ends_with_the_shorter_run() -> None:
    found = bands.band([curve([4.0] * 11), curve([1.0] * 6)], "loss", "seconds")
    assert found is not None
    assert (found["x"][0], found["x"][-1]) == (0.0, 5.0)
    assert found["mean"] == pytest.approx([2.0] * bands.NUM_BAND_POINTS)
    half = 12.7062 * np.std([math.log(4), 0.0], ddof=1) / math.sqrt(2)
    assert found["low"] == pytest.approx([2 * math.exp(-half)] * bands.NUM_BAND_POINTS)


def test_alike_runs_have_a_band_without_width() -> None:
    found = bands.band([curve([3.0, 2.0, 1.0])] * 3, "loss", "iterations")
    assert found is not None
    assert found["low"] == pytest.approx(found["high"])
    assert (found["mean"][0], found["mean"][-1]) == pytest.approx((3.0, 1.0))


@pytest.mark.parametrize(
    "curves", [[], [curve([1.0, 0.5])], [curve([1.0, 0.5]), curve([None, None])], [curve([1.0]), curve([1.0, 0.5])]]
)
def test_no_band_without_two_runs_that_overlap(curves: list[dict[str, list[Any]]]) -> None:
    assert bands.band(curves, "loss", "seconds") is None


def test_what_was_lost_in_a_crash_is_in_no_band_over_iterations() -> None:
    crashed = curve([8.0, 4.0, 2.0, 99.0, 1.0, 0.5])
    crashed["iterations"] = [0, 10, 20, 30, 25, 35]  # resumed from a checkpoint at 20
    kept = curve([8.0, 4.0, 2.0, 1.0, 0.5])
    kept["iterations"] = [0, 10, 20, 25, 35]
    assert bands.band([crashed, kept], "loss", "iterations") == bands.band([kept, kept], "loss", "iterations")


def test_bands_of_accuracy_stay_shares() -> None:
    low, high = curve([1.0, 1.0]), curve([1.0, 1.0])
    low["accuracy"], high["accuracy"] = [0.0, 0.2], [1.0, 1.0]
    found = bands.band([low, high], "accuracy", "seconds")
    assert found is not None
    assert min(found["low"]) == 0.0
    assert max(found["high"]) == 1.0


@pytest.mark.parametrize("num_curves", [1, 7, 100])
def test_thinned_curves_keep_their_ends_and_their_points(num_curves: int) -> None:
    whole = curve([float(n) for n in range(1000)])
    thinned = bands.thin(whole, num_curves)
    num = len(thinned["at_s"])
    assert num == min(1000, max(bands.LEAST_POINTS, bands.POINTS_IN_ALL // num_curves))
    assert (thinned["at_s"][0], thinned["at_s"][-1]) == (0.0, 999.0)
    assert all(whole["loss"][int(at_s)] == loss for at_s, loss in zip(thinned["at_s"], thinned["loss"], strict=True))
    assert thinned["at_s"] == sorted(set(thinned["at_s"]))
