"""Every policy in a short real run: the log tells the whole story, and the gate can be replayed from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from predictor.events import (
    AggregateApplied,
    CheckpointWritten,
    EvaluationFinished,
    ExchangeFinished,
    IterationFinished,
    IterationReported,
    NodeSampled,
    NodeStarted,
    ProcessExited,
    PushArrived,
    PushDiscarded,
    RunStarted,
    WorkerHeld,
    WorkerLeft,
    WorkerReleased,
)
from predictor.policies import POLICIES
from tests.workers.live import LiveRun, times_of

NODES = {"server", "evaluator", "worker-0", "worker-1", "worker-2"}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("transfer_s", [0.0, 0.05])
def test_a_run_tells_its_whole_story(new_run: Callable[..., LiveRun], policy: str, transfer_s: float) -> None:
    run = new_run(policy={"name": policy}, transfer={"transfer_s": transfer_s}).start()
    closing = run.finish()
    assert (closing.outcome, closing.reason) == ("completed", "all workers did 12 iterations")

    started = run.events()[0]
    assert isinstance(started, RunStarted)
    assert (started.run_id, started.is_simulated) == (run.path.name, False)
    assert {event.node for event in run.of(NodeStarted)} == NODES
    assert {event.node for event in run.of(NodeSampled)} == NODES
    assert {event.node for event in run.of(ProcessExited) if event.is_expected} == NODES

    # Each boundary reaches the gate exactly once; each step is in exactly one push, which is applied or discarded.
    boundaries = Counter((push.worker, push.iteration) for push in run.of(PushArrived))
    boundaries += Counter((report.worker, report.iteration) for report in run.of(IterationReported))
    assert boundaries == Counter((event.worker, event.iteration) for event in run.of(IterationFinished))
    assert boundaries == Counter((worker, iteration) for worker in range(3) for iteration in range(1, 13))
    for worker in range(3):
        assert sum(push.num_iterations for push in run.of(PushArrived) if push.worker == worker) == 12
    pushed = Counter((push.worker, push.iteration) for push in run.of(PushArrived))
    applied = Counter((one.worker, one.iteration) for event in run.of(AggregateApplied) for one in event.contributions)
    assert applied + Counter((one.worker, one.iteration) for one in run.of(PushDiscarded)) == pushed
    assert {event.reason for event in run.of(WorkerLeft)} == {"finished"}

    # The last word is about the final weights, and they are kept.
    version = run.of(AggregateApplied)[-1].version
    final = run.of(EvaluationFinished)[-1]
    assert (final.is_final, final.version, final.num_samples) == (True, version, 397)
    assert [event.is_final for event in run.of(EvaluationFinished)].count(True) == 1
    assert run.of(CheckpointWritten)[-1].version == version
    clocks = {str(worker): max((last for who, last in applied if who == worker), default=0) for worker in range(3)}
    assert run.of(CheckpointWritten)[-1].clocks == clocks

    # Compute, wait and transfer add up to the wall time of each worker.
    for worker in range(3):
        times = times_of(run.events(), worker)
        assert times["compute_s"] + times["wait_s"] + times["transfer_s"] == pytest.approx(times["wall_s"], rel=0.02)
        assert min(times.values()) >= 0
    for exchange in run.of(ExchangeFinished):
        assert exchange.sent_at_s <= exchange.arrived_at_s <= exchange.released_at_s <= exchange.at_s


def test_under_foresync_nobody_waits_though_one_worker_is_slow_and_the_network_too(
    new_run: Callable[..., LiveRun],
) -> None:
    run = new_run(
        policy={"name": "foresync", "wait": "never"},
        speed={"kind": "lognormal", "base_s": 0.02, "factors": [1, 1.2, 4], "cv": 0.2},
        transfer={"transfer_s": 0.06, "cv": 0.2},
        stop={"iterations": 40, "seconds": None},
    ).start()
    assert run.finish().outcome == "completed"  # and the gate was replayed
    assert not run.of(WorkerHeld)
    assert not any(push.is_blocking for push in run.of(PushArrived))
    assert not any(report.is_waiting for report in run.of(IterationReported))
    for worker in range(3):
        first, *others = [event for event in run.of(ExchangeFinished) if event.worker == worker]
        assert (first.iteration, first.blocked_from_s is None) == (0, False)
        assert others
        assert all(exchange.blocked_from_s is None for exchange in others)
    # A push does not wait for the answer to the one before: it leaves as soon as the uplink is free.
    in_flight = [step for step in run.of(IterationFinished) if step.overlapped_s > 0]
    assert {step.worker for step in in_flight} == {0, 1, 2}
    assert any(message.down_s > 0 for message in run.of(PushArrived))


def test_under_foresync_who_waits_is_answered_at_once(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(
        policy={"name": "foresync"},
        speed={"kind": "lognormal", "base_s": 0.05, "factors": [1, 1.2, 4], "cv": 0.3},
        transfer={"transfer_s": 0.01},
        stop={"iterations": 30, "seconds": None},
    ).start()
    assert run.finish().outcome == "completed"  # and the gate was replayed
    waiting = [(push.at_s, push.worker) for push in run.of(PushArrived) if push.is_blocking]
    assert {worker for _, worker in waiting} == {0, 1, 2}, "at least the first answer is waited for"
    assert set(waiting) <= {(released.at_s, released.worker) for released in run.of(WorkerReleased)}


def test_the_same_seed_gives_every_policy_the_same_data_and_the_same_first_weights(
    new_run: Callable[..., LiveRun],
) -> None:
    first_losses = []
    for policy, seed in (("bsp", 1), ("asp", 1), ("bsp", 2)):
        run = new_run(policy={"name": policy}, seed=seed, stop={"iterations": 1}).start()
        run.finish()
        first_losses.append({event.worker: event.loss for event in run.of(IterationFinished)})
    assert first_losses[0] == first_losses[1]
    assert first_losses[0] != first_losses[2]


def test_blocking_policies_are_deterministic_up_to_the_order_of_additions(new_run: Callable[..., LiveRun]) -> None:
    losses = []
    for _ in range(2):
        run = new_run().start()
        run.finish()
        losses.append([(e.worker, e.iteration, pytest.approx(e.loss, abs=1e-4)) for e in run.of(IterationFinished)])
    assert sorted(losses[0], key=lambda one: one[:2]) == sorted(losses[1], key=lambda one: one[:2])


def test_weights_that_do_not_answer_its_push_leave_no_worker_waiting_for_ever(new_run: Callable[..., LiveRun]) -> None:
    stalls = {"kind": "markov", "base_s": 0.02, "mean_fast_s": 0.3, "mean_slow_s": 0.2, "slow": 8}
    run = new_run(
        policy={"name": "predictive", "max_local_iterations": 0},
        speed=stalls,
        transfer={"transfer_s": 0.02},
        stop={"iterations": 40, "seconds": None},
    ).start()
    assert run.finish().outcome == "completed"
