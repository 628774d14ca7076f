"""The run manager with the real workers: torch, processes, sockets."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from backend.store import experiments
from tests.backend.checks import read_all, small_experiment
from tests.backend.desk import REAL_COMMAND, Desk, Server

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add_run(desk: Desk, **stop: Any) -> str:
    run = {
        "name": "real",
        "cluster": {"num_workers": 2},
        "speed": {"kind": "lognormal", "base_s": 0.02, "factors": [1.0, 2.0]},
        "stop": {"seconds": 120, **stop},
    }
    with desk.database.write() as session:
        return experiments.get(session, small_experiment(session, "real", run=run)).run_ids[0]


def processes_of(coordinator: psutil.Process) -> list[psutil.Process]:
    return [coordinator, *coordinator.children(recursive=True)]


def test_real_workers_stop_with_a_checkpoint_and_go_on(desk: Desk) -> None:
    manager = desk.serve(worker_command=REAL_COMMAND)
    run_id = add_run(desk, iterations=150)
    processes = processes_of(desk.wait_until_it_trains(run_id, 100))
    manager.stop(run_id, "Stopped to go on later.")
    stopped = desk.wait(run_id, "stopped", "failed", "completed")
    assert (stopped.state, stopped.reason) == ("stopped", "Stopped to go on later.")
    assert 0 < stopped.summary["num_iterations"] < 300
    manager.resume(run_id)
    assert len(processes) >= 4
    assert not any(process.is_running() for process in processes)
    completed = desk.wait(run_id, "completed", "failed")
    assert completed.state == "completed", completed.reason
    assert completed.summary["num_iterations"] >= 300
    assert completed.last_seq > stopped.last_seq
    desk.check_log(run_id)
    assert manager.catalogue()["models"]


def test_a_killed_program_misses_nothing_of_a_real_run(desk: Desk) -> None:
    server = Server(desk, "real")
    run_id = add_run(desk, iterations=150)
    coordinator = desk.wait_until_it_trains(run_id, 100)
    server.kill()
    left_at = desk.run(run_id).last_seq
    assert coordinator.is_running()
    server = Server(desk, "real")
    run = desk.wait(run_id, "completed", "failed", "stopped")
    assert run.state == "completed", run.reason
    assert run.last_seq > left_at
    desk.check_log(run_id)
    kinds = [event["kind"] for event in read_all(desk.database, run_id)]
    assert (kinds.count("RunStarted"), kinds.count("RunFinished"), kinds[-1]) == (1, 1, "RunFinished")
    assert run.summary["num_iterations"] == 300
    assert server.end() == 0
