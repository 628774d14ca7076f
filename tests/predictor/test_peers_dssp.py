"""Dynamic SSP as printed on a worked example; and with an upper threshold that holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.events import AggregateApplied, Retuned, WorkerHeld, WorkerLeft, WorkerReleased
from predictor.policies.dssp import DsspParams
from predictor.policies.dssp_literal import DsspLiteralParams, Pace, granted_iterations
from predictor.policies.ssp import SspParams
from predictor.simulator import simulate
from tests.predictor.checks import of, of_the_house, record, release_times, scenarios
from tests.predictor.peers_driver import Hand, applied, released, scenario

# ---- the controller --------------------------------------------------------------------------------------------


def test_the_controller_by_hand():
    # Sim_p = 9, 10, 11, 12, 13 and Sim_s = 12, 15, ...: they meet at r = 3
    assert granted_iterations(Pace(9.0, 1.0), Pace(9.0, 3.0), 4) == 3
    # Sim_p = 7, 10, 13, ... and Sim_s = 9, 12, ...: off by 1 at r = 1 and r = 2, the smaller is taken
    assert granted_iterations(Pace(7.0, 3.0), Pace(6.0, 3.0), 4) == 1
    # the slowest pushes now: to wait is best
    assert granted_iterations(Pace(9.0, 1.0), Pace(6.0, 3.0), 4) == 0
    # further than the thresholds allow: as near as can be
    assert granted_iterations(Pace(0.0, 1.0), Pace(0.0, 100.0), 4) == 4


def test_nothing_is_granted_before_both_intervals_are_known():
    assert granted_iterations(Pace(9.0, None), Pace(6.0, 3.0), 4) == 0
    assert granted_iterations(Pace(9.0, 1.0), Pace(6.0, None), 4) == 0


times = st.integers(0, 40).map(float)
intervals = st.integers(0, 9).map(float)


@of_the_house
@given(times, intervals, times, intervals, st.integers(0, 12))
def test_the_controller_equals_its_definition(own_s, own_interval_s, slow_s, slow_interval_s, most):
    gaps = {
        (r, k): abs(slow_s + (k + 1) * slow_interval_s - (own_s + r * own_interval_s))
        for r in range(most + 1)
        for k in range(most + 1)
    }
    least = min(gaps.values())
    expected = min(r for (r, _), gap in gaps.items() if gap == least)
    assert granted_iterations(Pace(own_s, own_interval_s), Pace(slow_s, slow_interval_s), most) == expected


# ---- the policies ----------------------------------------------------------------------------------------------


def until_the_first_grant(params):
    """Drive worker 0, 1 s an iteration, and worker 1, 3 s, up to 7 s, where the first grant is due."""
    hand = Hand(params, num_workers=2)
    assert applied(one := hand.push(1.0, 0)) == [([0], 0.5)]
    assert released(one) == [0]  # leads by 1
    assert released(hand.push(2.0, 0)) == []  # leads by 2, and nothing is known of worker 1
    assert released(hand.push(3.0, 1)) == [0, 1]
    assert released(hand.push(4.0, 0)) == []  # worker 1 has no interval yet
    assert released(hand.push(6.0, 1)) == [0, 1]
    return hand


def test_algorithm_1_on_a_worked_example():
    hand = until_the_first_grant(DsspLiteralParams(threshold_low=1, threshold_high=5))
    (release,) = of(WorkerReleased, hand.push(7.0, 0))  # A_p = 7, I_p = 3; A_s = 6, I_s = 3: r* = 1
    assert release.reason == "granted r = 1 beyond this iteration, leads by 2"
    (release,) = of(WorkerReleased, hand.push(8.0, 0))
    assert release.reason == "spends 1 of a grant of which 1 is left, leads by 3"
    assert released(hand.push(9.0, 1)) == [1]
    (release,) = of(WorkerReleased, hand.push(9.0, 0))  # A_p = 9, I_p = 1; A_s = 9, I_s = 3: r* = 3
    assert release.reason == "granted r = 3 beyond this iteration, leads by 3"
    for at_s, left in ((10.0, 3), (11.0, 2), (12.0, 1)):
        (release,) = of(WorkerReleased, hand.push(at_s, 0))
        assert f"of which {left} is left" in release.reason
    (release,) = of(WorkerReleased, hand.push(13.0, 0))  # A_p = 13, I_p = 1; A_s = 9, I_s = 3: they meet at 15
    assert release.reason == "granted r = 2 beyond this iteration, leads by 7"  # the upper threshold is 5


def test_the_capped_grant_counts_the_iteration_that_follows_it():
    hand = until_the_first_grant(DsspParams(threshold_low=1, threshold_high=5))
    (release,) = of(WorkerReleased, hand.push(7.0, 0))
    assert release.reason == "granted r = 1, leads by 2, upper threshold 5"
    (release,) = of(WorkerReleased, hand.push(8.0, 0))  # used up; A_p = 8, I_p = 1; A_s = 6, I_s = 3: r* = 1 again
    assert release.reason == "granted r = 1, leads by 3, upper threshold 5"
    assert released(hand.push(9.0, 0)) == []  # now they would meet at once
    assert released(hand.push(9.0, 1)) == [1]  # worker 0 leads by 3 still
    assert released(hand.push(12.0, 1)) == [1]
    assert released(hand.push(15.0, 1)) == [0, 1]


def test_only_the_fastest_is_granted_anything():
    hand = Hand(DsspLiteralParams(threshold_low=0, threshold_high=5), num_workers=3)
    for at_s, worker in ((1.0, 0), (1.0, 1), (1.0, 2), (2.0, 0), (2.75, 1), (3.0, 2)):
        said = hand.push(at_s, worker)
    assert released(said) == [0, 1, 2]
    assert released(hand.push(3.5, 0)) == [0]  # A_p = 3.5, I_p = 1.5; A_1 = 2.75, I_1 = 1.75: they meet at 8
    assert released(hand.push(4.0, 0)) == [0]  # spends one of its grant
    held = hand.push(4.1, 1)
    assert released(held) == []
    (hold,) = of(WorkerHeld, held)
    assert (hold.waits_for, hold.reason) == (
        (2,),
        "waits for worker 2: leads by 1, lower threshold 0, no grant is left",
    )


def test_as_printed_the_lead_passes_the_upper_threshold_and_with_the_cap_it_never_does():
    durations_s = [1.0, 1.3, 9.5]
    low, high = 3, 15
    literal = simulate(scenario(DsspLiteralParams(threshold_low=low, threshold_high=high), durations_s, iterations=300))
    capped = simulate(scenario(DsspParams(threshold_low=low, threshold_high=high), durations_s, iterations=300))
    assert literal.max_lead > 2 * high
    assert low + 1 < capped.max_lead <= high


@of_the_house
@given(st.integers(0, 4), st.integers(0, 8), st.data())
def test_the_lead_is_bounded_under_dssp(low, high, data):
    params = DsspParams(threshold_low=low, threshold_high=high)
    drawn = data.draw(scenarios(st.just(params), max_iterations=30))
    assert simulate(drawn).max_lead <= max(high, low + 1)


@pytest.mark.parametrize("kind", [DsspParams, DsspLiteralParams])
@of_the_house
@given(st.integers(0, 4), st.data())
def test_with_equal_thresholds_it_is_ssp(kind, low, data):
    drawn = data.draw(scenarios(st.just(SspParams(threshold=low))))
    params = kind(threshold_low=low, threshold_high=low)
    assert release_times(replace(drawn, policy=params)) == release_times(drawn)


@pytest.mark.parametrize("kind", [DsspParams, DsspLiteralParams])
def test_every_push_is_applied_at_once_with_its_share(kind):
    events, result = record(scenario(kind(), [1.0, 2.0, 5.0], iterations=20))
    assert result.version == result.num_pushes == 60
    assert {one.scale for one in of(AggregateApplied, events)} == {1 / 3, 1 / 2, 1.0}  # who has finished has left


@pytest.mark.parametrize("kind", [DsspParams, DsspLiteralParams])
def test_who_waits_is_released_when_the_slowest_dies_or_the_threshold_is_raised(kind):
    for stimulus in (WorkerLeft(3.0, 1, "died"), Retuned(3.0, {"threshold_low": 2})):
        hand = Hand(kind(threshold_low=1, threshold_high=5), num_workers=2)
        hand.push(1.0, 0)
        assert released(hand.push(2.0, 0)) == []
        assert released(hand.take(stimulus)) == [0]


def test_a_newcomer_behind_voids_a_grant_under_the_cap():
    hand = until_the_first_grant(DsspParams(threshold_low=1, threshold_high=4))
    hand.push(7.0, 0)
    hand.push(8.0, 0)
    hand.push(9.0, 1)
    (release,) = of(WorkerReleased, hand.push(9.0, 0))
    assert release.reason == "granted r = 1, leads by 3, upper threshold 4"  # r* = 3
    assert released(hand.join(9.5, 2)) == [2]
    assert released(hand.push(10.0, 0)) == []  # leads by 7 now
