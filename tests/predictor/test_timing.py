"""The cut of least idle fraction equals brute force; the outlook's quantiles are ordered."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor import timing
from predictor.forecasters import Forecast
from predictor.timing import Outlook, least_idle_cut

steps = st.lists(st.floats(0.01, 5.0), min_size=1, max_size=5)


def idle_fraction(at_s: float, ends: dict[int, list[float]], arrived: list[float]) -> float | None:
    last = [max((end for end in worker_ends if end <= at_s), default=None) for worker_ends in ends.values()]
    if None in last:
        return None
    num = len(ends) + len(arrived)
    return (num * at_s - sum(last) - sum(arrived)) / (num * at_s)


@given(st.lists(steps, min_size=1, max_size=5), st.lists(st.floats(0.0, 0.01), max_size=3), st.floats(0.0, 20.0))
def test_cut_is_the_best_of_all_possible_cuts(durations, arrived, limit_s):
    ends = {worker: list(itertools.accumulate(row)) for worker, row in enumerate(durations)}
    limit_s = max(limit_s, *(row[0] for row in ends.values()))
    cut = least_idle_cut(ends, arrived, 0.0, limit_s)
    every_end = [end for row in ends.values() for end in row if end <= limit_s]
    possible = [f for end in every_end if (f := idle_fraction(end, ends, arrived)) is not None]
    assert cut.idle_fraction == pytest.approx(min(possible), abs=1e-9)
    assert cut.idle_fraction == pytest.approx(idle_fraction(cut.at_s, ends, arrived), abs=1e-9)
    for worker, num in cut.num_iterations.items():
        assert ends[worker][num - 1] <= cut.at_s
        assert num == len(ends[worker]) or ends[worker][num] > cut.at_s or ends[worker][num] > limit_s


durations_s = st.one_of(st.sampled_from([0.5, 1.0, 2.0]), st.floats(0.01, 5.0))  # few different values make ties


@given(st.lists(st.lists(durations_s, min_size=1, max_size=8), min_size=1, max_size=8), st.floats(0.0, 9.0))
def test_few_ends_and_many_are_scanned_alike(durations, limit_s):
    ends = {worker: list(itertools.accumulate(row)) for worker, row in enumerate(durations)}
    cuts = []
    for few in (10_000, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timing, "_FEW_ENDS", few)
            cuts.append(least_idle_cut(ends, [0.25], 0.0, limit_s))
    assert cuts[0] == cuts[1], "to the last digit"


def test_one_slow_worker_sets_the_cut_and_the_fast_ones_fill_it():
    ends = {0: [1.0, 2.0, 3.0, 4.0], 1: [4.0]}
    cut = least_idle_cut(ends, [], 0.0, 4.0)
    assert cut.at_s == 4.0
    assert cut.num_iterations == {0: 4, 1: 1}
    assert cut.idle_fraction == 0.0


@given(st.floats(0.1, 2.0), st.floats(0.0, 0.9), st.floats(0.0, 3.0), st.integers(1, 20))
def test_outlook_is_ordered_and_grows(mean_s, low_share, high_extra, num):
    forecast = Forecast(mean_s, mean_s * (1 - low_share), mean_s * (1 + high_extra))
    outlook = Outlook(10.0, forecast, forecast)
    low_s, high_s = outlook.interval_s(num)
    assert low_s <= outlook.end_s(num) <= high_s
    assert outlook.end_s(num + 1) > outlook.end_s(num)
    limit_s = outlook.end_s(num)
    assert outlook.ends_s(limit_s)[-1] == pytest.approx(limit_s) or len(outlook.ends_s(limit_s)) == num - 1
    assert outlook.ends_s(10.0 + mean_s / 2) == [10.0 + mean_s / 2]  # never beyond the limit
    assert low_s <= outlook.end_s(num) < outlook.due_s(num, limit_s) <= outlook.due_s(num, 1e9)


@given(st.floats(0.1, 2.0), st.floats(0.0, 30.0), st.floats(10.0, 40.0))
def test_an_outlook_leaves_out_ends_at_which_nothing_can_be_pushed(mean_s, after_s, limit_s):
    forecast = Forecast(mean_s, mean_s, mean_s)
    outlook = Outlook(10.0, forecast, forecast)
    first = outlook.first_after(10.0 + after_s)
    assert outlook.end_s(first) >= 10.0 + after_s - 1e-9
    assert first == 1 or outlook.end_s(first - 1) < 10.0 + after_s + 1e-9
    ends = outlook.ends_s(limit_s, first)
    assert ends[0] == pytest.approx(min(limit_s, outlook.end_s(first)))
    assert ends == sorted(ends)


def test_a_tie_goes_to_the_earliest_cut():
    ends = {0: [1.0, 2.0, 3.0], 1: [1.0, 2.0, 3.0]}
    assert least_idle_cut(ends, [], 0.0, 3.0).at_s == 1.0


def test_ends_after_the_limit_are_no_cuts():
    ends = {0: [3.0, 4.0], 1: [4.0, 8.0]}
    assert least_idle_cut(ends, [0.5], 0.0, 4.5).at_s == 4.0
