"""ZipLine finds what brute force finds, the earliest of equal choices, and stays linear once the ends are merged."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.policies.zipline import closest_meeting
from tests.predictor.checks import of_the_house


def brute_force(ends):
    """Give the least spread, and the earliest latest end at which it is reached."""
    return min((max(chosen) - min(chosen), max(chosen)) for chosen in itertools.product(*ends))


def ascending(values, most):
    return st.lists(values, min_size=1, max_size=most).map(lambda steps: list(itertools.accumulate(steps)))


@of_the_house
@given(st.lists(ascending(st.integers(1, 12), 6), min_size=1, max_size=5))
def test_it_is_optimal_and_ties_go_to_the_earliest(ends):
    meeting = closest_meeting(ends)
    assert (meeting.spread_s, meeting.at_s) == brute_force(ends)
    chosen = [one[num - 1] for one, num in zip(ends, meeting.num_ends, strict=True)]
    assert (max(chosen), max(chosen) - min(chosen)) == (meeting.at_s, meeting.spread_s)


@of_the_house
@given(st.lists(ascending(st.floats(0.01, 10.0), 6), min_size=1, max_size=5))
def test_it_is_optimal_for_any_times(ends):
    meeting = closest_meeting(ends)
    assert meeting.spread_s == pytest.approx(brute_force(ends)[0], abs=1e-9)
    assert all(1 <= num <= len(one) for one, num in zip(ends, meeting.num_ends, strict=True))


@of_the_house
@given(st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 1.0, 1.1]), min_size=1, max_size=4), st.integers(1, 8))
def test_it_is_optimal_for_the_multiples_that_elastic_bsp_asks_for(lengths_s, horizon):
    ends = [[length_s * num for num in range(1, horizon + 1)] for length_s in lengths_s]
    assert closest_meeting(ends).spread_s == pytest.approx(brute_force(ends)[0], abs=1e-9)


def test_the_noise_of_floats_does_not_put_a_meeting_off():
    ends = [[0.3 * num for num in range(1, 31)], [0.1 * num for num in range(1, 31)]]
    meeting = closest_meeting(ends)  # 3 x 0.1 is not 0.3 for a computer
    assert meeting.num_ends == (1, 3)


def test_a_worked_example():
    # 1.45 k against whole numbers: 3 - 2.9 = 0.1 is the best up to 5, 13.05 - 13 = 0.05 up to 15
    for horizon, numbers, spread_s in ((1, (1, 1), 0.45), (5, (3, 2), 0.1), (15, (13, 9), 0.05)):
        ends = [[length_s * num for num in range(1, horizon + 1)] for length_s in (1.0, 1.45)]
        meeting = closest_meeting(ends)
        assert meeting.num_ends == numbers
        assert meeting.spread_s == pytest.approx(spread_s)
