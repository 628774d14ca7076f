"""Rennala and Ringmaster: nobody waits, and what is too stale is dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.events import AggregateApplied, PushArrived, PushDiscarded, Retuned, WorkerHeld, WorkerLeft
from predictor.policies.asp import AspParams
from predictor.policies.rennala import RennalaParams
from predictor.policies.ringmaster import RingmasterParams
from predictor.simulator import simulate
from tests.predictor.checks import of, of_the_house, record, scenarios
from tests.predictor.peers_driver import Hand, applied, released, scenario


def test_rennala_takes_a_step_from_b_current_gradients_and_drops_the_stale_one():
    hand = Hand(RennalaParams(num_gradients=3), num_workers=3)
    said = hand.push(1.0, 0)
    assert (applied(said), released(said)) == ([], [0])
    hand.push(1.5, 1)
    said = hand.push(2.0, 0)  # a second one of worker 0, at the same version
    assert (applied(said), released(said)) == ([([0, 1, 0], 1 / 3)], [0])
    said = hand.push(2.5, 1)  # computed at version 0
    (dropped,) = of(PushDiscarded, said)
    assert (dropped.worker, dropped.iteration) == (1, 2)
    assert dropped.reason == "computed on weights that are 1 updates old, only current ones count"
    assert released(said) == [1]
    assert hand.gate.pending == []
    hand.push(3.0, 0)
    assert [push.worker for push in hand.gate.pending] == [0]


def test_rennala_releases_with_the_weights_of_the_step_that_a_push_completes():
    hand = Hand(RennalaParams(num_gradients=1), num_workers=1)
    for version in (1, 2, 3):
        said = hand.push(float(version), 0)
        assert said[-1].version == hand.gate.version == version
        assert hand.directive[0].push_after == "received"  # the push may still lie there when weights land


def test_rennala_applies_what_is_left_when_the_last_one_leaves():
    hand = Hand(RennalaParams(num_gradients=4), num_workers=2)
    hand.push(1.0, 0)
    assert applied(hand.take(WorkerLeft(1.5, 0, "finished"))) == []
    assert applied(hand.take(WorkerLeft(2.0, 1, "died"))) == [([0], 0.25)]


def test_rennala_retuned_to_fewer_gradients_takes_the_step_at_once():
    hand = Hand(RennalaParams(num_gradients=8), num_workers=1)
    for at_s in (1.0, 2.0, 3.0):
        hand.push(at_s, 0)
    assert applied(hand.take(Retuned(3.5, {"num_gradients": 2}))) == [([0, 0, 0], 1 / 3)]


@of_the_house
@given(st.integers(1, 6), st.data())
def test_rennala_applies_only_current_gradients_and_b_of_them(num, data):
    events, _ = record(data.draw(scenarios(st.just(RennalaParams(num_gradients=num)), has_deaths=False)))
    aggregates = of(AggregateApplied, events)
    assert all(one.staleness == 0 for aggregate in aggregates for one in aggregate.contributions)
    assert all(len(aggregate.contributions) == num for aggregate in aggregates[:-1])
    assert all(aggregate.scale == 1 / num for aggregate in aggregates)


def test_ringmaster_drops_what_is_too_stale_and_releases_its_worker():
    hand = Hand(RingmasterParams(max_staleness=2), num_workers=2)
    assert applied(hand.push(1.0, 0)) == [([0], 0.5)]
    assert applied(hand.push(1.5, 1)) == [([1], 0.5)]  # 1 update stale
    for at_s in (2.0, 3.0):
        hand.push(at_s, 0)
    said = hand.push(3.5, 1)  # 2 updates stale
    assert (applied(said), released(said)) == ([], [1])
    assert of(PushDiscarded, said)[0].reason == "2 updates stale, the limit is 2"
    assert hand.gate.version == 4
    assert applied(hand.push(4.0, 1)) == [([1], 0.5)]  # it had the newest weights


def test_ringmaster_in_virtual_time_by_hand():
    # Worker 0 pushes at 1, 2, 3, ...; worker 1 at 2.5, with 2 updates since its pull, and at 5 with 2 since 2.5.
    events, result = record(scenario(RingmasterParams(max_staleness=2), [1.0, 2.5], iterations=4))
    dropped = [(one.at_s, one.worker) for one in of(PushDiscarded, events)]
    assert dropped[:1] == [(2.5, 1)]
    assert result.version + len(dropped) == result.num_pushes == 8


@of_the_house
@given(st.integers(1, 6), st.data())
def test_ringmaster_never_applies_what_is_as_stale_as_its_limit(limit, data):
    events, _ = record(data.draw(scenarios(st.just(RingmasterParams(max_staleness=limit)))))
    for aggregate in of(AggregateApplied, events):
        assert [one.staleness < limit for one in aggregate.contributions] == [True]


@pytest.mark.parametrize("policy", [RennalaParams(), RingmasterParams(max_staleness=1)])
def test_nobody_waits(policy):
    events, result = record(scenario(policy, [1.0, 1.7, 8.0], transfer_s=0.5, iterations=12))
    assert not of(WorkerHeld, events)
    asp = simulate(scenario(AspParams(), [1.0, 1.7, 8.0], transfer_s=0.5, iterations=12))
    assert [one.wall_s for one in result.workers] == [one.wall_s for one in asp.workers]
    assert {push.num_iterations for push in of(PushArrived, events)} == {1}
