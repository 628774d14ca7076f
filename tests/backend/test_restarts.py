"""The program ends, is killed, or is started twice, while runs train: on both databases."""

from __future__ import annotations

import signal
import time
from typing import Any

import psutil
import pytest

from backend.errors import StoreError
from backend.runs.manager import SHUTDOWN_REASON
from backend.store import progress
from backend.store.database import Database
from tests.backend.checks import wait_for
from tests.backend.desk import LONG, Desk, Server
from tests.backend.logs import finished, started, training, write_log

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_shutdown_stops_what_trains_and_keeps_the_queue(desk: Desk) -> None:
    manager = desk.serve()
    first, second = desk.queue(LONG, "num=5")
    process = desk.wait_until_it_trains(first)
    manager.shutdown()
    assert not process.is_running()
    assert (desk.run(first).state, desk.run(first).reason) == ("stopped", SHUTDOWN_REASON)
    assert desk.run(second).state == "queued"
    desk.check_log(first)
    desk.manager = None
    desk.serve()
    desk.wait(second, "completed")


def test_runs_can_be_left_training_and_are_adopted(desk: Desk) -> None:
    manager = desk.serve(keep_runs=True)
    (run_id,) = desk.queue("num=300 pause=0.01")
    process = desk.wait_until_it_trains(run_id)
    manager.shutdown()
    left_at = desk.run(run_id).last_seq
    assert process.is_running()
    assert desk.run(run_id).state == "running"
    desk.manager = None
    time.sleep(0.2)  # the log grows meanwhile
    desk.serve()
    assert desk.wait(run_id, "completed", "failed").state == "completed"
    assert desk.run(run_id).last_seq == 303 > left_at
    desk.check_log(run_id)


def test_an_adopted_run_can_be_stopped(desk: Desk) -> None:
    desk.serve(keep_runs=True)
    (run_id,) = desk.queue(LONG)
    desk.wait_until_it_trains(run_id)
    manager = desk.serve()
    assert desk.run(run_id).state == "running"
    manager.stop(run_id, "Adopted and stopped.")
    assert desk.wait(run_id, "stopped").reason == "Adopted and stopped."
    desk.check_log(run_id)


def test_a_coordinator_that_died_while_nobody_looked_gets_its_closing_event(desk: Desk) -> None:
    desk.serve(keep_runs=True)
    (run_id,) = desk.queue(LONG)
    process = desk.wait_until_it_trains(run_id)
    desk.serve(keep_runs=True).shutdown()
    desk.manager = None
    process.kill()
    wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its death")
    with (desk.path(run_id) / "events.jsonl").open("ab") as file:
        file.write(b'{"seq":')
    desk.serve()
    assert desk.wait(run_id, "failed").reason == "The run's coordinator died; the last line of its log: started"
    desk.check_log(run_id)


@pytest.mark.parametrize("state", ["starting", "running", "stopping"])
def test_a_run_that_ended_while_nobody_looked_is_read_to_its_end(desk: Desk, state: Any) -> None:
    (run_id,) = desk.queue("x")
    with desk.database.write() as session:
        progress.change(session, run_id, {"state": state, "queue_place": None})
    write_log(desk.path(run_id) / "events.jsonl", [started(), *training(20), finished(3.0)])
    desk.serve()
    assert desk.wait(run_id, "completed").last_seq == 22
    desk.check_log(run_id)


def test_a_start_that_was_cut_off_fails_with_a_sentence(desk: Desk) -> None:
    (run_id,) = desk.queue("x")
    with desk.database.write() as session:
        progress.change(session, run_id, {"state": "starting", "queue_place": None})
    manager = desk.serve()
    assert desk.wait(run_id, "failed").reason == "The run did not start: it said nothing."
    desk.check_log(run_id)
    manager.delete(run_id)


def test_a_second_program_on_one_database_is_refused(desk: Desk, database_url: str) -> None:
    desk.serve()
    other = Desk(Database(database_url), desk.settings.home)
    with pytest.raises(StoreError, match="Another Foresync already serves"):
        other.serve()
    other.manager = None
    other.database.close()


# ---- killed ----------------------------------------------------------------------------------------------


def test_a_run_loses_nothing_when_the_program_is_killed_again_and_again(desk: Desk) -> None:
    server = Server(desk)
    (run_id,) = desk.queue(LONG)
    process = desk.wait_until_it_trains(run_id)
    for num in (100, 200):
        desk.wait_until_it_trains(run_id, num)
        server.kill()
        server = Server(desk)
    with desk.database.write() as session:
        progress.stop(session, run_id, "Killed enough.")  # nobody is told: the scheduler looks by itself
    run = desk.wait(run_id, "completed", "failed", "stopped")
    assert server.end() == 0
    assert (run.state, run.reason) == ("stopped", "Killed enough.")
    assert int((desk.path(run_id) / "lock").read_text()) == process.pid  # one coordinator all the time
    desk.check_log(run_id)


@ON_SQLITE
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_the_commit_neither_loses_nor_doubles(desk: Desk, moment: str) -> None:
    (run_id,) = desk.queue("num=150 pause=0.004")
    assert Server(desk, moment).process.wait() == -signal.SIGKILL
    stored = desk.run(run_id).last_seq
    assert (stored > 30) == (moment == "after")
    server = Server(desk)
    assert desk.wait(run_id, "completed", "failed").state == "completed"
    assert server.end() == 0
    desk.check_log(run_id)


@ON_SQLITE
def test_a_program_that_is_ended_stops_its_runs(desk: Desk) -> None:
    server = Server(desk)
    (run_id,) = desk.queue(LONG)
    process = desk.wait_until_it_trains(run_id)
    assert server.end() == 0
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert (desk.run(run_id).state, desk.run(run_id).reason) == ("stopped", SHUTDOWN_REASON)
