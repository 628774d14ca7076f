"""How a run is ended and changed from outside: stop, signals, conditions, retune."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from predictor.events import (
    CheckpointWritten,
    DirectiveChanged,
    EvaluationFinished,
    ForecastUpdated,
    IterationFinished,
    MessageLogged,
    ProcessExited,
    PushArrived,
    Retuned,
    TargetReached,
    WorkerHeld,
    WorkerLeft,
    WorkerReleased,
)
from predictor.policies import POLICIES
from tests.workers.live import LiveRun


@pytest.mark.parametrize("policy", POLICIES)
def test_stop_ends_a_run_with_a_checkpoint_and_a_final_evaluation(new_run: Callable[..., LiveRun], policy: str) -> None:
    run = new_run(policy={"name": policy}, stop={"iterations": 5000}).start()
    run.wait_for_training()
    run.command(command="stop", reason="seen enough")
    closing = run.finish()
    assert (closing.outcome, closing.reason) == ("stopped", "seen enough")
    assert sorted((left.worker, left.reason) for left in run.of(WorkerLeft)) == [(i, "stopped") for i in range(3)]
    assert all(event.is_expected for event in run.of(ProcessExited))
    assert run.of(CheckpointWritten)[-1].version == run.of(EvaluationFinished)[-1].version
    assert run.of(EvaluationFinished)[-1].is_final


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_like_the_command(new_run: Callable[..., LiveRun], number: signal.Signals) -> None:
    run = new_run(stop={"iterations": 5000}).start()
    run.wait_for_training()
    os.kill(run.coordinator, number)
    closing = run.finish()
    assert (closing.outcome, closing.reason) == ("stopped", "stopped by a signal")
    assert run.of(CheckpointWritten)


def test_a_second_signal_does_not_wait(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 5000}).start()
    run.wait_for_training()
    os.kill(run.pid("server"), signal.SIGSTOP)
    os.kill(run.coordinator, signal.SIGTERM)
    run.wait_for(ProcessExited)  # of a worker: the run drains
    os.kill(run.coordinator, signal.SIGTERM)
    closing = run.finish()
    assert closing.outcome == "stopped"
    assert closing.reason == "stopped by a signal; ended at once by a second one, without a last checkpoint"


def test_a_stop_that_is_there_before_the_start_counts(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 5000})
    run.command(command="stop", reason="changed my mind")
    closing = run.start().finish()
    assert (closing.outcome, closing.reason) == ("stopped", "changed my mind")


def test_time_ends_a_run(new_run: Callable[..., LiveRun]) -> None:
    closing = new_run(stop={"seconds": 1.0}).start().finish()
    assert (closing.outcome, closing.reason) == ("completed", "1 s have passed")
    assert closing.at_s >= 1.0


def test_a_target_ends_a_run_and_counts_from_its_snapshot(new_run: Callable[..., LiveRun]) -> None:
    target = {"metric": "test_accuracy", "value": 0.5}
    run = new_run(stop={"iterations": 5000, "target": target}, policy={"name": "asp"}).start()
    closing = run.finish()
    reached = run.of(TargetReached)
    assert closing.outcome == "completed"
    assert closing.reason.startswith("test_accuracy 0.")
    first = next(event for event in run.of(EvaluationFinished) if event.accuracy >= 0.5)
    assert [(event.at_s, event.value) for event in reached] == [(first.snapshot_at_s, first.accuracy)]


def test_a_retuned_policy_decides_by_its_new_parameters(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(
        policy={"name": "ssp", "threshold": 1},
        speed={"kind": "lognormal", "base_s": 0.02, "factors": [1, 1, 8]},
        stop={"iterations": 5000},
    ).start()
    run.wait_for(WorkerHeld, lambda held: "threshold 1" in held.reason)
    run.command(command="retune", params={"threshold": 6})
    run.wait_for(WorkerReleased, lambda released: "leads by 6, threshold 6" in released.reason)
    run.command(command="stop")
    assert run.finish().reason == "stopped by the user"
    assert [event.params for event in run.of(Retuned)] == [{"threshold": 6}]


def test_a_retuned_policy_reaches_workers_that_train(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "predictive"}, stop={"iterations": 5000}).start()
    run.wait_for_training()
    run.command(command="retune", params={"alpha": 0.25})
    run.wait_for(DirectiveChanged, lambda changed: changed.directive.alpha == 0.25)
    run.command(command="retune", params={"max_local_iterations": 0})  # from training on to waiting, and back
    blocking = run.wait_for(PushArrived, lambda push: push.is_blocking)
    run.command(command="retune", params={"max_local_iterations": 4})
    run.wait_for(IterationFinished, lambda step: step.overlapped_s > 0 and step.at_s > blocking.at_s + 0.1)
    run.command(command="stop")
    assert run.finish().outcome == "stopped"


def test_a_retuned_forecaster_is_asked_from_then_on(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "predictive"}, stop={"iterations": 5000}).start()
    run.wait_for_training()
    run.command(command="retune", params={}, forecaster={"name": "median", "window": 3})
    retuned = run.wait_for(Retuned)
    assert (retuned.params, retuned.forecaster) == ({}, {"name": "median", "window": 3})
    run.wait_for(ForecastUpdated, lambda forecast: forecast.at_s > retuned.at_s)
    run.command(command="stop")
    assert run.finish().outcome == "stopped"


IMPOSSIBLE = {
    '{"command": "retune", "params": {}, "forecaster": {"window": 3}}': "forecaster is not used by the policy ssp",
    '{"command": "retune", "params": {"threshold": -1}}': "not retuned: policy.threshold must be >= 0, got -1",
    '{"command": "retune", "params": {"treshold": 1}}': "not retuned: policy.treshold is not a known key, got 1",
    '{"command": "retune", "params": {"name": "asp"}}': "must stay ssp: a run that trains cannot change its policy",
    '{"command": "dance"}': 'control.jsonl asks for what is not known: {"command": "dance"}',
    '"no object"': 'control.jsonl asks for what is not known: {"unreadable": "\\"no object\\""}',
    "{": 'control.jsonl asks for what is not known: {"unreadable": "{"}',
}


def test_what_cannot_be_done_is_said_and_the_run_goes_on(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "ssp"})
    (run.path / "control.jsonl").write_text("".join(f"{line}\n" for line in IMPOSSIBLE))
    assert run.start().finish().outcome == "completed"
    said = [event.text for event in run.of(MessageLogged) if event.level == "error"]
    assert len(said) == len(IMPOSSIBLE)
    for text, sentence in zip(said, IMPOSSIBLE.values(), strict=True):
        assert sentence in text
    assert not run.of(Retuned)
