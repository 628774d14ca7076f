"""Intervals, ratios and the summary of METHOD section 8."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy import stats  # type: ignore[import-untyped]

from predictor.statistics import geometric_interval, geometric_mean, interval, median_interval, quantile
from workers.bench.bounds import gap_closed
from workers.bench.statistics import compare, compare_final, summarise


@pytest.mark.parametrize("freedom", [1, 2, 5, 10, 30, 31, 47, 200])
def test_the_quantiles_are_those_of_student(freedom: int) -> None:
    assert quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-4)


def test_the_interval_of_a_mean() -> None:
    values = [10.0, 12.0, 17.0]
    expected = stats.t.interval(0.95, 2, loc=13, scale=stats.sem(values))
    assert interval(values) == pytest.approx(expected, rel=1e-4)
    assert interval([1.0]) is None
    low, high = geometric_interval([0.5, 2.0]) or (0.0, 0.0)
    assert low * high == pytest.approx(1)
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1)
    assert geometric_mean([]) is None


@pytest.mark.parametrize("num", [6, 10, 30, 31])
def test_the_interval_of_a_median_leaves_out_as_many_ranks_as_it_may(num: int) -> None:
    found = median_interval(list(range(num, 0, -1)))
    assert found is not None
    low, high = found
    assert (low, high) == (num + 1 - high, num + 1 - low)
    outside = 2 * stats.binom.cdf(low - 1, num, 0.5)
    assert outside <= 0.05 < 2 * stats.binom.cdf(low, num, 0.5)


def test_five_values_give_no_interval_of_a_median() -> None:
    assert median_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is None


def cell(*times: float) -> dict[str, Any]:
    return {"per_seed": list(times)}


def test_the_best_peer_is_neither_ours_nor_the_reconstruction() -> None:
    cells = {"foresync": cell(10, 20), "predictive": cell(1, 1), "asp": cell(40, 40), "ssp": cell(20, 30)}
    one = compare("a", 0.5, cells)
    assert one is not None
    assert (one["best_peer"], one["vs_best_peer"], one["vs_ssp"]) == ("ssp", 0.6, 0.6)
    low, high = one["vs_best_peer_ci95"]
    assert low * high == pytest.approx((10 / 20) * (20 / 30))
    cells["asp"] = cell(10, 10)
    one = compare("a", 0.5, cells)
    assert one is not None
    assert (one["best_peer"], one["vs_best_peer"], one["vs_ssp"]) == ("asp", 1.5, 0.6)


def test_without_ours_or_a_peer_there_is_no_ratio() -> None:
    assert compare("a", 0.5, {"foresync": cell(1), "predictive": cell(2)}) is None
    assert compare("a", 0.5, {"asp": cell(1), "ssp": cell(2)}) is None
    one = compare("a", 0.5, {"foresync": cell(1), "asp": cell(2)})
    assert one is not None
    assert (one["vs_best_peer"], one["vs_best_peer_ci95"], one["vs_ssp"]) == (0.5, None, None)


def test_the_summary() -> None:
    cells = [("a", 0.05, 1.25), ("b", 0.05, 0.8), ("c", 3.0, 0.5)]
    ratios = [compare(name, at, {"foresync": cell(ratio), "ssp": cell(1.0)}) for name, at, ratio in cells]
    summary = summarise([one for one in ratios if one])
    assert summary["vs_best_peer_geomean"] == pytest.approx(0.5 ** (1 / 3))
    assert summary["vs_best_ssp_geomean"] == pytest.approx(0.5 ** (1 / 3))
    assert summary["worst_cell"] == {"scenario": "a", "ratio": 1.25}
    assert summary["by_transfer"] == {"0.05": pytest.approx(1), "3": 0.5}
    assert (summary["num_scenarios"], summary["num_lost"]) == (3, 1)
    logarithms = [math.log(ratio) for _, _, ratio in cells]
    expected = stats.t.interval(0.95, 2, loc=sum(logarithms) / 3, scale=stats.sem(logarithms))
    assert [math.log(end) for end in summary["vs_best_peer_ci95"]] == pytest.approx(expected, rel=1e-4)
    nothing = summarise([])
    assert (nothing["vs_best_peer_geomean"], nothing["worst_cell"], nothing["by_transfer"]) == (None, None, {})


def finals(*losses: float | None) -> dict[str, Any]:
    return {"final_per_seed": list(losses)}


def test_the_final_loss_is_above_where_the_whole_paired_interval_is() -> None:
    peer = finals(0.20, 0.30, 0.40)
    above = compare_final(finals(0.21, 0.311, 0.409), peer)
    differences = [0.01, 0.011, 0.009]
    expected = stats.t.interval(0.95, 2, loc=0.01, scale=stats.sem(differences))
    assert above["final_vs_best_peer"] == pytest.approx(0.01)
    assert above["final_ci95"] == pytest.approx(expected, rel=1e-4)
    assert above["is_final_above"] is True, "every seed is worse by as much, although the seeds differ by far more"
    assert compare_final(finals(0.21, 0.33, 0.39), peer)["is_final_above"] is False
    assert compare_final(finals(0.1, 0.2, 0.3), peer)["is_final_above"] is False


def test_without_an_interval_or_after_divergence_nothing_is_said_of_the_final_loss() -> None:
    assert compare_final(finals(0.2), finals(0.1)) == {}
    assert compare_final(finals(0.2, None), finals(0.1, 0.2)) == {}
    assert compare_final(cell(1.0), cell(2.0)) == {}


def test_the_share_of_the_gap_that_is_closed() -> None:
    assert gap_closed(80.0, 100.0, 60.0) == 0.5
    assert gap_closed(110.0, 100.0, 60.0) == -0.25
    assert gap_closed(50.0, 100.0, 60.0) == 1.25
    assert gap_closed(50.0, 60.0, 60.0) is None


def test_the_summary_counts_final_losses_and_takes_the_median_gap() -> None:
    rows = [compare(name, 0.5, {"foresync": cell(1.0), "ssp": cell(2.0)}) for name in "abc"]
    [first, second, third] = [one for one in rows if one]
    first |= {"bound_s": 0.5, "gap_closed": 0.4, "is_final_above": True}
    second |= {"bound_s": 0.5, "gap_closed": 0.6, "is_final_above": False}
    summary = summarise([first, second, third])
    assert (summary["num_final_above"], summary["num_final_compared"]) == (1, 2)
    assert summary["gap_closed_median"] == pytest.approx(0.5)
    assert summarise([third])["gap_closed_median"] is None
