"""One socket for many runs: what each gets, that none waits for another, and what is refused."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.sync.client import connect

from backend.api import live, live_connection, sockets
from backend.store import events
from predictor.events import IterationReported, RunFinished
from tests.api.hub import Hub, opened
from tests.api.server import Server, serving
from tests.backend.checks import wait_for

LONG = {"stop": {"iterations": 500}, "speed": {"kind": "lognormal", "base_s": 0.01}, "policy": {"name": "ssp"}}
FINISHED = RunFinished(99.0, "completed", "Done.")
UNKNOWN = "0123456789abcdef"


def report(number: int) -> IterationReported:
    return IterationReported(number / 10, number % 4, number, 0.1, number / 10, False)


@pytest.fixture
def broad_server(tmp_path: Path) -> Iterator[Server]:
    """Several runs train at once."""
    home = tmp_path / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}", concurrency=4) as served:
        yield served


def start(server: Server, num: int) -> list[str]:
    """Start runs that do what the test says."""
    run_ids: list[str] = server.submit("many", run={}, seeds=list(range(num)))["run_ids"]
    for run_id in run_ids:
        server.wait_for_state(run_id, "running")
    return run_ids


def test_runs_come_side_by_side_and_the_socket_outlives_them(broad_server: Server) -> None:
    server = broad_server
    run_ids = start(server, 3)
    with opened(server) as hub:
        hub.follow(*run_ids)
        for number in range(1, 31):
            server.say(run_ids[number % 3], report(number))
        server.say(run_ids[0], FINISHED)
        hub.read(until=lambda now: run_ids[0] in now.ended and len(now.seqs[run_ids[1]]) == 11)
        server.say(run_ids[1], report(31), FINISHED)
        hub.read(until=lambda now: run_ids[1] in now.ended)
        assert hub.ended == run_ids[:2]
        assert hub.is_whole(run_ids[0], 12)
        assert hub.is_whole(run_ids[1], 13)
        assert hub.states[run_ids[0]][-1] == "completed"
        hub.follow(run_ids[0])  # again, from the cursor: there is only the end
        hub.read(until=lambda now: now.ended.count(run_ids[0]) == 2)
        assert hub.is_whole(run_ids[0], 12)


def test_every_subscription_begins_with_its_own_frame(broad_server: Server) -> None:
    [run_id] = start(broad_server, 1)
    broad_server.say(run_id, *map(report, range(1, 6)))
    with opened(broad_server) as hub:
        hub.follow(run_id)
        hub.read(until=lambda now: len(now.seqs[run_id]) == 6)
        hub.seqs[run_id] = []
        hub.follow(run_id)
        hub.read(until=lambda now: len(now.seqs[run_id]) == 6)
        assert hub.is_whole(run_id, 6)
    assert [kind for kind, _ in hub.frames if kind == "subscribed"] == ["subscribed"] * 2
    assert hub.frames[0] == ("subscribed", run_id)


def test_an_unsubscribed_run_is_silent(broad_server: Server) -> None:
    quiet, heard = start(broad_server, 2)
    with opened(broad_server) as hub:
        hub.follow(quiet, heard)
        hub.read(until=lambda now: bool(now.seqs[quiet]) and bool(now.seqs[heard]))
        hub.say(type="unsubscribe", run_id=quiet)
        hub.follow(heard)  # its first frame says that the message before was read
        hub.read(until=lambda now: now.frames[-1] == ("subscribed", heard))
        broad_server.say(quiet, *map(report, range(1, 20)))
        wait_for(lambda: broad_server.get(f"/runs/{quiet}")["last_seq"] == 20, "they are stored")
        broad_server.say(heard, report(1), FINISHED)
        hub.read(until=lambda now: bool(now.ended))
    assert hub.seqs[quiet] == [1]


@pytest.mark.parametrize("run_id", [UNKNOWN, "x", "../../etc", 'a"b', "ü"])
def test_an_unknown_run_is_gone_and_the_others_go_on(broad_server: Server, run_id: str) -> None:
    [known] = start(broad_server, 1)
    with opened(broad_server) as hub:
        hub.follow(run_id, known)
        hub.read(until=lambda now: bool(now.gone) and bool(now.seqs[known]))
        assert hub.gone == [run_id]
        broad_server.say(known, FINISHED)
        hub.read(until=lambda now: now.ended == [known])


def test_a_deleted_run_is_gone(broad_server: Server) -> None:
    *_, waiting = broad_server.submit("deleted", run={}, seeds=[1, 2, 3, 4, 5])["run_ids"]
    with opened(broad_server) as hub:
        hub.follow(waiting)
        hub.read(until=lambda now: bool(now.states.get(waiting)))
        assert broad_server.http.delete(f"/runs/{waiting}", params={"now": True}).is_success
        hub.read(until=lambda now: now.gone == [waiting] or now.states[waiting][-1] != "queued")


def test_the_list_tells_what_has_changed(broad_server: Server) -> None:
    with opened(broad_server) as hub:
        hub.say(type="subscribe", topic="runs")
        hub.read(until=lambda now: bool(now.frames))
        assert hub.frames == [("subscribed", None)]
        [run_id] = start(broad_server, 1)
        broad_server.say(run_id, FINISHED)
        hub.read(until=lambda now: bool(now.notices) and [run_id, "completed"] in newest(now))
        broad_server.http.patch(f"/runs/{run_id}", json={"name": "renamed", "tags": ["b", "a"]})
        hub.read(until=lambda now: "renamed" in [run["name"] for notice in now.notices for run in notice["runs"]])
        told = {"id": run_id, "state": "completed", "name": "renamed", "tags": ["a", "b"]}
        assert hub.notices[-1]["runs"] == [told]
        hub.say(type="unsubscribe", topic="runs")
        hub.say(type="subscribe", run_id=run_id)
        num = len(hub.notices)
        hub.seqs[run_id] = []
        hub.read(until=lambda now: bool(now.ended))
        assert len(hub.notices) - num <= 1  # one may have been on its way


def newest(hub: Hub) -> list[list[str]]:
    return [[run["id"], run["state"]] for notice in hub.notices for run in notice["runs"]]


def test_many_changes_are_few_notices(broad_server: Server) -> None:
    [run_id] = start(broad_server, 1)
    with opened(broad_server) as hub:
        hub.say(type="subscribe", topic="runs")
        hub.follow(run_id)
        for number in range(1, 80):
            broad_server.say(run_id, report(number))
            threading.Event().wait(0.02)  # longer in all than a notice is held back
        broad_server.say(run_id, FINISHED)
        hub.read(until=lambda now: [run_id, "completed"] in newest(now) and bool(now.ended))
    num_frames = sum(kind == "events" for kind, _ in hub.frames)
    assert num_frames > len(hub.notices)
    assert all(len(notice["runs"]) == 1 and notice["is_complete"] for notice in hub.notices)


def test_a_long_past_does_not_hold_up_the_present(broad_server: Server) -> None:
    """While a long log is sent, the events of another run arrive among its frames, not after them."""
    server = broad_server
    long_id = server.submit_run(**{**LONG, "stop": {"iterations": 1700}})
    last_seq = server.wait_for_state(long_id, "completed")["last_seq"]
    [live_id] = start(server, 1)
    with opened(server, receive_bytes=4096) as hub:
        hub.follow(live_id)
        hub.read(until=lambda now: len(now.seqs[live_id]) == 1)
        hub.follow(long_id)
        hub.read(until=lambda now: bool(now.seqs[long_id]))
        server.say(live_id, report(1))
        wait_for(lambda: server.get(f"/runs/{live_id}")["last_seq"] == 2, "it is stored")
        hub.read(until=lambda now: len(now.seqs[live_id]) == 2)
        assert 0 < len(hub.seqs[long_id]) < last_seq
        hub.read(until=lambda now: now.ended == [long_id])
    assert hub.is_whole(long_id, last_seq)


BAD_MESSAGES = [
    "",
    "{",
    "[]",
    "17",
    '"subscribe"',
    "{}",
    '{"type":"publish","run_id":"x"}',
    '{"type":["subscribe"],"run_id":"x"}',
    '{"type":"subscribe"}',
    '{"type":"subscribe","run_id":7}',
    '{"type":"subscribe","run_id":"x","after":-1}',
    '{"type":"subscribe","run_id":"x","after":1.5}',
    '{"type":"subscribe","run_id":"x","after":true}',
    '{"type":"subscribe","run_id":"x","after":"1"}',
    '{"type":"subscribe","run_id":"x","after":1' + "0" * 18 + "}",
    '{"type":"subscribe","run_id":"x","ticket":"t"}',
    '{"type":"subscribe","run_id":"x","since":1}',
    '{"type":"unsubscribe","run_id":"x","after":1}',
    '{"type":"subscribe","topic":"experiments"}',
    '{"type":"subscribe","topic":"runs","run_id":"x"}',
    b"\x00",
]


@pytest.mark.parametrize("text", BAD_MESSAGES)
def test_another_message_is_answered_by_one_sentence(quiet_server: Server, text: str | bytes) -> None:
    with opened(quiet_server) as hub:
        hub._connection.send(text)  # type: ignore[union-attr]
        hub.read()
    assert hub.closed is not None
    code, reason = hub.closed
    assert code == 4400
    assert len(reason) > 20


def test_another_query_is_answered_by_one_sentence(quiet_server: Server) -> None:
    url = f"ws://127.0.0.1:{quiet_server.port}/api/v1/live?after=1"
    with connect(url, additional_headers={"Authorization": quiet_server.http.headers["Authorization"]}) as connection:
        hub = Hub()
        hub.attach(connection)
        hub.read()
    assert hub.closed == (4400, "the address takes no query; runs are asked for by messages")


def test_too_many_runs_are_refused(quiet_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_RUNS", 2)
    run_ids = quiet_server.submit("waiting", run={}, seeds=[1, 2, 3, 4])["run_ids"]
    with opened(quiet_server) as hub:
        hub.follow(*run_ids[:2], run_ids[0])  # one of them twice
        hub.read(until=lambda now: len(now.states) == 2)
        hub.say(type="unsubscribe", run_id=run_ids[0])
        hub.follow(run_ids[2])
        hub.read(until=lambda now: run_ids[2] in now.states)
        hub.follow(run_ids[3])
        hub.read()
    assert hub.closed is not None
    assert hub.closed[0] == 4400


def test_silence_is_broken_by_beats(quiet_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_connection, "BEAT_S", 0.05)
    with opened(quiet_server) as hub:
        hub.read(until=lambda now: len(now.frames) == 3)
    assert hub.frames == [("beat", None)] * 3


def test_a_reader_in_memory_needs_no_read_of_the_store(broad_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the tail the events come from the ingest itself, encoded once."""
    [run_id] = start(broad_server, 1)
    with opened(broad_server) as hub:
        hub.follow(run_id)
        hub.read(until=lambda now: bool(now.seqs[run_id]))
        reads: list[int] = []
        read = events.read

        def count(session: Any, run: str, after: int, *rest: Any) -> Any:
            reads.append(after)
            return read(session, run, after, *rest)

        monkeypatch.setattr(events, "read", count)
        for number in range(1, 40):
            broad_server.say(run_id, report(number))
        hub.read(until=lambda now: len(now.seqs[run_id]) == 40)
    assert hub.is_whole(run_id, 40)
    assert reads == []


