"""The live stream of a real server, read by a real WebSocket client, on both databases."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from backend.api import live_models
from backend.api.frames import EVENTS_PER_FRAME
from predictor.events import IterationReported, RunFinished, WorkerJoined
from tests.api.server import TOKEN, Server, check_model, serving
from tests.api.watching import Watcher, watch_to_the_end, watching, watching_aside
from tests.backend.checks import wait_for

LONG = {"stop": {"iterations": 500}, "speed": {"kind": "lognormal", "base_s": 0.01}, "policy": {"name": "ssp"}}
AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}
FINISHED = RunFinished(9.0, "completed", "Done.")


def report(number: int) -> IterationReported:
    return IterationReported(number / 10, number % 4, number, 0.1, number / 10, False)


def test_a_watcher_gets_every_event_once_while_it_happens(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, WorkerJoined(0.1, 0, 0, 0))
    with watching(server, run_id) as watcher:
        for number in range(1, 16):
            server.say(run_id, report(number))
            watcher.read(until=lambda seen, seq=number + 2: seen.last_seq >= seq)  # as it happens, not at the end
        server.say(run_id, FINISHED)
        watcher.read()
    assert watcher.seqs == list(range(1, 19))
    assert [event["kind"] for event in watcher.events[:3]] == ["RunStarted", "WorkerJoined", "IterationReported"]
    assert watcher.events == server.get(f"/runs/{run_id}/events")["events"]
    assert watcher.code == 1000
    assert [frame["type"] for frame in watcher.frames[-2:]] == ["state", "end"]  # the last state, then the end
    assert watcher.states[0] in ("starting", "running")
    assert watcher.states[-1] == "completed"
    for frame in watcher.frames:
        if frame["type"] == "state":
            check_model(live_models.StateFrame, frame)


def test_any_cursor_goes_on_where_it_stands(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, *map(report, range(1, 9)), FINISHED)
    server.wait_for_state(run_id, "completed")
    for after in range(12):
        watcher = watch_to_the_end(server, run_id, after)
        assert watcher.seqs == list(range(after + 1, 11))
        assert watcher.code == 1000


def test_a_broken_connection_costs_nothing(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    seen: list[int] = []
    for number in range(1, 16, 3):
        with watching(server, run_id, seen[-1] if seen else None) as watcher:
            server.say(run_id, *map(report, range(number, number + 3)))
            watcher.read(until=lambda now: bool(now.events))
        seen += watcher.seqs
    server.say(run_id, FINISHED)
    seen += watch_to_the_end(server, run_id, seen[-1]).seqs
    assert seen == list(range(1, 18))


def test_a_long_log_comes_in_chunks(server: Server) -> None:
    run_id = server.submit_run(**LONG)
    with watching_aside(server, run_id) as early:  # while it is written and stored
        last_seq = server.wait_for_state(run_id, "completed")["last_seq"]
    late = watch_to_the_end(server, run_id)
    assert last_seq > 4 * EVENTS_PER_FRAME
    for watcher in (early, late):
        assert watcher.seqs == list(range(1, last_seq + 1))
        assert max(len(frame["events"]) for frame in watcher.frames if frame["type"] == "events") <= EVENTS_PER_FRAME
    assert early.events == late.events


def test_all_watchers_see_the_same(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    with contextlib.ExitStack() as stack:
        watchers = [stack.enter_context(watching_aside(server, run_id)) for _ in range(12)]
        for number in range(1, 40):
            server.say(run_id, report(number))
        server.say(run_id, FINISHED)
    assert all(watcher.seqs == list(range(1, 42)) and watcher.code == 1000 for watcher in watchers)


def test_the_states_of_a_run_are_shown(server: Server) -> None:
    first, _, waiting = server.submit("states", run={}, seeds=[1, 2, 3])["run_ids"]
    with watching_aside(server, waiting) as watcher:
        wait_for(lambda: watcher.states == ["queued"], "the waiting run is shown")
        server.say(first, "die")
        wait_for(lambda: watcher.states[-1] == "running", "its start is shown")
        server.http.post(f"/runs/{waiting}/stop")
    assert watcher.states[-1] == "stopped"
    assert watcher.frames[-1] == {"type": "end", "run_id": waiting}


def test_a_loss_that_is_not_a_number_reaches_the_browser_as_null(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    with (server.home / "runs" / run_id / "say.jsonl").open("a") as file:
        file.write(
            '{"kind":"EvaluationFinished","at_s":1.0,"snapshot_at_s":1.0,"version":1,"loss":NaN,"accuracy":0.1,'
            '"num_samples":10,"is_final":false}\n'
        )
    server.say(run_id, FINISHED)
    watcher = watch_to_the_end(server, run_id)
    assert [event["loss"] for event in watcher.events if event["kind"] == "EvaluationFinished"] == [None]
    assert server.get(f"/runs/{run_id}/curves")["evaluations"]["loss"] == [None]


def test_a_deleted_run_ends_its_stream(server: Server) -> None:
    *_, waiting = server.submit("deleted", run={}, seeds=[1, 2, 3])["run_ids"]
    with watching_aside(server, waiting) as watcher:
        wait_for(lambda: watcher.states == ["queued"], "the waiting run is shown")
        assert server.http.delete(f"/runs/{waiting}?now=true").status_code == 204
    assert watcher.code == 4404


@pytest.mark.parametrize("run_id", ["0123456789abcdef", "x", "%2e%2e", "a%00b"])
def test_an_unknown_run_is_told_by_the_code(quiet_server: Server, run_id: str) -> None:
    assert watch_to_the_end(quiet_server, run_id).code == 4404


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1.5", "after=%C2%B2", "after=" + "9" * 30, "since=1"])
def test_a_wrong_query_is_told_by_the_code(quiet_server: Server, query: str) -> None:
    url = f"{quiet_server.live_url('0123456789abcdef')}?{query}"
    with connect(url, additional_headers=AUTHORIZATION, compression=None) as connection:
        watcher = Watcher(connection)
        watcher.read()
    assert watcher.code == 4400


def test_an_unknown_socket_is_refused(quiet_server: Server) -> None:
    url = quiet_server.live_url("x").replace("/live", "/other")
    with pytest.raises(InvalidStatus), connect(url, additional_headers=AUTHORIZATION):
        pass


def test_a_server_that_ends_says_so_and_does_not_wait_for_watchers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with contextlib.ExitStack() as after_the_server:
        with serving(home, f"sqlite:///{home / 'foresync.db'}") as server:
            run_id = server.submit_run()
            server.wait_for_state(run_id, "running")
            watcher = after_the_server.enter_context(watching(server, run_id))
            watcher.read(until=lambda seen: bool(seen.events))
        watcher.read()
    assert watcher.code == 1012  # restart: connect again


# ---- a reader that stalls ---------------------------------------------------------------------------------

IMPATIENCE_S = 1.0


@pytest.fixture
def impatient_server(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}", send_timeout_s=IMPATIENCE_S) as served:
        yield served


def test_a_stalled_reader_harms_nobody_and_resumes(impatient_server: Server) -> None:
    server = impatient_server
    run_id = server.submit_run(**{**LONG, "stop": {"iterations": 1700}})
    last_seq = server.wait_for_state(run_id, "completed")["last_seq"]
    with watching(server, run_id, receive_bytes=4096) as stalled:
        healthy = watch_to_the_end(server, run_id)  # while the other one reads nothing
        assert healthy.seqs == list(range(1, last_seq + 1))
        time.sleep(2 * IMPATIENCE_S)  # the server's patience with the other one ends
        stalled.read()
    assert stalled.code == 4408
    assert 0 < stalled.last_seq < last_seq
    rest = watch_to_the_end(server, run_id, stalled.last_seq)
    assert stalled.seqs + rest.seqs == list(range(1, last_seq + 1))
