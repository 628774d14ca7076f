"""The gate's own rules; the policies' are in the property tests over the simulator."""

from __future__ import annotations

import pytest
from hypothesis import given

from predictor.errors import ProtocolError
from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    ForecastUpdated,
    IterationReported,
    PushArrived,
    Retuned,
    RunResumed,
    Stimulus,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.predictive import PredictiveParams
from predictor.policies.ssp import SspParams
from tests.predictor.checks import of, of_the_house, record, scenarios


def push(at_s, worker, iteration, pulled_version=0, is_blocking=True):
    return PushArrived(at_s, worker, iteration, 1, 1.0, at_s, pulled_version, is_blocking)


def joined(policy, num_workers):
    gate = Gate(policy, EwmaParams())
    for worker in range(num_workers):
        gate.handle(WorkerJoined(0.0, worker, 0, 0))
    return gate


def test_bsp_holds_with_a_reason_and_releases_all_with_the_mean():
    gate = joined(BspParams(), 2)
    held = gate.handle(push(1.0, 0, 1))
    assert of(WorkerHeld, held)[0].waits_for == (1,)
    assert "worker 1" in of(WorkerHeld, held)[0].reason
    done = gate.handle(push(4.0, 1, 1))
    aggregate = of(AggregateApplied, done)[0]
    assert (aggregate.version, aggregate.scale, len(aggregate.contributions)) == (1, 0.5, 2)
    assert [(r.worker, r.acknowledged, r.directive.push_at) for r in of(WorkerReleased, done)] == [(0, 1, 2), (1, 1, 2)]


def test_bsp_goes_on_when_the_missing_worker_dies():
    gate = joined(BspParams(), 3)
    gate.handle(push(1.0, 0, 1))
    gate.handle(push(1.1, 1, 1))
    done = gate.handle(WorkerLeft(2.0, 2, "died"))
    assert len(of(AggregateApplied, done)) == 1
    assert [r.worker for r in of(WorkerReleased, done)] == [0, 1]


def test_bsp_applies_the_last_pushes_of_workers_that_left():
    gate = joined(BspParams(), 2)
    gate.handle(push(1.0, 0, 1))
    gate.handle(WorkerLeft(1.0, 0, "finished"))
    done = gate.handle(push(4.0, 1, 1))
    assert {c.worker for c in of(AggregateApplied, done)[0].contributions} == {0, 1}


def test_ssp_lets_lead_the_threshold_and_no_more():
    gate = joined(SspParams(threshold=2), 2)
    for iteration in (1, 2):
        assert of(WorkerReleased, gate.handle(push(iteration, 0, iteration)))
    held = gate.handle(push(3.0, 0, 3))
    assert not of(WorkerReleased, held)
    assert of(WorkerHeld, held)[0].reason == "waits for worker 1: leads by 3, threshold 2"
    assert [r.worker for r in of(WorkerReleased, gate.handle(push(4.0, 1, 1)))] == [0, 1]


def test_staleness_counts_updates_between_pull_and_push():
    gate = joined(AspParams(), 2)
    gate.handle(push(1.0, 0, 1))
    gate.handle(push(2.0, 0, 2, pulled_version=1))
    stale = gate.handle(push(3.0, 1, 1, pulled_version=0))
    assert of(AggregateApplied, stale)[0].contributions[0].staleness == 2


def test_a_hold_is_said_once_for_each_reason():
    gate = joined(BspParams(), 3)
    assert len(of(WorkerHeld, gate.handle(push(1.0, 0, 1)))) == 1
    second = gate.handle(push(1.5, 1, 1))
    assert sorted(h.worker for h in of(WorkerHeld, second)) == [0, 1]  # now both wait for worker 2 alone


def test_bsp_tells_all_who_wait_only_about_the_last_one_missing():
    gate = joined(BspParams(), 5)
    told = [[h.worker for h in of(WorkerHeld, gate.handle(push(1.0 + worker, worker, 1)))] for worker in range(4)]
    assert told == [[0], [1], [2], [0, 1, 2, 3]]
    assert gate.members[0].held_reason == "waits at the barrier for worker 4"
    assert [h.worker for h in of(WorkerHeld, gate.handle(WorkerJoined(5.0, 5, 0, 0)))] == [0, 1, 2, 3]


def test_ssp_tells_those_who_wait_when_they_wait_for_one_alone_and_when_it_has_moved():
    gate = joined(SspParams(threshold=0), 4)
    told = [[h.worker for h in of(WorkerHeld, gate.handle(push(1.0 + worker, worker, 1)))] for worker in range(3)]
    assert told == [[0], [1], [0, 1, 2]]
    assert gate.members[0].held_reason == "waits for worker 3: leads by 1, threshold 0"
    late = of(WorkerHeld, gate.handle(Retuned(4.0, {"threshold": 0})))
    assert not late, "nothing has changed for anybody"
    assert [r.worker for r in of(WorkerReleased, gate.handle(push(5.0, 3, 1)))] == [0, 1, 2, 3]


