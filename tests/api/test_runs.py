"""Runs over HTTP, on both databases: list, change, stop, resume, clone, delete, compare."""

from __future__ import annotations

from typing import Any

import pytest

from backend.api import compare_models, schemas
from backend.api.compare import differences
from predictor.events import RunFinished, WorkerJoined
from tests.api.server import Server, check_model

QUICK = {"stop": {"iterations": 3}, "speed": {"kind": "lognormal", "base_s": 0.01}}
UNKNOWN = "0123456789abcdef"


def ids(page: dict[str, Any]) -> list[str]:
    return [run["id"] for run in page["runs"]]


# ---- lists -----------------------------------------------------------------------------------------------


def test_a_list_is_filtered(server: Server) -> None:
    grid = {"policy": [{"name": "bsp"}, {"name": "ssp", "threshold": 2}]}
    first = server.wait_until_done(server.submit("Alpha test", run=QUICK, grid=grid))
    second = server.submit("Beta", run={"name": "endless"})
    bsp, ssp = first["run_ids"]
    (endless,) = second["run_ids"]
    server.wait_for_state(endless, "running")
    server.http.patch(f"/runs/{ssp}", json={"tags": ["paper", "50% off"]})

    page = check_model(schemas.RunPage, server.get("/runs"))
    assert (page["total"], page["next_cursor"]) == (3, None)
    assert ids(page) == [endless, ssp, bsp]  # newest first
    assert ids(server.get("/runs", policy="bsp")) == [bsp]
    assert ids(server.get("/runs", policy=["bsp", "ssp"])) == [ssp, bsp]
    assert ids(server.get("/runs", state="completed")) == [ssp, bsp]
    assert ids(server.get("/runs", state=["running", "failed"])) == [endless]
    assert ids(server.get("/runs", dataset="digits", experiment_id=second["id"])) == [endless]
    assert ids(server.get("/runs", dataset="cifar")) == []
    assert ids(server.get("/runs", tag="paper")) == [ssp]
    assert ids(server.get("/runs", tag=["paper", "other"])) == []
    assert ids(server.get("/runs", q="alpha")) == [ssp, bsp]
    assert ids(server.get("/runs", q="ENDLESS")) == [endless]
    assert ids(server.get("/runs", q="50% o")) == [ssp]
    assert ids(server.get("/runs", q="%")) == [ssp]  # no wildcard


def test_a_list_is_sorted_with_missing_values_last(server: Server) -> None:
    done = server.wait_until_done(server.submit("sorted", run=QUICK, seeds=[3, 1, 2]))
    endless = server.submit_run(name="a")
    server.wait_for_state(endless, "running")
    third, first, second = done["run_ids"]  # the accuracy that is played grows with the seed
    assert ids(server.get("/runs", sort="final_accuracy")) == [first, second, third, endless]
    assert ids(server.get("/runs", sort="-final_accuracy")) == [third, second, first, endless]
    assert ids(server.get("/runs", sort="created_at")) == [*done["run_ids"], endless]
    assert ids(server.get("/runs", sort="name"))[0] == endless
    for sort in ("policy", "state", "time_to_target_s", "utilisation", "wait_share", "duration_s"):
        assert sorted(ids(server.get("/runs", sort=sort))) == sorted([*done["run_ids"], endless])


def test_pages_hold_every_run_once_although_new_ones_come(server: Server) -> None:
    done = server.submit("paged", run=QUICK, seeds=list(range(1, 8)))
    expected = list(reversed(done["run_ids"]))
    server.wait_until_done(done)
    for sort, order in (("-created_at", expected), ("final_accuracy", done["run_ids"])):
        found: list[str] = []
        page = server.get("/runs", sort=sort, limit=3)
        while True:
            found += ids(page)
            if page["next_cursor"] is None:
                break
            server.submit("new", run={**QUICK, "seed": 9}, seeds=[9])
            page = server.get("/runs", sort=sort, limit=3, cursor=page["next_cursor"])
        assert [run_id for run_id in found if run_id in order] == order


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "asleep"}, "state.0"),
        ({"sort": "colour"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"polcy": "ssp"}, "polcy"),
        ({"q": "a\0b"}, "q"),
    ],
)
def test_a_wrong_query_is_a_problem(quiet_server: Server, query: dict[str, str], field: str) -> None:
    answer = quiet_server.http.get("/runs", params=query)
    assert answer.status_code == 422
    problem = check_model(schemas.Problem, answer.json())
    assert problem["errors"][0]["field"] == field
    assert problem["errors"][0]["value"] in query.values()