# ---- connections that break and readers that stall ---------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
def test_random_disconnects_lose_and_double_nothing(broad_server: Server, seed: int) -> None:
    server = broad_server
    source = random.Random(seed)
    run_ids = start(server, 3)
    hub = Hub()
    hub.seqs = {run_id: [] for run_id in run_ids}
    last_seqs = dict.fromkeys(run_ids, 1)
    for turn in range(25):
        said = source.choice(run_ids)
        server.say(said, *map(report, range(1, source.randrange(2, 30))))
        last_seqs[said] = server_seq(server, said)
        with opened(server, hub):
            followed = source.sample(run_ids, source.randrange(1, 4))
            hub.follow(*followed)
            wanted = {run_id: last_seqs[run_id] for run_id in followed}
            num_frames = len(hub.frames) + source.randrange(8)  # after which the connection breaks
            read_some(hub, num_frames, wanted)
        for run_id in run_ids:
            assert hub.is_whole(run_id, len(hub.seqs[run_id])), f"turn {turn}"
    for run_id in run_ids:
        server.say(run_id, FINISHED)
    with opened(server, hub):
        hub.follow(*run_ids)
        hub.read(until=lambda now: sorted(now.ended) == sorted(run_ids))
    for run_id in run_ids:
        assert hub.is_whole(run_id, server.get(f"/runs/{run_id}")["last_seq"])


