"""The queue over HTTP: order, cancelling, pausing, places, and what is predicted of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from backend import outlook
from backend.api import queue_models
from backend.client import Client
from backend.runs.queue_settings import FILE, QueueSettings, read, write
from backend.store import runs
from backend.store.database import Database
from backend.store.ordering import moved
from predictor.events import RunFinished
from tests.api import player
from tests.api.server import TOKEN, Server, check_model
from tests.backend.checks import wait_for


@pytest.fixture
def filled(server: Server) -> Iterator[tuple[Server, list[str]]]:
    """A server with two runs that train and four that wait; afterwards its queue works as before."""
    ids = server.submit("queue", seeds=[1, 2, 3, 4, 5, 6])["run_ids"]
    wait_for(lambda: len(status(server)["running"]) == 2, "two train")
    yield server, ids[2:]
    assert server.http.patch("/queue", json={"is_paused": False, "concurrency": 2}).status_code == 200


def status(server: Server) -> Any:
    return check_model(queue_models.QueueStatus, server.get("/queue"))


def move(server: Server, *run_ids: str, **to: Any) -> Any:
    answer = server.http.post("/queue/move", json={"run_ids": list(run_ids), **to})
    assert answer.status_code == 200, answer.text
    return check_model(queue_models.QueueStatus, answer.json())["waiting"]


@pytest.mark.parametrize(
    ("chosen", "to", "before", "order"),
    [
        ("c", "first", None, "cabde"),
        ("c", "last", None, "abdec"),
        ("c", "up", None, "acbde"),
        ("c", "down", None, "abdce"),
        ("a", "up", None, "abcde"),
        ("e", "down", None, "abcde"),
        ("ec", "first", None, "ceabd"),
        ("bd", "up", None, "bdace"),
        ("bd", "down", None, "acebd"),
        ("ab", "up", None, "abcde"),
        ("de", "down", None, "abcde"),
        ("e", None, "b", "aebcd"),
        ("ad", None, "c", "badce"),
        ("abcde", "first", None, "abcde"),
    ],
)
def test_an_order_is_changed(chosen: str, to: Any, before: str | None, order: str) -> None:
    assert "".join(moved("abcde", set(chosen), to, before)) == order


def test_waiting_runs_change_their_places(filled: tuple[Server, list[str]]) -> None:
    server, (a, b, c, d) = filled
    assert move(server, d, to="first") == [d, a, b, c]
    assert move(server, a, to="down") == [d, b, a, c]
    assert move(server, c, before=b) == [d, c, b, a]
    assert move(server, b, a, to="first") == [b, a, d, c]
    assert [server.get(f"/runs/{run_id}")["queue_position"] for run_id in (b, a, d, c)] == [1, 2, 3, 4]


def test_the_order_is_that_in_which_runs_start(filled: tuple[Server, list[str]]) -> None:
    server, (_, _, _, d) = filled
    move(server, d, to="first")
    server.say(status(server)["running"][0], RunFinished(1.0, "completed", "Done."))
    server.wait_for_state(d, "running")


def test_a_move_that_cannot_be_says_why(filled: tuple[Server, list[str]]) -> None:
    server, (a, b, _, _) = filled
    running = status(server)["running"]
    gone = server.http.post("/queue/move", json={"run_ids": running, "to": "first"})
    assert (gone.status_code, gone.json()["detail"]) == (
        409,
        "None of these runs waits in the queue any more, so none can be moved.",
    )
    assert move(server, running[0], b, to="first")[:2] == [b, a]  # the one that trains is passed over
    nowhere = server.http.post("/queue/move", json={"run_ids": [a], "before": running[0]})
    assert nowhere.status_code == 409
    for body in ({"run_ids": [a]}, {"run_ids": [a], "to": "first", "before": b}, {"run_ids": [], "to": "first"}):
        assert server.http.post("/queue/move", json=body).status_code == 422
    assert server.http.post("/queue/move", json={"run_ids": [a], "to": "sideways"}).status_code == 422


def test_what_is_in_the_bin_has_no_part_in_the_queue(filled: tuple[Server, list[str]]) -> None:
    server, (a, b, c, d) = filled
    assert server.http.delete(f"/runs/{c}").status_code == 204
    assert move(server, d, to="up") == [a, d, b]
    assert server.http.post("/queue/move", json={"run_ids": [c], "to": "first"}).status_code == 409
    assert server.http.post("/queue/cancel", json={"run_ids": [c]}).json()["cancelled"] == []
    assert server.http.post(f"/runs/{c}/restore").status_code == 200
    assert server.get(f"/runs/{c}")["state"] == "queued"


def test_runs_are_taken_out_of_the_queue_and_can_come_back(filled: tuple[Server, list[str]]) -> None:
    server, (a, b, c, d) = filled
    running = status(server)["running"]
    answer = server.http.post("/queue/cancel", json={"run_ids": [c, a, *running]})
    assert check_model(queue_models.QueueCancelled, answer.json())["cancelled"] == [a, c]
    assert status(server)["waiting"] == [b, d]
    assert status(server)["running"] == running
    run = server.get(f"/runs/{a}")
    assert (run["state"], run["reason"]) == ("stopped", "Taken out of the queue by the user.")
    assert server.http.post(f"/runs/{a}/resume").status_code == 202
    assert status(server)["waiting"] == [b, d, a]


def test_a_paused_queue_starts_nothing_until_it_goes_on(filled: tuple[Server, list[str]]) -> None:
    server, (a, _, _, _) = filled
    assert server.http.patch("/queue", json={"is_paused": True}).json()["is_paused"] is True
    first, second = status(server)["running"]
    server.say(first, RunFinished(1.0, "completed", "Done."))
    server.wait_for_state(first, "completed")
    server.say(second, RunFinished(1.0, "completed", "Done."))  # ended well after the first one's place was free
    server.wait_for_state(second, "completed")
    assert server.get(f"/runs/{a}")["state"] == "queued"
    assert read(server.home, None) == QueueSettings(2, is_paused=True)
    server.http.patch("/queue", json={"is_paused": False})
    server.wait_for_state(a, "running")


def test_more_places_are_filled_at_once_and_fewer_end_nothing(filled: tuple[Server, list[str]]) -> None:
    server, (a, b, _, _) = filled
    with Client(server.url, TOKEN) as client:
        assert client.change_queue(concurrency=4).concurrency == 4
        server.wait_for_state(b, "running")
        assert len(client.queue().running) == 4
        assert client.change_queue(concurrency=1).concurrency == 1
        assert len(client.queue().running) == 4
        assert client.move_queued(client.queue().waiting[1:], "first").waiting
        assert client.cancel_queued([a]) == []  # it trains
    for wrong in (0, 65, "many", None):
        assert server.http.patch("/queue", json={"concurrency": wrong}).status_code == 422
    assert server.http.patch("/queue", json={"speed": 3}).status_code == 422


def test_the_outlook_fills_the_places_in_order(filled: tuple[Server, list[str]], database: Database) -> None:
    server, waiting = filled
    made = check_model(queue_models.QueueOutlook, server.get("/queue/outlook"))
    ids = [run["run_id"] for run in made["runs"]]
    assert ids == [*status(server)["running"], *waiting]
    assert [run["is_running"] for run in made["runs"]] == [True, True, False, False, False, False]
    assert made["basis"].startswith("predicted")
    shorter = server.get("/queue/outlook", limit=1)
    assert (len(shorter["runs"]), shorter["num_left_out"]) == (3, 3)
    with database.read() as session:
        listed = runs.find(session, ids)
    begun = listed[0].started_at
    assert begun is not None
    found = outlook.predict(listed, lambda *_, **__: player.CATALOGUE, 2, now=begun + timedelta(seconds=10))
    for run in found[:2]:  # the default ends after 60 s
        assert run["starts_low_s"] == run["starts_high_s"] == 0
        assert (run["ends_low_s"], run["ends_high_s"]) == (50.5, 56)
    spans = [(run["starts_low_s"], run["ends_low_s"], run["starts_high_s"], run["ends_high_s"]) for run in found[2:]]
    assert spans == [(50.5, 111, 56, 122)] * 2 + [(111, 171.5, 122, 188)] * 2
    late = outlook.predict(listed, lambda *_, **__: player.CATALOGUE, 2, now=begun + timedelta(seconds=100))
    assert (late[0]["ends_low_s"], late[0]["ends_high_s"], late[0]["basis"]) == (0, 100, outlook.OVERDUE)
    fewer = outlook.predict(listed, lambda *_, **__: player.CATALOGUE, 1, now=begun + timedelta(seconds=10))
    assert [run["starts_low_s"] for run in fewer] == [0, 0, 50.5, 111, 171.5, 232]


def test_a_run_that_nothing_bounds_leaves_the_rest_open(server: Server) -> None:
    endless = {"stop": {"seconds": None, "target": {"value": 0.9}}}
    for _ in range(2):
        server.wait_for_state(server.submit_run(**endless), "running")
    server.submit_run()
    last = server.get("/queue/outlook")["runs"][-1]
    assert last["starts_high_s"] is last["ends_high_s"] is None


def test_the_queues_settings_survive_a_restart_and_a_damaged_file(tmp_path: Any) -> None:
    assert read(tmp_path, None) == QueueSettings(1)
    write(tmp_path, QueueSettings(3, is_paused=True))
    assert read(tmp_path, None) == QueueSettings(3, is_paused=True)
    assert read(tmp_path, 2) == QueueSettings(2, is_paused=True)
    for damaged in ("{", "[1]", '{"concurrency": 1e9, "is_paused": 1}', '{"concurrency": -1}'):
        (tmp_path / FILE).write_text(damaged)
        assert read(tmp_path, None) == QueueSettings(1)