def test_a_cursor_of_another_order_is_refused(server: Server) -> None:
    server.submit("paged", run=QUICK, seeds=[1, 2])
    cursor = server.get("/runs", limit=1)["next_cursor"]
    answer = server.http.get("/runs", params={"sort": "name", "cursor": cursor})
    assert answer.json()["errors"][0]["field"] == "cursor"


# ---- one run ---------------------------------------------------------------------------------------------


def test_an_unknown_run_is_a_problem_everywhere(server: Server) -> None:
    requests = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/resume"), ("POST", "/clone")]
    requests += [("GET", part) for part in ("/events", "/curves", "/log")]
    for method, part in requests:
        body = {} if method in ("PATCH", "POST") else None
        for run_id in (UNKNOWN, "..", "%2e%2e%2f", "x" * 500, "a%00b"):
            answer = server.http.request(method, f"/runs/{run_id}{part}", json=body)
            assert answer.status_code in (404, 405), (method, part, run_id, answer.text)
            check_model(schemas.Problem, answer.json())
    assert server.http.get("/compare", params={"runs": UNKNOWN}).status_code == 404


def test_a_person_changes_name_tags_and_notes(server: Server) -> None:
    run_id = server.submit_run()
    answer = server.http.patch(
        f"/runs/{run_id}", json={"name": "Best", "tags": ["b", "a", "b"], "notes": "So **good**."}
    )
    run = check_model(schemas.Run, answer.json())
    assert (run["name"], run["tags"], run["notes"]) == ("Best", ["a", "b"], "So **good**.")
    assert server.http.patch(f"/runs/{run_id}", json={"tags": []}).json()["tags"] == []
    assert server.get(f"/runs/{run_id}")["name"] == "Best"
    for body, field in (
        ({"state": "completed"}, "state"),
        ({"name": ""}, "name"),
        ({"tags": "a"}, "tags"),
        ([], "spec"),
    ):
        wrong = server.http.patch(f"/runs/{run_id}", json=body)
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["field"] == field


def test_a_run_is_stopped_and_goes_on(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, WorkerJoined(0.5, 0, 0, 0))
    answer = server.http.post(f"/runs/{run_id}/stop")
    assert answer.status_code == 202
    assert check_model(schemas.Run, answer.json())["state"] in ("stopping", "stopped")
    stopped = server.wait_for_state(run_id, "stopped")
    assert stopped["reason"] == "Stopped by the user."
    assert stopped["finished_at"] > stopped["started_at"]
    assert server.http.post(f"/runs/{run_id}/stop").status_code == 409

    assert server.http.post(f"/runs/{run_id}/resume").status_code == 202
    server.wait_for_state(run_id, "running")
    assert server.http.post(f"/runs/{run_id}/resume").status_code == 409
    assert server.http.delete(f"/runs/{run_id}").status_code == 409  # it trains
    server.say(run_id, RunFinished(2.0, "completed", "Done."))
    done = server.wait_for_state(run_id, "completed")
    seqs = [event["seq"] for event in server.get(f"/runs/{run_id}/events")["events"]]
    assert seqs == list(range(1, done["last_seq"] + 1))
    conflict = server.http.post(f"/runs/{run_id}/resume")
    assert (conflict.status_code, check_model(schemas.Problem, conflict.json())["detail"][-1]) == (409, ".")


def test_a_run_without_a_checkpoint_cannot_go_on(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, "die")
    failed = server.wait_for_state(run_id, "failed")
    assert "died" in failed["reason"]
    answer = server.http.post(f"/runs/{run_id}/resume")
    assert (answer.status_code, "checkpoint" in answer.json()["detail"]) == (409, True)


def test_a_queued_run_is_taken_out_of_the_queue(server: Server) -> None:
    *_, last = server.submit("queue", run={}, seeds=[1, 2, 3])["run_ids"]
    assert server.http.post(f"/runs/{last}/stop").json()["state"] == "stopped"
    assert last not in server.get("/queue")["waiting"]


def test_a_run_is_deleted_with_its_files(server: Server) -> None:
    done = server.wait_until_done(server.submit("gone", run=QUICK))
    (run_id,) = done["run_ids"]
    folder = server.home / "runs" / run_id
    assert folder.exists()
    answer = server.http.delete(f"/runs/{run_id}", params={"now": True})
    assert (answer.status_code, answer.content) == (204, b"")
    assert not folder.exists()
    assert server.http.get(f"/runs/{run_id}").status_code == 404
    assert server.get(f"/experiments/{done['id']}")["runs"] == []