def read_some(hub: Hub, num_frames: int, wanted: dict[str, int]) -> None:
    hub.read(until=lambda now: len(now.frames) >= num_frames or caught_up(now, wanted))


def server_seq(server: Server, run_id: str) -> int:
    said = (server.home / "runs" / run_id / "say.jsonl").read_text().count("\n")
    wait_for(lambda: server.get(f"/runs/{run_id}")["last_seq"] == said + 1, "what was said is stored")
    return said + 1


def caught_up(hub: Hub, last_seqs: dict[str, int]) -> bool:
    return all(len(hub.seqs[run_id]) >= last_seq for run_id, last_seq in last_seqs.items())


def test_a_restarted_server_goes_on_at_the_cursor(tmp_path: Path) -> None:
    home = tmp_path / "home"
    url = f"sqlite:///{home / 'foresync.db'}"
    hub = Hub()
    with contextlib.ExitStack() as after_the_server:
        with serving(home, url) as server:
            long_id = server.submit_run(**{**LONG, "stop": {"iterations": 1500}})
            last_seq = server.wait_for_state(long_id, "completed")["last_seq"]
            after_the_server.enter_context(opened(server, hub))
            hub.follow(long_id)
            hub.read(until=lambda now: bool(now.seqs[long_id]))
        hub.read()
    assert hub.closed is not None
    assert hub.closed[0] == 1012
    (home / "runs").rename(home / "kept")  # `serving` makes the folder
    with serving(home, url) as server:
        if len(hub.seqs[long_id]) < last_seq or not hub.ended:
            with opened(server, hub):
                hub.follow(long_id)
                hub.read(until=lambda now: now.ended == [long_id])
    assert hub.is_whole(long_id, last_seq)


