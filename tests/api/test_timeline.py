"""The routes of a run's timeline: what they answer, and what they say to requests that make no sense."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from backend.api.timeline_models import EventStretch, TimelineOverview, TimelineState
from backend.timeline.tiles import BINS
from tests.api.server import Server, check_model

ITERATIONS = 60


@pytest.fixture
def run_id(server: Server) -> str:
    made = server.submit_run(stop={"iterations": ITERATIONS, "seconds": None}, cluster={"num_workers": 3})
    server.wait_for_state(made, "completed")
    return made


def test_the_state_says_what_tiles_there_are(server: Server, run_id: str) -> None:
    state = check_model(TimelineState, server.get(f"/runs/{run_id}/timeline"))
    assert state["is_complete"]
    assert state["last_seq"] == state["newest_seq"] == server.get(f"/runs/{run_id}")["last_seq"]
    assert 2.0 ** state["top"] * state["bins"] > state["to_s"] > 0


def test_a_tile_is_packed_as_documented(server: Server, run_id: str) -> None:
    state = server.get(f"/runs/{run_id}/timeline")
    answer = server.http.get(f"/runs/{run_id}/timeline/tiles/{state['top']}/0")
    assert answer.headers["content-encoding"] == "deflate"
    size, num_layers, num_workers = struct.unpack_from("<BBH", answer.content)
    assert (size, num_layers, num_workers) == (1, 7, 3)  # some windows of its policy were missed
    iterations = struct.unpack_from(f"<{BINS}f", answer.content, 4)
    assert sum(iterations) == 3 * ITERATIONS
    assert struct.unpack_from("<3H", answer.content, 4 + 5 * BINS * 4) == (0, 1, 2)
    assert len(answer.content) == 4 + 5 * BINS * 4 + 2 * 3 + 7 * 3 * BINS


def test_the_overview_agrees_with_the_summary(server: Server, run_id: str) -> None:
    found = check_model(TimelineOverview, server.get(f"/runs/{run_id}/timeline/overview", columns=50))
    assert found["num_bins"] <= 52
    assert found["workers"] == [0, 1, 2]
    for row in server.get(f"/runs/{run_id}")["summary"]["workers"]:
        assert sum(found["seconds"]["compute"][row["worker"]]) == pytest.approx(row["compute_s"], rel=0.03)
    assert sum(found["figures"]["iterations"]) == 3 * ITERATIONS


def test_landmarks_go_on_in_the_events(server: Server, run_id: str) -> None:
    whole = server.get(f"/runs/{run_id}/timeline/landmarks", until=10**9)
    kinds = [event["kind"] for event in whole["events"]]
    assert kinds[0] == "RunStarted"
    assert kinds[-1] == "RunFinished"
    assert whole["last_seq"] == server.get(f"/runs/{run_id}")["last_seq"]
    assert server.get(f"/runs/{run_id}/timeline/landmarks", until=0) == {
        "events": [], "last_seq": 0, "is_finished": False
    }  # fmt: skip


def test_events_of_a_stretch(server: Server, run_id: str) -> None:
    to_s = server.get(f"/runs/{run_id}/timeline")["to_s"]
    found = check_model(EventStretch, server.get(f"/runs/{run_id}/timeline/events", from_s=0, to_s=to_s))
    assert [event["seq"] for event in found["events"]] == list(range(1, len(found["events"]) + 1))
    cut = server.get(f"/runs/{run_id}/timeline/events", from_s=0, to_s=to_s, limit=50)
    assert cut["is_cut"]
    assert cut["to_s"] < to_s


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/timeline/tiles/99/0", 422, "level must be <= 40"),
        ("/timeline/tiles/0/-1", 422, "place must be >= 0"),
        ("/timeline/overview?columns=0", 422, "columns must be >= 1"),
        ("/timeline/overview?from_s=1e9", 422, "must lie after from_s"),
        ("/timeline/overview?from_s=nan", 422, "from_s"),
        ("/timeline/events?from_s=2&to_s=1", 422, "to_s must be >= from_s"),
        ("/timeline/events?from_s=2", 422, "to_s is required"),
        ("/timeline/landmarks", 422, "until is required"),
        ("/timeline?x=1", 422, "x is not a known parameter"),
    ],
)
def test_a_request_without_sense_gets_one_sentence(
    server: Server, run_id: str, path: str, status: int, words: str
) -> None:
    answer = server.http.get(f"/runs/{run_id}{path}")
    problem: dict[str, Any] = answer.json()
    assert answer.status_code == status
    assert words in problem["detail"]


@pytest.mark.parametrize("path", ["", "/tiles/0/0", "/overview", "/landmarks?until=1", "/events?from_s=0&to_s=1"])
def test_an_unknown_run(server: Server, path: str) -> None:
    assert server.http.get(f"/runs/0000000000000000/timeline{path}").status_code == 404
