"""Settings of a running run over HTTP: what is asked for, what is refused, what becomes true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.api import control_models, schemas
from backend.client import Client
from predictor.events import RunFinished
from tests.api.server import TOKEN, Server, check_model
from tests.backend.checks import wait_for


def training(server: Server, **run: Any) -> str:
    run_id = server.submit_run(**run)
    server.wait_for_state(run_id, "running")
    return run_id


def tuning(server: Server, run_id: str) -> Any:
    return check_model(control_models.Tuning, server.get(f"/runs/{run_id}/retune"))


def commands(server: Server, run_id: str) -> list[Any]:
    path = server.home / "runs" / run_id / "control.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_change_is_asked_for_and_true_once_the_log_tells_it(server: Server) -> None:
    run_id = training(server, policy={"name": "predictive", "alpha": 0.5})
    before = tuning(server, run_id)
    assert (before["is_possible"], before["reason"], before["changes"]) == (True, "", [])
    assert (before["policy"]["alpha"], before["forecaster"]["name"]) == (0.5, "timing")
    body = {"policy": {"alpha": 0.25}, "forecaster": {"name": "median"}}
    answer = server.http.post(f"/runs/{run_id}/retune", json=body)
    assert answer.status_code == 202
    asked = check_model(control_models.RetuneAsked, answer.json())
    assert asked["policy"] == {"alpha": 0.25}
    assert set(asked["forecaster"]) == {"name", "window"}
    assert commands(server, run_id) == [
        {"command": "retune", "params": {"alpha": 0.25}, "forecaster": asked["forecaster"]}
    ]
    wait_for(lambda: tuning(server, run_id)["changes"], "the log tells of the change")
    now = tuning(server, run_id)
    (change,) = now["changes"]
    assert change["seq"] > asked["after_seq"]
    rows = {one["path"]: (one["before"], one["after"]) for one in change["settings"]}
    assert rows["policy.alpha"] == (0.5, 0.25)
    assert rows["forecaster.name"] == ("timing", "median")
    assert (now["policy"]["alpha"], now["forecaster"]["name"]) == (0.25, "median")


def test_what_is_shown_found_compared_and_cloned_are_the_settings_in_force(server: Server) -> None:
    run_id = training(server, policy={"name": "predictive", "alpha": 0.5})
    other_id = training(server, policy={"name": "predictive", "alpha": 0.25})
    before = server.get(f"/runs/{run_id}")
    assert before["spec_in_force"] == before["spec"]
    server.http.post(f"/runs/{run_id}/retune", json={"policy": {"alpha": 0.25}})
    wait_for(lambda: server.get(f"/runs/{run_id}")["is_retuned"], "the log tells of the change")
    run = check_model(schemas.Run, server.get(f"/runs/{run_id}"))
    assert (run["spec"]["policy"]["alpha"], run["spec_in_force"]["policy"]["alpha"]) == (0.5, 0.25)
    assert run["retuned"] == [{"path": "policy.alpha", "at_start": 0.5, "in_force": 0.25}]

    rows = {row["id"]: row for row in server.get("/runs/rows", filter="spec.policy.alpha=0.25")["rows"]}
    row = rows[run_id]
    assert (row["policy"]["alpha"], row["policy_at_start"]["alpha"], row["is_retuned"]) == (0.25, 0.5, True)
    assert not rows[other_id]["is_retuned"]
    listed = server.get("/queue/outlook")["runs"][0]
    assert (listed["policy"]["alpha"], listed["policy_at_start"]["alpha"]) == (0.25, 0.5)

    compared = server.get("/compare", runs=f"{run_id},{other_id}")
    assert compared["differences"] == []
    assert len(compared["groups"]) == 2  # one of them was something else for a while: it is no repetition of the other

    for settings, alpha in (("in_force", 0.25), ("start", 0.5)):
        clone = server.http.post(f"/runs/{run_id}/clone", json={"settings": settings}).json()
        assert clone["spec"]["policy"]["alpha"] == alpha
        assert not clone["is_retuned"]


def test_a_second_change_is_checked_against_the_first(server: Server) -> None:
    run_id = training(server, policy={"name": "predictive"})
    with Client(server.url, TOKEN) as client:
        first = client.retune(run_id, forecaster={"name": "ewma"})
        assert first is not None
        second = client.retune(run_id, forecaster={"weight": 0.5})
        assert second is not None
        assert [(one.path, one.after) for one in second.settings] == [("forecaster.weight", 0.5)]
        again = client.retune(run_id, forecaster={"weight": 0.5})
        assert again is not None
        assert again.settings == []
        assert len(client.tuning(run_id).changes) == 3


@pytest.mark.parametrize(
    ("body", "field", "wish"),
    [
        ({"policy": {"threshold": -1}}, "policy.threshold", "must be >= 0"),
        ({"policy": {"treshold": 1}}, "policy.treshold", "is not a known key"),
        ({"policy": {"name": "asp"}}, "policy.name", "must stay ssp"),
        ({"forecaster": {"name": "ewma"}}, "forecaster", "is not used by the policy ssp"),
        ({}, "policy", "needs at least one setting to change"),
        ({"polcy": {"threshold": 1}}, "polcy", "is not a known key"),
        ({"policy": [1]}, "policy", "must be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_named(server: Server, body: dict[str, Any], field: str, wish: str) -> None:
    run_id = training(server, policy={"name": "ssp"})
    answer = server.http.post(f"/runs/{run_id}/retune", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["wish"].startswith(wish)
    assert commands(server, run_id) == []


def test_a_run_that_does_not_train_is_not_retuned(server: Server) -> None:
    ids = [server.submit_run(policy={"name": "ssp"}) for _ in range(3)]  # two places
    for run_id in ids[:2]:
        server.wait_for_state(run_id, "running")
    server.say(ids[0], RunFinished(1.0, "completed", "Done."))
    server.wait_for_state(ids[0], "completed")
    ended = server.http.post(f"/runs/{ids[0]}/retune", json={"policy": {"threshold": 1}})
    assert (ended.status_code, ended.json()["detail"]) == (
        409,
        "The run has ended, so it cannot be retuned; clone it with other settings.",
    )
    assert tuning(server, ids[0])["reason"] == ended.json()["detail"]
    assert server.http.post("/runs/r-nothing/retune", json={}).status_code == 404


def test_a_waiting_run_says_when_it_can_be_retuned(server: Server) -> None:
    ids = [server.submit_run(policy={"name": "ssp"}) for _ in range(3)]
    waiting = server.http.post(f"/runs/{ids[2]}/retune", json={"policy": {"threshold": 1}})
    assert (waiting.status_code, waiting.json()["detail"]) == (
        409,
        "The run waits in the queue: it can be retuned once it trains.",
    )


def test_a_policy_without_settings_and_a_run_in_virtual_time_cannot_be_retuned(server: Server) -> None:
    run_id = training(server, policy={"name": "bsp"})
    answer = server.http.post(f"/runs/{run_id}/retune", json={"policy": {"threshold": 1}})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "The policy bsp has no setting that could be changed.",
    )
    virtual = training(server, cluster={"launcher": "virtual"}, speed={"kind": "lognormal"}, policy={"name": "ssp"})
    answer = server.http.post(f"/runs/{virtual}/retune", json={"policy": {"threshold": 1}})
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("A run in virtual time cannot be retuned")
