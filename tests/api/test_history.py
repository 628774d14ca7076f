"""The history over HTTP, on both databases: rows, facets, the filter, the bin, many runs at once, views, baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.api import history_models, schemas
from backend.client import Client, Refused
from backend.store import listing
from tests.api.server import TOKEN, Server, check_model
from tests.api.test_runs import QUICK

GRID = {"policy": [{"name": "bsp"}, {"name": "ssp", "threshold": 4}]}


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(f"{server.url}/?token={TOKEN}") as made:
        yield made


@pytest.fixture
def run_ids(server: Server) -> list[str]:
    """Give four finished runs: bsp and ssp, two seeds each."""
    made: list[str] = server.wait_until_done(server.submit("grid", run=QUICK, grid=GRID, seeds=[1, 2]))["run_ids"]
    return made


def found(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["rows"]]


def test_rows_are_lean_and_complete(server: Server, run_ids: list[str]) -> None:
    page = check_model(history_models.RowPage, server.get("/runs/rows"))
    assert found(page) == run_ids[::-1]
    assert (page["total"], page["is_total_exact"], page["next_cursor"]) == (4, True, None)
    row, run = page["rows"][0], server.get(f"/runs/{run_ids[-1]}")
    assert row["policy"] == run["spec"]["policy"]
    assert (row["model"], row["num_workers"], row["seed"]) == ("mlp", 4, 2)
    for name in ("utilisation", "wait_share", "duration_s", "final_accuracy", "iterations_per_s", "best_accuracy"):
        assert row[name] == run["summary"][name], name
    for name in ("created_at", "started_at", "finished_at", "deleted_at", "is_archived", "is_simulated", "name"):
        assert row[name] == run[name], name
    assert row["traffic_bytes"] == run["summary"]["bytes"]
    assert "summary" not in row


def test_the_filter_is_the_same_for_rows_runs_and_facets(server: Server, run_ids: list[str]) -> None:
    text = "spec.policy.threshold>=4 seed:1"
    assert found(server.get("/runs/rows", filter=text)) == [run_ids[2]]
    assert [run["id"] for run in server.get("/runs", filter=text)["runs"]] == [run_ids[2]]
    assert server.get("/runs/facets", filter=text)["total"] == 1
    assert found(server.get("/runs/rows", filter="seed:1", policy="bsp")) == [run_ids[0]]  # both have to fit


def test_a_wrong_filter_names_its_place(quiet_server: Server) -> None:
    for path in ("/runs", "/runs/rows", "/runs/facets"):
        answer = quiet_server.http.get(path, params={"filter": "seed:1 polcy:ssp"})
        assert answer.status_code == 422
        problem = check_model(schemas.Problem, answer.json())
        assert problem["errors"] == [
            {"field": "filter[7:12]", "value": "polcy", "wish": "is not a key; near it: policy"}
        ]
        assert problem["detail"].startswith("The filter cannot be read at character 8: 'polcy' is not a key")


def test_facets_count_and_leave_their_own_key_out(server: Server, run_ids: list[str]) -> None:
    server.http.patch(f"/runs/{run_ids[0]}", json={"tags": ["paper"]})

    def counts(filter: str = "") -> dict[str, dict[str, int]]:
        data = check_model(history_models.Facets, server.get("/runs/facets", filter=filter))
        return {facet["key"]: {one["value"]: one["num"] for one in facet["values"]} for facet in data["facets"]}

    every = counts()
    assert every["policy"] == {"bsp": 2, "ssp": 2}
    assert every["state"] == {"completed": 4}
    assert (every["tag"], every["workers"], every["simulated"]) == ({"paper": 1}, {"4": 4}, {"no": 4})
    some = counts("policy:ssp seed:1")
    assert some["policy"] == {"bsp": 1, "ssp": 1}  # without its own part
    assert some["state"] == {"completed": 1}
    assert some["tag"] == {}
    assert counts("tag:paper")["tag"] == {"paper": 1}
    server.http.patch(f"/runs/{run_ids[0]}", json={"is_archived": True})
    assert counts()["tag"] == {}
    assert counts("is:archived")["tag"] == {"paper": 1}


def test_the_help_names_keys_and_values_that_are_there(server: Server, run_ids: list[str]) -> None:
    keys = {one["key"]: one for one in check_model(history_models.FilterHelp, server.get("/runs/filter-help"))["keys"]}
    assert keys["policy"]["values"] == ["bsp", "ssp"]
    assert "grid" in keys["experiment"]["values"]
    assert keys["model"]["values"]
    assert "spec.policy.threshold" in keys


def test_every_order_can_be_paged_with_a_filter(server: Server, run_ids: list[str]) -> None:
    for sort in [*listing.SORTS, *(f"-{name}" for name in listing.SORTS)]:
        ids, cursor = [], None
        while True:
            query = {"filter": "state:completed", "sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
            page = server.get("/runs/rows", **query)
            ids += found(page)
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(ids) == sorted(run_ids), sort


# ---- the bin -----------------------------------------------------------------------------------------------


def test_a_deleted_run_is_in_the_bin_until_it_is_restored(server: Server, run_ids: list[str], client: Client) -> None:
    gone = run_ids[0]
    client.delete(gone)
    client.delete(gone)  # is there already
    assert (server.home / "runs" / gone / "events.jsonl").exists()
    assert server.get(f"/runs/{gone}")["deleted_at"] is not None
    assert gone not in found(server.get("/runs/rows"))
    assert gone not in server.get(f"/experiments/{server.get(f'/runs/{gone}')['experiment_id']}")["run_ids"]
    assert found(server.get("/runs/rows", filter="is:deleted")) == [gone]
    refused = server.http.post(f"/runs/{gone}/resume")
    assert (refused.status_code, "bin" in refused.json()["detail"]) == (409, True)
    assert client.history.restore(gone).deleted_at is None
    assert gone in found(server.get("/runs/rows"))
    client.delete(gone, now=True)
    assert not (server.home / "runs" / gone).exists()
    assert server.http.get(f"/runs/{gone}").status_code == 404
    with pytest.raises(Refused):
        client.history.restore(gone)


def test_a_run_that_waits_does_not_start_from_the_bin(server: Server, client: Client) -> None:
    first, second, third = server.submit("queue", run={}, seeds=[1, 2, 3])["run_ids"]
    client.delete(third)
    assert third not in server.get("/queue")["waiting"]
    for run_id in (first, second):
        server.wait_for_state(run_id, "running")
        server.http.post(f"/runs/{run_id}/stop")
        server.wait_for_state(run_id, "stopped")
    assert server.get(f"/runs/{third}")["state"] == "queued"
    client.history.restore(third)
    server.wait_for_state(third, "running")
    assert client.history.change("delete", run_ids=[third]).num_training == 1
    assert server.http.delete(f"/runs/{third}").status_code == 409


# ---- many runs ---------------------------------------------------------------------------------------------


def test_many_runs_are_changed_and_each_change_can_be_undone(
    server: Server, run_ids: list[str], client: Client
) -> None:
    server.http.patch(f"/runs/{run_ids[0]}", json={"tags": ["x"]})
    change = client.history.change
    tagged = change("tag", filter="seed:1", tag="x", num_expected=2)
    assert tagged.run_ids == [run_ids[2]]  # the other had it
    assert [row.id for row in client.history.rows("tag:x")] == [run_ids[2], run_ids[0]]
    change("untag", run_ids=tagged.run_ids, tag="x")
    assert [row.id for row in client.history.rows("tag:x")] == [run_ids[0]]
    archived = change("archive", filter="policy:ssp")
    assert sorted(archived.run_ids) == run_ids[2:]
    assert [row.id for row in client.history.rows()] == run_ids[1::-1]
    assert change("archive", run_ids=run_ids[2:]).run_ids == []
    change("unarchive", run_ids=archived.run_ids)
    deleted = change("delete", filter="")
    assert sorted(deleted.run_ids) == run_ids
    assert list(client.history.rows()) == []
    change("restore", run_ids=run_ids[:2])
    purged = change("purge", filter="is:deleted")
    assert (sorted(purged.run_ids), purged.num_left) == (run_ids[2:], 0)
    assert change("purge", run_ids=run_ids[:2]).run_ids == []  # not in the bin
    assert [row.id for row in client.history.rows()] == run_ids[1::-1]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"change": "archive"}, 422, "run_ids"),
        ({"change": "archive", "run_ids": [], "filter": ""}, 422, "run_ids"),
        ({"change": "archive", "run_ids": ["../.."]}, 422, "run_ids"),
        ({"change": "explode", "run_ids": []}, 422, "change"),
        ({"change": "tag", "run_ids": ["0123456789abcdef"], "tag": " "}, 422, "tags"),
        ({"change": "archive", "filter": "polcy:x"}, 422, "filter[0:5]"),
        ({"change": "archive", "filter": "", "num_expected": 7}, 409, None),
    ],
)
def test_a_wrong_change_changes_nothing(server: Server, body: dict[str, Any], status: int, field: str | None) -> None:
    answer = server.http.post("/runs/change", json=body)
    assert answer.status_code == status, answer.text
    problem = check_model(schemas.Problem, answer.json())
    assert field is None or problem["errors"][0]["field"] == field


# ---- views and the baseline --------------------------------------------------------------------------------


def test_views_are_saved_renamed_and_deleted(server: Server, client: Client) -> None:
    history = client.history
    later = history.save_view("Wide nets", filter="workers>=8", sort="-utilisation", columns=["state", "loss"])
    first = history.save_view("a view")
    assert [view.name for view in history.views()] == ["a view", "Wide nets"]
    assert (later.filter, later.sort, later.columns) == ("workers>=8", "-utilisation", ["state", "loss"])
    assert history.change_view(first.id, name="Renamed", columns=["note"]).columns == ["note"]
    for wrong in ({"name": "Wide nets"}, {"name": " "}, {"filter": "polcy:x"}, {"sort": "colour"}, {"colour": 1}):
        with pytest.raises(Refused):
            history.change_view(first.id, **wrong)
    with pytest.raises(Refused, match="There is a saved view 'Renamed' already"):
        history.save_view("Renamed")
    for view in history.views():
        history.delete_view(view.id)
    assert history.views() == []
    assert server.http.delete(f"/views/{first.id}").status_code == 404
    assert server.http.delete("/views/nonsense").status_code == 404


def test_one_run_is_the_baseline(server: Server, run_ids: list[str], client: Client) -> None:
    history = client.history
    assert history.baseline() is None
    history.pin_baseline(run_ids[0])
    history.pin_baseline(run_ids[1])
    check_model(history_models.Baseline, server.get("/baseline"))
    pinned = history.baseline()
    assert pinned is not None
    assert pinned.id == run_ids[1]
    assert [row.id for row in history.rows("is:baseline")] == [run_ids[1]]
    client.delete(run_ids[1])
    assert history.baseline() is None  # in the bin
    assert server.http.put("/baseline", json={"run_id": run_ids[1]}).status_code == 409
    history.restore(run_ids[1])
    assert history.baseline() is not None
    client.delete(run_ids[1], now=True)
    assert history.baseline() is None
    history.pin_baseline(run_ids[0])
    history.pin_baseline(None)
    assert history.baseline() is None
    assert server.http.put("/baseline", json={"run_id": "0123456789abcdef"}).status_code == 404
