"""Runs in virtual time: real gradients, the log of a live run, the times of the plain simulator, and repeatable."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from predictor.events import (
    AggregateApplied,
    Directive,
    EvaluationFinished,
    Event,
    IterationFinished,
    MessageLogged,
    NodeStarted,
    Observation,
    PushArrived,
    RunFinished,
    RunStarted,
    TargetReached,
    WorkerLeft,
)
from predictor.log import decode, encode
from predictor.policies import POLICIES
from predictor.replay import replay
from predictor.simulator import Scenario, SimulationResult, simulate
from predictor.spec import RunSpec, to_data
from tests.predictor import checks
from tests.workers.live import LiveRun, spec_of
from workers.batches import Batches
from workers.clock import RunClock
from workers.coordinator import process
from workers.datasets import load
from workers.job import Job
from workers.launchers.virtual import scenario_of_job
from workers.launchers.virtual_trainer import VirtualTrainer
from workers.partition import shards

NUM_WORKERS, NUM_ITERATIONS = 3, 60
NUM_TEST = 397


def virtual(**changes: Any) -> RunSpec:
    """Give the spec of three workers, one twice as slow, in virtual time."""
    cluster = {"num_workers": NUM_WORKERS, "launcher": "virtual"} | changes.pop("cluster", {})
    data = {
        "task": {"learning_rate": 0.3},
        "speed": {"kind": "lognormal", "base_s": 1.0, "factors": [1, 1, 2], "cv": 0.1},
        "transfer": {"transfer_s": 0.4, "cv": 0.3},
        "stop": {"iterations": NUM_ITERATIONS, "seconds": None},
        "evaluate_every_s": 5.0,
    }
    return spec_of(**(data | changes), cluster=cluster)


def job_of(spec: RunSpec) -> Job:
    dataset, num_workers = load(spec.task), spec.cluster.num_workers
    return Job(
        spec=spec,
        dataset=dataset,
        shards=shards(
            dataset.train.labels, num_workers, spec.task.partition, spec.seed, min_samples=spec.task.batch_size
        ),
        speeds=[spec.speed.build(worker, num_workers, spec.seed, str) for worker in range(num_workers)],
        clock=RunClock(),
        checkpoint=Path("none"),
        incarnation=0,
        resumed=None,
        retuned={},
    )


def run(folder: Path, spec: RunSpec, expected_code: int = 0) -> list[tuple[int, Event]]:
    """Carry out a run as `python -m workers run` does, and give the numbered events of its log."""
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(to_data(spec)))
    assert process.main(folder, is_resume=False) == expected_code
    return [decode(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def of(kind: type[Event], events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def plain(spec: RunSpec) -> tuple[list[Event], Scenario, SimulationResult]:
    """Simulate the times of a run without gradients."""
    scenario = scenario_of_job(job_of(spec), 0)
    events: list[Event] = []
    return events, scenario, simulate(scenario, events.append)


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_trains_and_its_log_holds(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = virtual(policy={"name": policy})
    numbered = run(tmp_path / "run", spec)
    events = [event for _, event in numbered]
    assert [seq for seq, _ in numbered] == list(range(1, len(numbered) + 1))

    started = events[0]
    assert isinstance(started, RunStarted)
    assert (started.run_id, started.is_simulated) == ("run", True)
    assert events[-1] == RunFinished(events[-1].at_s, "completed", f"all workers did {NUM_ITERATIONS} iterations"), (
        "the closing event, in the words of a live run"
    )
    assert [event.pid for event in of(NodeStarted, events)] == [os.getpid()], "the one process, and it is named once"

    first, *_, final = of(EvaluationFinished, events)
    assert [event.is_final for event in of(EvaluationFinished, events)].count(True) == 1
    assert (first.version, final.is_final, final.num_samples) == (0, True, NUM_TEST)
    assert final.loss < 0.8 * first.loss
    assert final.accuracy > 0.5

    report = replay(numbered, spec)
    assert report.is_same, report.difference

    # The checks of plain simulations hold of this log.
    _, scenario, result = plain(spec)
    monkeypatch.setattr(checks, "record", lambda _: (events, result))
    checks.check_no_deadlock(scenario)
    checks.check_the_log_is_in_order(scenario)
    checks.check_every_push_counts_once(scenario)


@pytest.mark.parametrize("policy", POLICIES)
def test_gradients_do_not_change_the_times(policy: str, tmp_path: Path) -> None:
    spec = virtual(policy={"name": policy}, stop={"iterations": 20, "seconds": None})
    events = [event for _, event in run(tmp_path / "run", spec)]
    expected, _, _ = plain(spec)
    assert [event for event in events if not isinstance(event, Observation)] == [
        event for event in expected if not isinstance(event, Observation)
    ]
    steps = [dataclasses.replace(step, loss=0.0, epoch=0) for step in of(IterationFinished, events)]
    assert steps == of(IterationFinished, expected)


def test_the_same_spec_gives_the_same_log(tmp_path: Path) -> None:
    spec = virtual(policy={"name": "predictive"}, task={"learning_rate": 0.3, "partition": {"dirichlet": 0.3}})
    first, second = [
        [encode(without_the_day(event)) for _, event in run(tmp_path / place / "run", spec)] for place in ("a", "b")
    ]
    assert first == second
    other = run(tmp_path / "c" / "run", dataclasses.replace(spec, seed=spec.seed + 1))
    assert first != [encode(without_the_day(event)) for _, event in other]


@pytest.mark.parametrize("name", ["asp", "foresync", "overlap_local_sgd"])
def test_a_worker_that_comes_back_takes_the_newest_weights_and_loses_its_own_steps(name: str) -> None:
    churn = [{"worker": 1, "leaves_at_s": 7.3, "joins_at_s": 12.0}, {"worker": 2, "joins_at_s": 5.0}]
    spec = virtual(
        policy={"name": name},
        task={"optimizer": "adam", "learning_rate": 0.01},
        cluster={"churn": churn},
        transfer={"transfer_s": 0.4, "cv": 0.3, "server_message_s": 0.1},
    )
    job, fresh, first_ones = job_of(spec), {0, 1, 2}, []

    class Watched(VirtualTrainer):
        def restart(self, worker: int, clock: int) -> None:
            super().restart(worker, clock)
            fresh.add(worker)

        def land(self, worker: int, acknowledged: int, directive: Directive) -> None:
            me = self._workers[worker]
            taken = torch.cat([piece.clone() for piece in me.coming[0]])
            super().land(worker, acknowledged, directive)
            if worker in fresh:
                fresh.remove(worker)
                first_ones.append((worker, bool(torch.equal(me.own._weights, taken))))

    trainer = Watched(job, lambda: None)
    events: list[Event] = []
    simulate(scenario_of_job(job, trainer.num_bytes), events.append, trainer=trainer)
    assert sorted(first_ones) == [(0, True), (1, True), (1, True), (2, True)]
    applied = {(one.worker, one.iteration) for event in of(AggregateApplied, events) for one in event.contributions}
    arrived = {(push.worker, push.iteration) for push in of(PushArrived, events)}
    assert applied <= arrived
    assert trainer._weights._pending.keys() <= arrived - applied, "what never arrived is forgotten"


def without_the_day(event: Event) -> Event:
    """Give an event without wall time and process id."""
    if isinstance(event, RunStarted):
        return dataclasses.replace(event, wall_time_s=0.0)
    return dataclasses.replace(event, pid=0) if isinstance(event, NodeStarted) else event


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_bsp_is_sgd_with_larger_batches(momentum: float) -> None:
    """With momentum too: the mean of the workers' velocities is the velocity of the mean gradient."""
    optimizer = {"momentum": momentum} if momentum else "sgd"
    task_given = {"learning_rate": 0.3 * (1 - momentum), "optimizer": optimizer}
    spec = virtual(policy={"name": "bsp"}, task=task_given, stop={"iterations": 25, "seconds": None})
    job = job_of(spec)
    trainer = VirtualTrainer(job, lambda: None)
    simulate(scenario_of_job(job, trainer.num_bytes), trainer=trainer)

    model = job.build_model()
    task, train = spec.task, job.dataset.train
    batches = [Batches(train, job.shards[worker], task.batch_size, spec.seed, worker) for worker in range(NUM_WORKERS)]
    first = model.weights.clone()
    velocity = torch.zeros_like(first)
    for iteration in range(25):
        images, labels = (
            torch.cat(parts) for parts in zip(*(one.batch(iteration)[:2] for one in batches), strict=True)
        )
        model.gradient.zero_()
        functional.cross_entropy(model.model(images), labels).backward()  # type: ignore[no-untyped-call]
        velocity.mul_(momentum).add_(model.gradient)
        model.weights.sub_(velocity, alpha=task.learning_rate)
    assert float((model.weights - first).norm()) > 0.5, "it learns something"
    torch.testing.assert_close(trainer.weights, model.weights, atol=1e-5, rtol=1e-4)


