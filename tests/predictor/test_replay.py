"""A replay finds every tampering, tolerates what a dead writer leaves, and goes on over a resume."""

from __future__ import annotations

from dataclasses import replace

import pytest

from predictor.events import (
    AggregateApplied,
    Directive,
    Instruction,
    PushArrived,
    Retuned,
    RunFinished,
    RunResumed,
    RunStarted,
    SyncPlanned,
    WakeAt,
    WorkerJoined,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies import PredictiveParams
from predictor.policies.ssp import SspParams
from predictor.replay import replay
from predictor.simulator import Scenario
from predictor.spec import RunSpec
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from tests.predictor.checks import record

SPEC = RunSpec(policy=PredictiveParams())


@pytest.fixture(scope="module")
def events():
    speeds = [Trace([1.0]), Trace([1.3, 0.9]), Trace([2.0, 2.0, 9.0])]
    transfers = [Transfer(0.5, 0.3, worker, 1) for worker in range(3)]
    return tuple(record(Scenario(PredictiveParams(), speeds, transfers, iterations=12))[0])


def replayed(events, spec=SPEC):
    return replay(enumerate(events, 1), spec)


def place(events, kind, num=3):
    """Give the place of the num-th event of a kind."""
    return [i for i, event in enumerate(events) if isinstance(event, kind)][num]


def test_an_honest_log_replays(events):
    report = replayed(events)
    assert (report.is_same, report.seq, report.difference) == (True, None, None)
    assert report.num_instructions == len([event for event in events if isinstance(event, Instruction)])


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        (WorkerReleased, {"reason": "because I say so"}, "reason of WorkerReleased is 'because I say so' in the log"),
        (WorkerReleased, {"directive": Directive(99, 4, 0.5)}, "directive of WorkerReleased is Directive(push_at=99"),
        (AggregateApplied, {"scale": 0.3}, "scale of AggregateApplied is 0.3 in the log"),
        (SyncPlanned, {"cut_at_s": 0.0}, "cut_at_s of SyncPlanned is 0.0 in the log"),
        (WakeAt, {"token": 1000}, "token of WakeAt is 1000 in the log"),
    ],
)
def test_a_changed_instruction_is_found_in_its_place(events, kind, change, said):
    where = place(events, kind)
    report = replayed([*events[:where], replace(events[where], **change), *events[where + 1 :]])
    assert (report.is_same, report.seq) == (False, where + 1)
    assert report.difference.startswith(said)
    assert "but after seq" in report.difference


def test_a_missing_instruction_is_found(events):
    where = place(events, AggregateApplied)
    report = replayed([*events[:where], *events[where + 1 :]])
    assert report.seq == where + 1
    assert "AggregateApplied" in report.difference


def test_an_instruction_too_many_is_found(events):
    where = place(events, PushArrived)  # before a stimulus, all was said
    report = replayed([*events[:where], WorkerReleased(1.0, 0, 0, 0, Directive(1, 0, 0.0), "x"), *events[where:]])
    assert report.seq == where + 1
    assert report.difference.endswith("the gate says no more")


def test_exchanged_stimuli_are_found(events):
    first, second = place(events, PushArrived, 1), place(events, PushArrived, 4)
    order = list(events)
    order[first], order[second] = order[second], order[first]
    assert not replayed(order).is_same


def test_what_the_gate_refuses_is_a_difference(events):
    where = place(events, PushArrived)
    report = replayed([*events[:where], replace(events[where], worker=9), *events[where:]])
    assert report.seq == where + 1
    assert "the gate refuses PushArrived" in report.difference
    assert "worker 9, which is not a member" in report.difference


def test_another_policy_is_found(events):
    assert not replayed(events, RunSpec(policy=SspParams())).is_same


def test_a_log_may_break_off_where_its_writer_died(events):
    where = place(events, AggregateApplied) + 1  # the releases behind it are missing
    assert isinstance(events[where], WorkerReleased)
    torn = events[:where]
    assert replayed(torn).is_same
    assert replayed([*torn, RunFinished(99.0, "failed", "the coordinator died")]).is_same
    report = replayed([*torn, RunFinished(99.0, "completed", "done")])
    assert (report.is_same, report.seq) == (False, where + 1)
    assert report.difference.startswith("the log ends, but after seq")


def test_a_replay_goes_on_over_a_resume(events):
    where = place(events, AggregateApplied) + 1
    gate = Gate(SPEC.policy, SPEC.forecaster)  # as in the run: the resumed one has a gate of its own
    resumed = [RunStarted(50.0, 2e9, "r", True, {})]
    for stimulus in (
        RunResumed(50.0, 7, 3, {"0": 4, "1": 3, "2": 2}),
        WorkerJoined(50.1, 0, 1, 4),
        WorkerJoined(50.1, 1, 1, 3),
        WorkerJoined(50.1, 2, 1, 2),
        PushArrived(51.0, 0, 5, 1, 0.9, 51.0, 3, False),
        PushArrived(51.5, 1, 4, 1, 0.9, 51.5, 3, False),
        Retuned(51.6, {"alpha": 0.25}),
        PushArrived(52.5, 2, 3, 1, 2.0, 52.5, 3, False),
    ):
        resumed += [stimulus, *gate.handle(stimulus)]
    log = [*events[:where], *resumed]
    assert replayed(log).is_same
    last = len(log) - 1 - [isinstance(event, WorkerReleased) for event in reversed(log)].index(True)
    assert log[last].directive.alpha == 0.25
    report = replayed([*log[:last], replace(log[last], version=3), *log[last + 1 :]])
    assert report.seq == last + 1


def test_a_log_without_stimuli_says_so_by_its_numbers():
    report = replayed([RunStarted(0.0, 0.0, "r", True, {})], RunSpec(forecaster=EwmaParams()))
    assert (report.num_stimuli, report.num_instructions, report.is_same) == (0, 0, True)
