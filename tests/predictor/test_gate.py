"""The gate's own rules; the policies' are in the property tests over the simulator."""

from __future__ import annotations

import pytest

from predictor.errors import ProtocolError
from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    IterationReported,
    PushArrived,
    Retuned,
    RunResumed,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.ssp import SspParams


def push(at_s, worker, iteration, pulled_version=0, is_blocking=True):
    return PushArrived(at_s, worker, iteration, 1, 1.0, at_s, pulled_version, is_blocking)


def joined(policy, num_workers):
    gate = Gate(policy, EwmaParams())
    for worker in range(num_workers):
        gate.handle(WorkerJoined(0.0, worker, 0, 0))
    return gate


def of(kind, instructions):
    return [one for one in instructions if isinstance(one, kind)]


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