def test_a_live_run_of_bsp_learns_the_same(new_run: Callable[..., LiveRun], tmp_path: Path) -> None:
    live = new_run(policy={"name": "bsp"}).start()
    live.finish()
    spec = dataclasses.replace(live.spec, cluster=dataclasses.replace(live.spec.cluster, launcher="virtual"))
    events = [event for _, event in run(tmp_path / "virtual", spec)]
    measured, simulated = live.of(EvaluationFinished)[-1], of(EvaluationFinished, events)[-1]
    assert (simulated.version, simulated.is_final) == (measured.version, measured.is_final)
    assert simulated.loss == pytest.approx(measured.loss, rel=1e-4)  # updates are added up in another order
    for worker in range(3):
        losses = [[s.loss for s in log if s.worker == worker] for log in steps(live.events(), events)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def steps(*logs: list[Event]) -> list[list[IterationFinished]]:
    return [of(IterationFinished, log) for log in logs]


def test_a_target_ends_a_run_that_nothing_else_ends(tmp_path: Path) -> None:
    target = {"metric": "test_accuracy", "value": 0.6}
    spec = virtual(policy={"name": "asp"}, stop={"seconds": None, "target": target}, evaluate_every_s=1.0)
    events = [event for _, event in run(tmp_path / "run", spec)]
    [reached] = of(TargetReached, events)
    first = next(event for event in of(EvaluationFinished, events) if event.accuracy >= 0.6)
    assert (reached.at_s, reached.value) == (first.snapshot_at_s, first.accuracy)
    closing = events[-1]
    assert isinstance(closing, RunFinished)
    assert (closing.at_s, closing.outcome) == (reached.at_s, "completed")
    assert closing.reason.endswith(f"reached the target 0.6 at {reached.at_s:.2f} s")
    assert {event.reason for event in of(WorkerLeft, events)} == {"stopped"}


def test_virtual_seconds_end_a_run(tmp_path: Path) -> None:
    events = [event for _, event in run(tmp_path / "run", virtual(stop={"seconds": 7.5}))]
    assert events[-1] == RunFinished(7.5, "completed", "7.5 s have passed")
    assert [event.at_s for event in of(EvaluationFinished, events)] == [0.0, 5.0, 7.5]


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda run: os.kill(run.coordinator, signal.SIGTERM), "stopped by a signal"),
        (lambda run: run.command(command="stop", reason="enough"), "enough"),
    ],
)
def test_a_stop_ends_it_with_the_closing_event(
    new_run: Callable[..., LiveRun], ask: Callable[[LiveRun], None], reason: str
) -> None:
    live = new_run(virtual(policy={"name": "predictive"}, stop={"iterations": 10**6, "seconds": None})).start()
    live.wait_for_training()  # the log is written as it happens
    ask(live)
    closing = live.finish()  # which replays the log
    assert (closing.outcome, closing.reason) == ("stopped", reason)
    assert live.of(EvaluationFinished)[-1].is_final
    assert "of virtual time took" in live.log()


