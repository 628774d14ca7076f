"""A run's life from the queue to its end, over real processes, locks and files."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from backend.errors import Conflict, ExecutorError, NotFound
from backend.store.ids import new_id
from tests.backend.checks import read_all, wait_for
from tests.backend.desk import IMPATIENT, LONG, Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here depends on it


def test_a_run_from_queue_to_end(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("num=50")
    run = desk.wait(run_id, "completed", "failed")
    assert (run.state, run.reason, run.last_seq) == ("completed", "all events are written", 53)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.queue_position is None
    desk.check_log(run_id)
    assert json.loads((desk.path(run_id) / "spec.json").read_text()) == run.spec
    assert manager.read_log_tail(run_id) == "started\n"
    assert manager.health() == ()


def test_the_queue_starts_as_many_as_it_may_in_order(desk: Desk) -> None:
    manager = desk.serve(concurrency=2)
    made = desk.queue(LONG, LONG, "num=5", "num=5")
    wait_for(lambda: manager.queue().running == tuple(made[:2]), "two that train")
    assert manager.queue().waiting == tuple(made[2:])
    assert desk.run(made[3]).queue_position == 2
    desk.wait(made[0], "running")
    manager.stop(made[0])
    third, fourth = desk.wait(made[2], "completed"), desk.wait(made[3], "completed")
    assert third.finished_at is not None
    assert fourth.started_at is not None
    assert third.finished_at <= fourth.started_at
    manager.stop(made[1], "Enough.")
    assert desk.wait(made[1], "stopped").reason == "Enough."


def test_a_queued_run_is_stopped_at_once_and_can_be_started_later(desk: Desk) -> None:
    manager = desk.serve()
    first, second = desk.queue(LONG, "num=5")
    desk.wait(first, "running")
    manager.stop(second, "Not now.")
    assert (desk.run(second).state, desk.run(second).reason) == ("stopped", "Not now.")
    assert not desk.path(second).exists()
    with pytest.raises(Conflict, match="cannot be stopped: it has already stopped"):
        manager.stop(second)
    manager.resume(second)
    assert desk.run(second).state == "queued"
    manager.stop(first)
    assert desk.wait(second, "completed", "failed").reason == "all events are written"


def test_stop_and_resume_go_on_in_one_log(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue(LONG)
    desk.wait_until_it_trains(run_id)
    manager.stop(run_id, "Lunch.")
    manager.stop(run_id, "Twice does no harm.")
    stopped = desk.wait(run_id, "stopped")
    assert stopped.reason == "Lunch."
    manager.resume(run_id)
    desk.wait(run_id, "running")
    wait_for(lambda: desk.run(run_id).last_seq > stopped.last_seq + 10, "more events")
    manager.stop(run_id, "Tea.")
    assert desk.wait(run_id, "stopped").reason == "Tea."
    desk.check_log(run_id)
    assert [event["kind"] for event in read_all(desk.database, run_id)].count("RunStarted") == 2


def test_a_stop_that_comes_while_a_resumed_run_starts_is_not_lost(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue(LONG)
    desk.wait_until_it_trains(run_id)
    manager.stop(run_id)
    desk.wait(run_id, "stopped")
    manager.resume(run_id)
    wait_for(lambda: desk.run(run_id).state != "queued", "a start")
    manager.stop(run_id, "At once.")
    assert desk.wait(run_id, "stopped").reason == "At once."


def test_what_cannot_be_resumed_is_told(desk: Desk) -> None:
    manager = desk.serve()
    completed, dead, training_ = desk.queue("num=3", "num=3 dies_at=2", LONG)
    desk.wait(training_, "running")
    with pytest.raises(Conflict, match="this one is completed"):
        manager.resume(completed)
    with pytest.raises(Conflict, match="no checkpoint to go on from"):
        manager.resume(dead)
    with pytest.raises(Conflict, match="this one is running"):
        manager.resume(training_)
    for unknown in (new_id(), "../../etc", ""):
        with pytest.raises(NotFound):
            manager.resume(unknown)
        with pytest.raises(NotFound):
            manager.stop(unknown)
        with pytest.raises(NotFound):
            manager.delete(unknown)
        with pytest.raises(NotFound):
            manager.read_log_tail(unknown)


def test_a_coordinator_that_dies_gets_its_closing_event(desk: Desk) -> None:
    desk.serve()
    (run_id,) = desk.queue("num=50 dies_at=20 tears")
    run = desk.wait(run_id, "failed", "completed")
    assert (run.state, run.reason) == ("failed", "The run's coordinator died; the last line of its log: started")
    desk.check_log(run_id)
    stored = read_all(desk.database, run_id)
    assert [event["kind"] for event in stored].count("RunFinished") == 1
    assert stored[-1]["at_s"] == stored[-2]["at_s"]
    assert run.last_seq == 23


def test_a_run_that_does_not_start_says_why(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("refuses=there_is_no_data_set_'x'")
    run = desk.wait(run_id, "failed")
    assert run.reason == "The run did not start: there is no data set 'x'"
    (refused,) = desk.queue("host_refuses")
    assert desk.wait(refused, "failed").reason == ("The run did not start: no memory is left.")
    assert manager.health() == ()


def test_a_dead_host_is_replaced(desk: Desk) -> None:
    before = psutil.Process().children()  # other tests of this process may keep hosts of their own
    manager = desk.serve()
    (first,) = desk.queue("num=5")
    desk.wait(first, "completed")
    hosts = [child for child in psutil.Process().children() if child not in before and "host" in child.cmdline()]
    assert len(hosts) == 1
    hosts[0].kill()
    (second,) = desk.queue("num=5")
    desk.wait(second, "completed")
    (third,) = desk.queue("num=5 host_dies")  # kills every host that it meets: starts cold
    assert desk.wait(third, "completed", "failed").state == "completed"
    desk.check_log(third)
    assert manager.health() == ()


def test_a_program_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    manager = desk.serve(worker_command=(str(tmp_path / "no-such-program"),))
    (run_id,) = desk.queue("num=5")
    assert desk.wait(run_id, "failed").reason == (
        f"The run did not start: {tmp_path}/no-such-program cannot be executed: No such file or directory."
    )
    with pytest.raises(ExecutorError, match=r"cannot be listed: .*No such file"):
        manager.catalogue()


@pytest.mark.parametrize("script", [f"{LONG} deaf", f"{LONG} deaf stubborn"])
def test_a_coordinator_that_does_not_stop_is_ended(desk: Desk, script: str) -> None:
    manager = desk.serve(IMPATIENT)
    (run_id,) = desk.queue(script)
    process = desk.wait_until_it_trains(run_id)
    manager.stop(run_id, "Please.")
    run = desk.wait(run_id, "stopped", "failed")
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    if "stubborn" in script:
        assert (run.state, run.reason) == (
            "failed",
            "The run's coordinator did not end in time and was killed; the last line of its log: started",
        )
    else:
        assert (run.state, run.reason) == ("stopped", "stopped by a signal")
    desk.check_log(run_id)


def test_a_coordinator_that_never_takes_its_lock_is_ended(desk: Desk) -> None:
    desk.serve(IMPATIENT)
    (run_id,) = desk.queue("unlocked")
    assert desk.wait(run_id, "failed").reason == "The run did not start: it said nothing."


def test_a_run_keeps_its_place_until_its_processes_are_gone(desk: Desk) -> None:
    manager = desk.serve()
    lingering, following = desk.queue("num=3 lingers=0.6", "num=3")
    desk.wait(lingering, "completed")
    holder = int((desk.path(lingering) / "lock").read_text())
    assert psutil.pid_exists(holder)
    assert desk.run(following).state == "queued"
    manager.delete(lingering)  # waits for the processes
    assert not psutil.pid_exists(holder)
    desk.wait(following, "completed")


def test_a_log_that_breaks_stops_the_run_with_a_sentence(desk: Desk) -> None:
    desk.serve()
    (run_id,) = desk.queue(f"{LONG} breaks_at=10")
    run = desk.wait(run_id, "failed")
    assert str(run.reason).startswith("The run's log cannot be read further: events.jsonl, byte")
    assert "this is no event" in str(run.reason)
    assert run.last_seq == 12
    assert b"Stopped" not in (desk.path(run_id) / "events.jsonl").read_bytes()[-40:]
    assert desk.manager is not None
    with pytest.raises(Conflict, match="its log cannot be read further"):
        desk.manager.resume(run_id)