def test_a_worker_that_joins_behind_is_named_to_those_who_wait():
    gate = joined(SspParams(threshold=0), 2)
    gate.handle(push(1.0, 0, 1))
    held = of(WorkerHeld, gate.handle(WorkerJoined(2.0, 2, 0, 0)))
    assert [(h.worker, h.waits_for) for h in held] == [(0, (1, 2))]


def test_only_a_policy_that_acts_on_forecasts_has_forecasters():
    asked = joined(PredictiveParams(), 1)
    asked.handle(push(1.0, 0, 1))
    assert asked.members[0].forecaster.forecast().mean_s == 1.0
    unasked = joined(SspParams(), 1)
    assert not of(ForecastUpdated, unasked.handle(push(1.0, 0, 1)))
    assert unasked.members[0].forecaster.forecast() is None
    assert unasked.members[0].forecaster.aim_s() is None


def check_slowest(scenario):
    """The slowest clock, and how many have it, are what a look at all members says; at every stimulus."""
    gate = Gate(scenario.policy, scenario.forecaster)
    for stimulus in of(Stimulus, record(scenario)[0]):
        gate.handle(stimulus)
        clocks = [member.clock for member in gate.members.values()]
        assert (gate.min_clock, gate.num_slowest) == (min(clocks, default=0), clocks.count(min(clocks, default=0)))


@of_the_house
@given(scenarios())
def test_the_slowest_clock_is_right_at_every_stimulus(scenario):
    check_slowest(scenario)


def test_the_slowest_clock_of_a_resumed_run_is_that_of_those_who_joined():
    gate = Gate(SspParams(threshold=2), EwmaParams())
    gate.handle(RunResumed(5.0, 1, 9, {"0": 7, "1": 6}))
    assert (gate.min_clock, gate.num_slowest) == (0, 0)
    gate.handle(WorkerJoined(5.1, 0, 1, 7))
    gate.handle(WorkerJoined(5.1, 1, 1, 6))
    assert (gate.min_clock, gate.num_slowest) == (6, 1)
    (released,) = of(WorkerReleased, gate.handle(push(6.0, 0, 8, 9)))
    assert "leads by 2" in released.reason


def test_the_slowest_clock_is_right_when_somebody_joins_behind_or_ahead():
    gate = joined(AspParams(), 2)
    gate.handle(push(1.0, 0, 1))
    gate.handle(push(1.0, 1, 1))
    assert (gate.min_clock, gate.num_slowest) == (1, 2)
    for worker, clock, slowest in ((2, 4, (1, 2)), (3, 1, (1, 3)), (4, 0, (0, 1))):
        gate.handle(WorkerJoined(2.0, worker, 0, clock))
        assert (gate.min_clock, gate.num_slowest) == slowest
    gate.handle(WorkerLeft(3.0, 4, "died"))
    assert (gate.min_clock, gate.num_slowest) == (1, 3)


def test_pushes_are_settled_wherever_they_lie_among_those_that_are_pending():
    gate = joined(BspParams(), 3)
    pushes = [push(1.0 + worker, worker, 1) for worker in range(2)]
    for one in pushes:
        gate.handle(one)
    gate._settle([pushes[0]])
    assert list(gate.pending) == [pushes[1]]
    with pytest.raises(AssertionError, match="once"):
        gate._settle([pushes[0]])


def test_an_obsolete_token_changes_nothing():
    assert joined(BspParams(), 2).handle(DeadlinePassed(5.0, 17)) == []


def test_retuned_threshold_holds_from_the_next_decision():
    gate = joined(SspParams(threshold=0), 2)
    assert of(WorkerHeld, gate.handle(push(1.0, 0, 1)))
    assert [r.worker for r in of(WorkerReleased, gate.handle(Retuned(2.0, {"threshold": 4})))] == [0]


def test_resume_starts_afresh_from_version_and_clocks():
    gate = joined(BspParams(), 2)
    gate.handle(push(1.0, 0, 1))
    gate.handle(RunResumed(9.0, 5, 40, {"0": 40, "1": 40}))
    assert (gate.version, gate.clocks(), len(gate.members), len(gate.pending)) == (40, {0: 40, 1: 40}, 0, 0)
    released = of(WorkerReleased, gate.handle(WorkerJoined(9.1, 0, 1, 40)))[0]
    assert (released.version, released.acknowledged, released.directive.push_at) == (40, 40, 41)


@pytest.mark.parametrize(
    "stimulus",
    [
        push(1.0, 7, 1),
        IterationReported(1.0, 7, 1, 1.0, 1.0, False),
        WorkerLeft(1.0, 7, "died"),
        WorkerJoined(1.0, 0, 1, 0),
        push(1.0, 0, 0),
    ],
)
def test_a_contradiction_is_refused_and_changes_nothing(stimulus):
    gate = joined(BspParams(), 2)
    with pytest.raises(ProtocolError, match="worker"):
        gate.handle(stimulus)
    assert (len(gate.members), len(gate.pending), gate.now_s) == (2, 0, 0.0)


def test_time_never_goes_back():
    gate = joined(BspParams(), 2)
    gate.handle(push(5.0, 0, 1))
    assert gate.handle(push(4.0, 1, 1))[0].at_s == 5.0