IMPATIENCE_S = 1.0


def test_stalled_readers_harm_nobody_and_resume(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}", send_timeout_s=IMPATIENCE_S, concurrency=2) as server:
        long_id = server.submit_run(**{**LONG, "stop": {"iterations": 1700}})
        last_seq = server.wait_for_state(long_id, "completed")["last_seq"]
        [live_id] = start(server, 1)
        with contextlib.ExitStack() as stack:
            stalled = [stack.enter_context(opened(server, receive_bytes=4096)) for _ in range(8)]
            for hub in stalled:
                hub.follow(long_id)
            for number in range(1, 60):
                server.say(live_id, report(number))
            healthy = Hub()
            while not healthy.ended or not healthy.is_whole(live_id, 60):
                with opened(
                    server, healthy
                ):  # more than once only where this machine is too slow for the short patience
                    healthy.follow(live_id, long_id)
                    healthy.read(until=lambda now: len(now.seqs[live_id]) == 60 and bool(now.ended))
                assert healthy.closed is None or healthy.closed[0] == 4408
            assert healthy.is_whole(live_id, 60)
            assert healthy.is_whole(long_id, last_seq)
            threading.Event().wait(2 * IMPATIENCE_S)  # the server's patience with the others ends
            for hub in stalled:
                hub.read()
        for hub in stalled:
            assert hub.closed is not None
            assert hub.closed[0] == 4408
            assert 0 < len(hub.seqs[long_id]) < last_seq
        hub = stalled[0]
        with opened(server, hub):
            hub.follow(long_id)
            hub.read(until=lambda now: bool(now.ended))
        assert hub.is_whole(long_id, last_seq)


def test_a_reader_that_never_reads_is_cut_off_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket and what it has not read are given up, though it lives."""
    monkeypatch.setattr(live, "CLOSE_TIMEOUT_S", 0.2)
    monkeypatch.setattr(sockets, "FLUSH_S", 0.2)
    home = tmp_path / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}", send_timeout_s=0.5) as server:
        run_id = server.submit_run(**{**LONG, "stop": {"iterations": 1700}})
        server.wait_for_state(run_id, "completed")
        with opened(server, receive_bytes=4096) as hub:
            hub.follow(run_id)
            port = hub.port
            assert is_held(server, port)
            wait_for(lambda: not is_held(server, port), "the server lets go of the socket")


def is_held(server: Server, client_port: int) -> bool:
    """Tell whether the server, which is in this process, still holds its end of a client's connection."""
    ends = psutil.Process().net_connections("tcp4")
    return any(end.laddr[1:] == (server.port,) and end.raddr[1:] == (client_port,) for end in ends if end.raddr)
