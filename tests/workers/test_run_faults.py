"""Processes that die or freeze in mid-run: a clear event, an end, and nobody left."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest

from predictor.events import (
    EvaluationFinished,
    IterationFinished,
    MessageLogged,
    NodeStarted,
    ProcessExited,
    RunFinished,
    WorkerLeft,
)
from predictor.policies import POLICIES
from tests.workers.live import LiveRun, wait_until


def exit_of(run: LiveRun, node: str) -> ProcessExited:
    return next(event for event in run.of(ProcessExited) if event.node == node)


def has_begun(run: LiveRun, life: int) -> bool:
    return len([event for event in run.of(NodeStarted) if event.node == "evaluator"]) == life


@pytest.mark.parametrize("policy", POLICIES)
def test_a_killed_worker_is_told_to_the_gate_and_the_others_go_on(new_run: Callable[..., LiveRun], policy: str) -> None:
    run = new_run(policy={"name": policy}, stop={"iterations": 30}).start()
    run.wait_for_training()
    os.kill(run.pid("worker-2"), signal.SIGKILL)
    closing = run.finish()
    assert (closing.outcome, closing.reason) == (
        "completed",
        "2 of 3 workers did all their iterations, the others died",
    )
    died = exit_of(run, "worker-2")
    assert (died.exit_code, died.is_expected, died.detail) == (-9, False, "worker-2 was killed by SIGKILL")
    assert next((left.worker, left.reason) for left in run.of(WorkerLeft)) == (2, "died")
    assert {event.worker for event in run.of(IterationFinished) if event.iteration == 30} == {0, 1}
    assert any("worker 2 died" in event.text for event in run.of(MessageLogged))


def test_a_run_can_be_asked_to_stop_when_a_worker_dies(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(cluster={"num_workers": 3, "on_worker_loss": "stop"}, stop={"iterations": 500}).start()
    run.wait_for_training()
    os.kill(run.pid("worker-0"), signal.SIGTERM)
    closing = run.finish()
    assert closing.outcome == "failed"
    assert "worker 0 died (worker-0 was killed by SIGTERM)" in closing.reason
    assert run.of(EvaluationFinished)[-1].is_final


def test_a_run_whose_workers_all_die_fails_and_keeps_its_weights(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    for worker in range(3):
        os.kill(run.pid(f"worker-{worker}"), signal.SIGKILL)
    closing = run.finish()
    assert closing.outcome == "failed"
    assert closing.reason.startswith("all workers died; the last one: worker-")
    assert (run.path / "checkpoints" / "checkpoint.npz").exists()


def test_a_worker_that_dies_before_it_says_hello_does_not_hold_the_others_up(new_run: Callable[..., LiveRun]) -> None:
    run = new_run().start()
    os.kill(run.wait_for(NodeStarted, lambda event: event.node == "worker-1").pid, signal.SIGKILL)
    assert run.finish().outcome == "completed"
    assert {event.worker for event in run.of(IterationFinished) if event.iteration == 12} == {0, 2}


def test_the_death_of_the_server_ends_the_run(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    os.kill(run.pid("server"), signal.SIGKILL)
    closing = run.finish()
    assert closing == RunFinished(closing.at_s, "failed", "the parameter server died: server was killed by SIGKILL")


def test_a_killed_evaluator_is_started_again(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 40}).start()
    run.wait_for(EvaluationFinished)
    os.kill(run.pid("evaluator"), signal.SIGKILL)
    assert run.finish().outcome == "completed"
    assert len([event for event in run.of(NodeStarted) if event.node == "evaluator"]) == 2
    assert not exit_of(run, "evaluator").is_expected
    assert run.of(EvaluationFinished)[-1].is_final


def test_an_evaluator_that_dies_again_and_again_ends_the_run(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 2000}).start()
    for life in range(1, 5):
        wait_until(partial(has_begun, run, life))
        os.kill(run.pid("evaluator"), signal.SIGKILL)
    closing = run.finish()
    assert closing.outcome == "failed"
    assert closing.reason.startswith("the evaluator died 4 times")


def test_a_killed_coordinator_takes_all_processes_with_it(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    nodes = [run.pid(node) for node in ("server", "evaluator", "worker-0", "worker-1", "worker-2")]
    os.kill(run.pid("worker-1"), signal.SIGSTOP)  # not even one that cannot react may be left
    os.kill(run.coordinator, signal.SIGKILL)
    wait_until(lambda: not run.living())
    assert len(set(nodes)) == 5
    run.check()
    assert not run.is_locked()  # whoever takes the lock now may close the log


def test_a_frozen_worker_is_waited_for_and_not_longer_than_the_run(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    os.kill(run.pid("worker-0"), signal.SIGSTOP)
    run.command(command="stop", reason="enough")
    closing = run.finish()
    assert (closing.outcome, closing.reason) == ("stopped", "enough")
    assert exit_of(run, "worker-0").detail.endswith("it did not leave within 5 s")


def test_a_frozen_server_is_not_waited_for(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    os.kill(run.pid("server"), signal.SIGSTOP)
    run.command(command="stop", reason="enough")
    closing = run.finish()
    assert closing.outcome == "failed"
    assert closing.reason == (
        "enough; then the parameter server, which is suspended by a signal, did not stop within 8 s: "
        "what was learnt since the last checkpoint is lost"
    )
    assert exit_of(run, "server").detail.endswith("it did not leave within 8 s")


def test_a_worker_that_was_frozen_for_a_while_goes_on(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 40}).start()
    run.wait_for_training()
    frozen = run.pid("worker-0")
    os.kill(frozen, signal.SIGSTOP)
    done = max(event.iteration for event in run.of(IterationFinished) if event.worker == 1)
    wait_until(lambda: run.has_ended() or len(run.of(IterationFinished)) >= 3 * done)
    os.kill(frozen, signal.SIGCONT)
    assert run.finish().reason == "all workers did 40 iterations"