def test_a_stop_that_is_there_before_the_start_counts(new_run: Callable[..., LiveRun]) -> None:
    live = new_run(virtual(stop={"iterations": 10**6, "seconds": None}))
    live.command(command="stop")
    assert live.start().finish().reason == "stopped by the user"


def test_it_cannot_be_retuned_and_says_so(new_run: Callable[..., LiveRun]) -> None:
    live = new_run(virtual(policy={"name": "ssp"}, stop={"iterations": 10**6, "seconds": None})).start()
    live.command(command="retune", params={"threshold": 1})
    live.command(command="stop")
    live.finish()
    assert [event.text for event in live.of(MessageLogged)] == [
        "a run in virtual time knows no command but stop, got 'retune'"
    ]


def test_it_cannot_be_resumed_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbered = run(tmp_path / "run", virtual(stop={"iterations": 2, "seconds": None}))
    capsys.readouterr()
    assert process.main(tmp_path / "run", is_resume=True) == 2
    assert capsys.readouterr().err == "run run is simulated and keeps no checkpoint: start it again instead\n"
    assert len((tmp_path / "run" / "events.jsonl").read_bytes().splitlines()) == len(numbered)


@pytest.mark.parametrize("launcher", ["virtual", "processes"])
def test_what_cannot_be_used_is_refused_under_its_right_name(launcher: str, tmp_path: Path) -> None:
    cluster = {"launcher": launcher}
    spec = virtual(task={"dataset": "nothing"}, cluster=cluster)
    (_, started), (_, closing) = run(tmp_path / "run", spec, expected_code=2)
    assert isinstance(started, RunStarted)
    assert started.is_simulated == (launcher == "virtual")
    assert isinstance(closing, RunFinished)
    assert (closing.outcome, "'nothing'" in closing.reason) == ("failed", True)


def test_weights_that_diverge_do_not_break_it(tmp_path: Path) -> None:
    spec = virtual(policy={"name": "asp"}, task={"learning_rate": 100.0}, stop={"iterations": 15, "seconds": None})
    closing = run(tmp_path / "run", spec)[-1][1]
    assert isinstance(closing, RunFinished)
    assert closing.outcome == "completed"