# ---- clones ----------------------------------------------------------------------------------------------


def test_a_clone_differs_in_what_was_changed(server: Server) -> None:
    run_id = server.submit_run(**QUICK, policy={"name": "ssp", "threshold": 3})
    server.wait_for_state(run_id, "completed")
    server.http.patch(f"/runs/{run_id}", json={"name": "Renamed"})
    answer = server.http.post(f"/runs/{run_id}/clone", json={"changes": {"policy.threshold": 5, "task.batch_size": 64}})
    assert answer.status_code == 201
    clone = check_model(schemas.Run, answer.json())
    assert answer.headers["Location"] == f"/api/v1/runs/{clone['id']}"
    assert (clone["parent_id"], clone["name"]) == (run_id, "Renamed")
    server.wait_for_state(clone["id"], "completed")
    compared = check_model(compare_models.Comparison, server.get("/compare", runs=f"{run_id},{clone['id']}"))
    assert compared["differences"] == [
        {"path": "task.batch_size", "values": [32, 64]},
        {"path": "policy.threshold", "values": [3, 5]},
    ]


def test_a_clone_with_another_policy_starts_from_its_defaults(server: Server) -> None:
    run_id = server.submit_run(**QUICK, policy={"name": "predictive", "alpha": 0.7})
    body = {"changes": {"policy.threshold": 7, "policy.name": "ssp", "stop.target": {"value": 0.5}}, "name": "Other"}
    clone = server.http.post(f"/runs/{run_id}/clone", json=body).json()
    assert clone["spec"]["policy"] == {"name": "ssp", "threshold": 7}
    assert clone["spec"]["stop"]["target"] == {"metric": "test_accuracy", "value": 0.5}
    assert clone["spec"]["name"] == clone["name"] == "Other"
    body = {"changes": {"policy": {"name": "bsp"}, "stop.target.value": 0.25}}
    clone = server.http.post(f"/runs/{run_id}/clone", json=body).json()
    assert clone["spec"]["policy"] == {"name": "bsp"}
    assert clone["spec"]["stop"]["target"]["value"] == 0.25


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"policy.threshold": -1}, "policy.threshold"),
        ({"policy.treshold": 1}, "policy.treshold"),
        ({"nowhere.at.all": 1}, "nowhere"),
        ({"task.model.deep": 1}, "task.model.deep"),
        ({"task.model": "lenet5"}, "task.model"),
        ({"cluster.num_workers": 41}, "cluster.num_workers"),
    ],
)
def test_a_wrong_clone_is_answered_with_the_field(server: Server, changes: dict[str, Any], field: str) -> None:
    run_id = server.submit_run(**QUICK, policy={"name": "ssp"})
    answer = server.http.post(f"/runs/{run_id}/clone", json={"changes": changes})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert server.get("/runs")["total"] == 1


# ---- comparison ------------------------------------------------------------------------------------------


def test_a_comparison_keeps_the_order_and_tells_absent_settings(server: Server) -> None:
    grid = {"policy": [{"name": "ssp", "threshold": 2}, {"name": "bsp"}]}
    first, second = server.submit("compared", run=QUICK, grid=grid)["run_ids"]
    compared = server.get("/compare", runs=f"{second},{first},{second}")
    assert ids(compared) == [second, first]
    assert compared["differences"] == [
        {"path": "policy.name", "values": ["bsp", "ssp"]},
        {"path": "policy.threshold", "values": [None, 2]},
    ]
    assert server.get("/compare", runs=first)["differences"] == []
    for runs in ("", ",", ",".join([UNKNOWN] * 3 + [f"{n:016d}" for n in range(101)])):
        assert server.http.get("/compare", params={"runs": runs}).status_code == 422


def test_differences_are_found_in_nested_settings() -> None:
    specs = [
        {"name": "a", "x": {"y": 1, "z": [1, 2]}},
        {"name": "b", "x": {"y": 1, "z": [1, 3]}},
        {"name": "c", "x": None},
    ]
    assert differences(specs) == [
        {"path": "x.y", "values": [1, 1, None]},
        {"path": "x.z", "values": [[1, 2], [1, 3], None]},
    ]
