"""A run that goes on from its checkpoint: one log, one clock, the same data order; and what cannot be resumed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from itertools import pairwise

import pytest

from predictor.events import (
    AggregateApplied,
    CheckpointWritten,
    IterationFinished,
    NodeStarted,
    PushArrived,
    Retuned,
    RunFinished,
    RunResumed,
    RunStarted,
    WorkerJoined,
)
from predictor.policies import POLICIES
from tests.workers.live import LiveRun, wait_until
from workers.coordinator import process
from workers.server import checkpoint


@pytest.mark.parametrize("policy", POLICIES)
def test_a_stopped_run_goes_on_where_it_stopped(new_run: Callable[..., LiveRun], policy: str) -> None:
    run = new_run(policy={"name": policy}, stop={"iterations": 20}).start()
    run.wait_for_training(6)
    run.command(command="stop")
    assert run.finish().outcome == "stopped"
    stopped_at_s = run.events()[-1].at_s
    num_before = len(run.events())

    closing = run.start(is_resume=True).finish()
    assert (closing.outcome, closing.reason) == ("completed", "all workers did 20 iterations")
    life = run.numbered_events()[num_before:]
    assert isinstance(life[0][1], RunStarted)
    assert min(event.at_s for _, event in life) >= stopped_at_s
    [resumed] = [event for _, event in life if isinstance(event, RunResumed)]
    written = dict(run.numbered_events())[resumed.checkpoint_seq]
    assert isinstance(written, CheckpointWritten)
    assert (resumed.version, resumed.clocks) == (written.version, written.clocks)
    joined = [event for _, event in life if isinstance(event, WorkerJoined)]
    left = {worker: clock for worker, clock in resumed.clocks.items() if clock < 20}  # a late stop finds some done
    assert [(event.worker, event.incarnation) for event in joined] == [(int(worker), 1) for worker in left]
    assert {str(event.worker): event.iteration for event in joined} == left
    versions = [event.version for _, event in life if isinstance(event, AggregateApplied)]
    assert versions[0] == resumed.version + 1
    assert all(later == earlier + 1 for earlier, later in pairwise(versions))
    for worker, clock in resumed.clocks.items():
        steps = [e.iteration for _, e in life if isinstance(e, IterationFinished) and e.worker == int(worker)]
        assert steps == list(range(clock + 1, 21))
    assert {event.incarnation for _, event in life if isinstance(event, NodeStarted)} == {1}


def test_a_resumed_bsp_run_learns_what_an_unbroken_one_does(new_run: Callable[..., LiveRun]) -> None:
    unbroken = new_run(stop={"iterations": 20}).start()
    unbroken.finish()
    broken = new_run(stop={"iterations": 20}).start()
    broken.wait_for(AggregateApplied, lambda applied: applied.version == 8)
    os.kill(broken.coordinator, signal.SIGTERM)
    broken.finish()
    [*_, half_round] = broken.of(AggregateApplied)
    broken.start(is_resume=True).finish()
    for run in (unbroken, broken):
        assert run.of(CheckpointWritten)[-1].clocks == {"0": 20, "1": 20, "2": 20}
    first, _ = checkpoint.load(unbroken.path / "checkpoints" / "checkpoint.npz")
    second, _ = checkpoint.load(broken.path / "checkpoints" / "checkpoint.npz")
    # The round in which the stop came was applied without those who had not pushed yet; all else is the same SGD.
    assert len(half_round.contributions) <= 3
    assert float((first - second).norm() / first.norm()) < 0.1


def test_a_run_whose_coordinator_was_killed_goes_on_from_its_last_checkpoint(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 60}, checkpoint_every_s=0.2).start()
    kept = run.wait_for(CheckpointWritten, lambda written: written.version > 0)
    run.wait_for_training(max(kept.clocks.values()) + 3)
    os.kill(run.coordinator, signal.SIGKILL)
    wait_until(lambda: not run.living())
    log = run.path / "events.jsonl"
    whole = log.read_bytes()
    whole = whole[: whole.rindex(b"\n") + 1]
    log.write_bytes(whole + b'{"seq":9999,"kind":"Iterat')  # the line that it was writing
    run.forget()

    assert run.start(is_resume=True).finish().outcome == "completed"
    assert log.read_bytes().startswith(whole)
    [resumed] = run.of(RunResumed)
    assert resumed.version >= kept.version
    assert any(written.version == resumed.version for written in run.of(CheckpointWritten))


def test_a_checkpoint_whose_event_was_lost_gets_one(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 30}).start()
    run.wait_for_training(5)
    run.command(command="stop")
    run.finish()
    log = run.path / "events.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if b'"kind":"CheckpointWritten"' in line)
    log.write_bytes(b"".join(lines[:place]))  # as if the coordinator had died just then
    run.forget()

    assert run.start(is_resume=True).finish().outcome == "completed"
    [resumed] = run.of(RunResumed)
    written = dict(run.numbered_events())[resumed.checkpoint_seq]
    assert isinstance(written, CheckpointWritten)
    assert (written.version, written.clocks) == (resumed.version, resumed.clocks)
    assert isinstance(run.events()[resumed.checkpoint_seq - 2], RunStarted)


def test_retuned_parameters_survive_a_resume(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "ssp", "threshold": 1}, stop={"iterations": 30}).start()
    run.command(command="retune", params={"threshold": 5})
    run.wait_for(Retuned)
    run.wait_for_training()
    run.command(command="stop")
    run.finish()
    run.start(is_resume=True).finish()
    assert [event.params for event in run.of(Retuned)] == [{"threshold": 5}, {"threshold": 5}]


def test_workers_that_had_finished_are_not_started_again(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "asp"}, speed={"kind": "lognormal", "base_s": 0.01, "factors": [1, 1, 20]}).start()
    run.wait_for(PushArrived, lambda push: (push.worker, push.iteration) == (0, 12))
    run.wait_for(PushArrived, lambda push: (push.worker, push.iteration) == (1, 12))
    run.command(command="stop")
    run.finish()
    assert run.start(is_resume=True).finish().outcome == "completed"
    assert {event.worker for event in run.of(WorkerJoined) if event.incarnation == 1} == {2}


def test_what_cannot_be_resumed_is_refused_with_a_sentence(
    new_run: Callable[..., LiveRun], capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_run(stop={"iterations": 3}).start()
    run.finish()
    before = (run.path / "events.jsonl").read_bytes()
    assert process.main(run.path, is_resume=True) == 2
    assert "is completed (all workers did 3 iterations): there is nothing to resume" in capsys.readouterr().err
    assert process.main(run.path, is_resume=False) == 2
    assert "has a log already: resume it, or start another run" in capsys.readouterr().err
    fresh = new_run()
    assert process.main(fresh.path, is_resume=True) == 2
    assert "there is no checkpoint at" in capsys.readouterr().err
    assert (run.path / "events.jsonl").read_bytes() == before


def test_a_checkpoint_of_another_task_is_refused(
    new_run: Callable[..., LiveRun], capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_run(stop={"iterations": 500}).start()
    run.wait_for_training()
    run.command(command="stop")
    run.finish()
    spec = json.loads((run.path / "spec.json").read_text())
    spec["task"]["model"] = "lenet5"
    (run.path / "spec.json").write_text(json.dumps(spec))
    assert process.main(run.path, is_resume=True) == 2
    sentence = "the checkpoint is of mlp on digits, the spec asks for lenet5 on digits: the run cannot be resumed"
    assert sentence in capsys.readouterr().err
    closing = run.events()[-1]
    assert isinstance(closing, RunFinished)
    assert (closing.outcome, closing.reason) == ("failed", sentence)
