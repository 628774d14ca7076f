"""The whole way with real processes: a spec over HTTP, training, the live stream, the figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from backend.api import compare_models, schemas
from tests.api.server import Server, check_model, serving
from tests.api.watching import watch_to_the_end, watching_aside

WORKERS = (sys.executable, "-m", "workers")
SMALL: dict[str, Any] = {
    "cluster": {"num_workers": 2},
    "speed": {"kind": "lognormal", "base_s": 0.01, "factors": [1, 3]},
    "stop": {"iterations": 40, "seconds": 60},
    "evaluate_every_s": 0.1,
}


@pytest.fixture(scope="module")
def training_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("training") / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}", worker_command=WORKERS, concurrency=1) as served:
        yield served


def test_two_policies_train_and_are_compared(training_server: Server) -> None:
    server = training_server
    started = server.submit(
        "real", run=SMALL, grid={"policy": [{"name": "ssp", "threshold": 1}, {"name": "predictive"}]}
    )
    ssp, predictive = started["run_ids"]
    with watching_aside(server, ssp) as watcher:
        done = server.wait_until_done(started)
    check_model(schemas.Experiment, done)
    assert [run["state"] for run in done["runs"]] == ["completed", "completed"], [run["reason"] for run in done["runs"]]
    assert watcher.seqs == list(range(1, done["runs"][0]["last_seq"] + 1))
    assert "running" in watcher.states
    assert watcher.code == 1000
    for run in done["runs"]:
        assert run["summary"]["num_iterations"] == 80
        assert run["summary"]["final_accuracy"] > 0.1
        assert 0 < run["summary"]["utilisation"] <= 1
        curves = check_model(schemas.Curves, server.get(f"/runs/{run['id']}/curves"))
        assert len(curves["training"]["loss"]) == 80
        assert curves["evaluations"]["iterations"][-1] == 80
        assert curves["waiting"]["share"]
    compared = check_model(compare_models.Comparison, server.get("/compare", runs=f"{ssp},{predictive}"))
    assert compared["differences"][0] == {"path": "policy.name", "values": ["ssp", "predictive"]}


def test_a_run_in_virtual_time_is_one_like_any_other_and_says_what_it_is(training_server: Server) -> None:
    server = training_server
    cluster = {"num_workers": 2, "launcher": "virtual"}
    spec = {**SMALL, "cluster": cluster, "speed": {"kind": "lognormal", "base_s": 100.0, "factors": [1, 3]}}
    spec |= {"stop": {"iterations": 40, "seconds": None}, "evaluate_every_s": 60.0}
    run_id = server.submit_run(**spec)
    assert server.get(f"/runs/{run_id}")["is_simulated"] is True  # from the start
    done = server.wait_for_state(run_id, "completed", "failed")
    check_model(schemas.Run, done)
    assert (done["state"], done["is_simulated"]) == ("completed", True), done["reason"]
    assert done["summary"]["num_iterations"] == 80
    assert done["summary"]["duration_s"] > 3_000  # hours of virtual time, which is no time on a wall
    assert done["started_at"] < done["finished_at"] <= datetime.now(UTC).isoformat()
    assert watch_to_the_end(server, run_id).seqs == list(range(1, done["last_seq"] + 1))
    curves = check_model(schemas.Curves, server.get(f"/runs/{run_id}/curves"))
    assert len(curves["training"]["loss"]) == 80
    assert curves["evaluations"]["at_s"][-1] == done["summary"]["duration_s"]
    refused = server.http.post(f"/runs/{run_id}/resume")
    assert refused.status_code == 409


def test_virtual_time_needs_a_speed_model(training_server: Server) -> None:
    body = {"name": "x", "run": {"cluster": {"launcher": "virtual"}, "speed": {"kind": "native"}}}
    answer = training_server.http.post("/experiments", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "speed.kind"


def test_a_run_is_stopped_and_goes_on_from_its_checkpoint(training_server: Server) -> None:
    server = training_server
    run_id = server.submit_run(**{**SMALL, "stop": {"iterations": 150, "seconds": 60}})
    with watching_aside(server, run_id) as watcher:
        server.wait_for_state(run_id, "running")
        assert server.http.post(f"/runs/{run_id}/stop").status_code == 202
        stopped = server.wait_for_state(run_id, "stopped", "completed", "failed")
    assert stopped["state"] == "stopped", stopped["reason"]
    assert server.http.post(f"/runs/{run_id}/resume").status_code == 202
    done = server.wait_for_state(run_id, "completed", "failed")
    assert done["state"] == "completed", done["reason"]
    rest = watch_to_the_end(server, run_id, watcher.last_seq)
    assert watcher.seqs + rest.seqs == list(range(1, done["last_seq"] + 1))
    kinds = [event["kind"] for event in rest.events]
    assert {"RunStarted", "RunResumed", "RunFinished"} <= set(kinds)


def test_a_wrong_model_is_known_before_any_process_starts(training_server: Server) -> None:
    body = {"name": "wrong", "run": {"task": {"model": "lenet5"}}}
    answer = training_server.http.post("/experiments", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "task.model"


def test_every_preset_fits_the_real_catalogue(training_server: Server) -> None:
    for preset in training_server.get("/catalogue")["presets"]:
        answer = training_server.http.post("/experiments/check", json=preset["experiment"])
        missing = [error["field"] for error in answer.json().get("errors", [])]
        assert answer.status_code == 200 or missing == ["task.dataset"], answer.text  # data that are not installed
