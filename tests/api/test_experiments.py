"""Experiments over HTTP, on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.api import queue_models, schemas
from predictor.spec import RunSpec, to_data
from tests.api.server import Server, check_model
from tests.backend.checks import wait_for

QUICK = {"stop": {"iterations": 3}, "speed": {"kind": "lognormal", "base_s": 0.01}}
GRID = {"policy": [{"name": "ssp", "threshold": 3}, {"name": "bsp"}], "task.learning_rate": [0.1, 0.2]}


def test_an_experiment_runs_its_grid_in_order(server: Server) -> None:
    created = server.submit("grid", run=QUICK, grid=GRID, seeds=[1, 2])
    check_model(schemas.Experiment, created)
    assert created["num_runs"] == 8
    assert created["run_ids"] == [run["id"] for run in created["runs"]]
    settings = [
        (r["spec"]["policy"]["name"], r["spec"]["task"]["learning_rate"], r["spec"]["seed"]) for r in created["runs"]
    ]
    assert settings == [(p, rate, seed) for p in ("ssp", "bsp") for rate in (0.1, 0.2) for seed in (1, 2)]

    done = server.wait_until_done(created)
    check_model(schemas.Experiment, done)
    assert [run["state"] for run in done["runs"]] == ["completed"] * 8
    assert all(run["summary"]["num_iterations"] == 12 for run in done["runs"])  # 4 workers x 3
    assert [run["started_at"] for run in done["runs"]] == sorted(run["started_at"] for run in done["runs"])


def test_an_experiment_is_listed_found_and_deleted(server: Server) -> None:
    first, second = server.submit("first", run=QUICK), server.submit("second", run={})
    listed = server.get("/experiments")
    check_model(schemas.ExperimentList, listed)
    assert [one["name"] for one in listed["experiments"]] == ["second", "first"]

    run_id = second["run_ids"][0]
    server.wait_for_state(run_id, "running")
    assert server.http.delete(f"/experiments/{second['id']}").status_code == 204  # it stops what trains
    assert server.http.get(f"/experiments/{second['id']}").status_code == 404
    assert server.http.get(f"/runs/{run_id}").status_code == 404
    assert not (server.home / "runs" / run_id).exists()
    assert [one["id"] for one in server.get("/experiments")["experiments"]] == [first["id"]]


def test_creation_says_where_the_experiment_is(server: Server) -> None:
    answer = server.http.post("/experiments", json={"name": "located", "run": QUICK})
    assert answer.headers["Location"] == f"/api/v1/experiments/{answer.json()['id']}"
    assert server.get(answer.headers["Location"].removeprefix("/api/v1"))["name"] == "located"


def test_an_idempotency_key_starts_an_experiment_once(server: Server) -> None:
    spec, headers = {"name": "once", "run": QUICK}, {"Idempotency-Key": "k-1"}
    first = server.http.post("/experiments", json=spec, headers=headers)
    again = server.http.post("/experiments", json=spec, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = server.http.post("/experiments", json={**spec, "name": "other"}, headers=headers)
    assert other.status_code == 409
    check_model(schemas.Problem, other.json())
    assert len(server.get("/experiments")["experiments"]) == 1


def test_a_key_that_comes_many_times_at_once_starts_one_experiment(server: Server) -> None:
    def post(_: int) -> httpx.Response:
        return server.http.post(
            "/experiments", json={"name": "race", "run": QUICK}, headers={"Idempotency-Key": "race"}
        )

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(server.get("/experiments")["experiments"]) == 1


def test_a_check_gives_complete_runs_and_stores_nothing(server: Server) -> None:
    answer = server.http.post("/experiments/check", json={"name": "checked", "run": {}, "seeds": [1, 2]})
    check_model(schemas.CheckResult, answer.json())
    expected = {**to_data(RunSpec(name="checked")), "seed": 2}
    assert answer.json()["runs"][1] == json.loads(json.dumps(expected))
    assert server.get("/experiments") == {"experiments": []}


WRONG: list[tuple[dict[str, Any], str, Any, str]] = [
    ({"run": {"policy": {"name": "ssp", "threshold": -1}}}, "policy.threshold", -1, "must be >= 0"),
    ({"run": {"policy": {"name": "ssp", "treshold": 1}}}, "policy.treshold", 1, "is not a known key"),
    ({"run": {"polcy": {}}}, "polcy", {}, "is not a known key"),
    ({"run": {"policy": {"name": "nonsense"}}}, "policy.name", "nonsense", "must be one of"),
    ({"run": {"stop": {"seconds": None}}}, "stop", None, "needs at least one of"),
    ({"run": {"task": {"model": "gpt"}}}, "task.model", "gpt", "must be one of mlp, lenet5"),
    (
        {"run": {"task": {"model": "lenet5"}}},
        "task.model",
        "lenet5",
        "must fit samples of 1 x 8 x 8 from digits: one of mlp",
    ),
    ({"run": {"task": {"dataset": "cats"}}}, "task.dataset", "cats", "must be one of digits, fashion_mnist"),
    ({"run": {"task": {"dataset": "fashion_mnist"}}}, "task.dataset", "fashion_mnist", "it is not installed"),
    ({"run": {"task": {"data_dir": "/no/such/folder"}}}, "task.data_dir", "/no/such/folder", "that exists"),
    ({"run": {"task": {"data_dir": "here"}}}, "task.data_dir", "here", "must be the absolute path"),
    ({"run": {"task": {"data_dir": "x" * 5000}}}, "task.data_dir", "x" * 5000, "must be the absolute path"),
    ({"run": {"cluster": {"num_workers": 41}}}, "cluster.num_workers", 41, "must be <= 40"),
    ({"run": {"speed": {"kind": "trace", "path": "/no/trace.csv"}}}, "speed.path", "/no/trace.csv", "No such file"),
    ({"run": {"speed": {"kind": "trace", "path": "trace.csv"}}}, "speed.path", "trace.csv", "must be absolute"),
    ({"run": {"speed": {"kind": "trace", "path": "/dev/zero"}}}, "speed.path", "/dev/zero", "not a plain file"),
    ({"grid": {"policy.threshold": []}}, "grid.policy.threshold", [], "needs at least one value"),
    ({"seeds": list(range(2000))}, "grid", 2000, "at most 1000"),
    ({"seeds": []}, "seeds", [], "at least 1"),
    ({"run": []}, "run", [], "dictionary"),
    ({"name": ""}, "name", "", "at least 1 character"),
    ({"name": "a\0b"}, "name", "a\0b", "NUL"),
]


@pytest.mark.parametrize(
    ("parts", "field", "value", "wish"), WRONG, ids=[one[1] + "=" + str(one[2])[:20] for one in WRONG]
)
def test_a_wrong_spec_is_answered_with_field_value_and_wish(
    quiet_server: Server, parts: dict[str, Any], field: str, value: Any, wish: str
) -> None:
    server = quiet_server
    for path in ("/experiments/check", "/experiments/estimate", "/experiments"):
        answer = server.http.post(path, json={"name": "wrong", "run": {}, **parts})
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = check_model(schemas.Problem, answer.json())
        error = next(error for error in problem["errors"] if error["field"] == field)
        assert error["value"] == value or str(value).startswith(str(error["value"]).strip('".'))
        assert wish in error["wish"]
        assert field in problem["detail"]
    assert server.get("/experiments") == {"experiments": []}
    assert list((server.home / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 422),
        (b"[]", {"Content-Type": "application/json"}, 422),
        (b"null", {"Content-Type": "application/json"}, 422),
        (b"", {"Content-Type": "application/json"}, 422),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b'{"name": "deep", "run": ' + b'{"a":' * 1020 + b"1" + b"}" * 1021, {"Content-Type": "application/json"}, 422),
        (b" " * (5 * 2**20), {"Content-Type": "application/json"}, 413),
    ],
    ids=["cut", "list", "null", "empty", "text", "untyped", "deep", "large"],
)
def test_a_body_that_is_no_spec_is_a_problem(
    quiet_server: Server, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = quiet_server.http.post("/experiments", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    check_model(schemas.Problem, answer.json())


def test_data_that_came_since_the_start_are_found(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    spec = {"name": "own", "run": {"task": {"data_dir": str(folder)}}}
    for wish in ("a folder or file that exists", "it holds nothing"):
        answer = server.http.post("/experiments/check", json=spec)
        (error,) = answer.json()["errors"]
        assert (error["field"], wish in error["wish"]) == ("task.data_dir", True), error
        folder.mkdir(exist_ok=True)
    (folder / "data").touch()
    assert server.http.post("/experiments/check", json=spec).status_code == 200


def test_the_queue_shows_who_trains_and_who_waits(server: Server) -> None:
    ids = server.submit("queue", run={}, seeds=[1, 2, 3, 4])["run_ids"]
    wait_for(lambda: server.get("/queue")["running"] == ids[:2], "two train at a time")
    queue = check_model(queue_models.QueueStatus, server.get("/queue"))
    assert queue == {"running": ids[:2], "waiting": ids[2:], "concurrency": 2, "is_paused": False, "troubles": []}
    for run_id in ids[:2]:
        server.wait_for_state(run_id, "running")
    (listed,) = server.get("/experiments")["experiments"]
    assert (listed["num_by_state"], listed["queue_position"]) == ({"running": 2, "queued": 2}, 1)
    assert "run_ids" not in listed
    assert [server.get(f"/runs/{run_id}")["queue_position"] for run_id in ids] == [None, None, 1, 2]
