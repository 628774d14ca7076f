"""A run's events and its log over HTTP, on both databases."""

from __future__ import annotations

import json

import pytest

from predictor import log
from predictor.events import IterationReported, RunFinished, WorkerJoined
from tests.api.server import Server


@pytest.fixture
def finished(server: Server) -> str:
    """A run of some hundred events that has ended."""
    run_id = server.submit_run(stop={"iterations": 40}, speed={"kind": "lognormal", "base_s": 0.01})
    server.wait_for_state(run_id, "completed")
    return run_id


def test_events_are_those_of_the_log(server: Server, finished: str) -> None:
    page = server.get(f"/runs/{finished}/events")
    lines = (server.home / "runs" / finished / "events.jsonl").read_bytes().splitlines()
    assert page["events"] == [json.loads(line) for line in lines]
    assert (page["last_seq"], page["is_finished"]) == (len(lines), True)
    assert server.get(f"/runs/{finished}")["last_seq"] == len(lines)
    for fields in page["events"]:
        log.from_fields(fields)


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_pages_follow_each_other(server: Server, finished: str, limit: int) -> None:
    expected = server.get(f"/runs/{finished}/events")["events"][: 30 * limit]
    found: list[dict[str, object]] = []
    after = 0
    while len(found) < len(expected):
        page = server.get(f"/runs/{finished}/events", after=after, limit=limit)
        assert 0 < len(page["events"]) <= limit
        found += page["events"]
        after = page["last_seq"]
    assert found[: len(expected)] == expected[: len(found)]


def test_some_kinds_only(server: Server, finished: str) -> None:
    every = server.get(f"/runs/{finished}/events")["events"]
    page = server.get(f"/runs/{finished}/events", kinds="PushArrived, RunFinished")
    assert page["events"] == [event for event in every if event["kind"] in ("PushArrived", "RunFinished")]
    assert (page["last_seq"], page["is_finished"]) == (every[-1]["seq"], True)


def test_events_of_a_run_that_trains(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    assert server.get(f"/runs/{run_id}/events", after=1) == {"events": [], "last_seq": 1, "is_finished": False}
    server.say(run_id, WorkerJoined(0.1, 0, 0, 0), IterationReported(0.2, 0, 1, 0.1, 0.2, False))
    server.say(run_id, RunFinished(1.0, "completed", "Done."))
    server.wait_for_state(run_id, "completed")
    page = server.get(f"/runs/{run_id}/events", after=1)
    assert [event["seq"] for event in page["events"]] == [2, 3, 4]
    assert page["is_finished"]


@pytest.mark.parametrize(
    "query",
    [
        {"after": "-1"},
        {"limit": "0"},
        {"limit": "10001"},
        {"kinds": "Nonsense"},
        {"kinds": "PushArrived,"},
        {"since": "1"},
        {"after": str(2**63)},
        {"after": str(2**63 - 1)},
    ],
)
def test_a_wrong_query_is_a_problem(quiet_server: Server, query: dict[str, str]) -> None:
    answer = quiet_server.http.get("/runs/0123456789abcdef/events", params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in query


def test_the_log_of_the_processes_can_be_read(server: Server, finished: str) -> None:
    answer = server.http.get(f"/runs/{finished}/log")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == f"playing {finished}\n"
    path = server.home / "runs" / finished / "log.txt"
    path.write_text("".join(f"line {number}\n" for number in range(1_000)))
    assert server.http.get(f"/runs/{finished}/log", params={"tail_bytes": 20}).text == "line 998\nline 999\n"
    assert server.http.get(f"/runs/{finished}/log", params={"tail_bytes": 0}).status_code == 422
