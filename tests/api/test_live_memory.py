"""What the live stream keeps in memory: the newest events, and which runs have changed."""

from __future__ import annotations

import asyncio
import contextlib

import orjson

from backend.api.frames import EventsFrame, Frames
from backend.api.live_connection import Connection, RunEnded
from backend.api.notices import NUM_KEPT, Notices
from backend.runs.tails import MIN_SHARES, Tails, num_fitting
from backend.runs.wakeups import Subscription, Wakeups
from backend.store.database import Database
from tests.api.server import Server

RUN = "0123456789abcdef"


def lines_of(first: int, num: int, size: int = 10) -> list[bytes]:
    return [f"{seq:0{size}}".encode() for seq in range(first, first + num)]


def test_a_tail_gives_what_follows_on_a_cursor() -> None:
    tails = Tails()
    tails.watch(RUN)
    tails.add(RUN, 5, lines_of(5, 10))
    tails.add(RUN, 15, lines_of(15, 10))
    for seq in range(4, 25):
        assert tails.after(RUN, seq, 1000, 10**6) == lines_of(seq + 1, 24 - seq)
    assert tails.after(RUN, 3, 1000, 10**6) == []  # event 4 lies in the store only
    assert tails.after(RUN, 7, 9, 10**6) == lines_of(8, 9)
    assert tails.after(RUN, 7, 1000, 33) == lines_of(8, 3)
    assert tails.last_seq(RUN) == 24


def test_a_tail_has_no_gap() -> None:
    tails = Tails()
    tails.watch(RUN)
    tails.add(RUN, 1, lines_of(1, 10))
    tails.add(RUN, 21, lines_of(21, 5))  # another program has stored what lies between
    assert tails.after(RUN, 5, 1000, 10**6) == []
    assert tails.after(RUN, 20, 1000, 10**6) == lines_of(21, 5)


def test_a_tail_is_kept_while_somebody_watches_and_within_its_limit() -> None:
    tails = Tails(limit_bytes=MIN_SHARES * 100)
    tails.add(RUN, 1, lines_of(1, 5))
    assert tails.last_seq(RUN) == 0
    tails.watch(RUN)
    tails.watch(RUN)
    for first in range(1, 1000, 5):
        tails.add(RUN, first, lines_of(first, 5))
        assert len(tails.after(RUN, max(0, first - 6), 1000, 10**6)) <= 10
    assert tails.after(RUN, 990, 1000, 10**6) == lines_of(991, 10)
    tails.unwatch(RUN)
    assert tails.last_seq(RUN) == 1000
    tails.unwatch(RUN)
    assert tails.last_seq(RUN) == 0


def test_a_line_that_is_longer_than_a_frame_goes_alone() -> None:
    assert num_fitting([b"x" * 100, b"y"], 10, 50) == 1
    assert num_fitting([b"x", b"y" * 100], 10, 50) == 1
    assert num_fitting([], 10, 50) == 0


def test_changes_are_remembered_once_each() -> None:
    wakeups = Wakeups()
    for run_id in ("a", "b", "a", "c"):
        wakeups.notify(run_id)
    assert wakeups.changed_since(0) == ["b", "a", "c"]
    assert wakeups.changed_since(wakeups.version_of("b")) == ["a", "c"]
    assert wakeups.changed_since(wakeups.version) == []


def test_who_has_missed_too_many_notices_is_told_to_read_the_list(server: Server, database: Database) -> None:
    run_id = server.submit_run()
    wakeups = Wakeups()

    async def read() -> None:
        notices = Notices(database, wakeups)
        assert notices.due_in_s(0) is None
        for _ in range(NUM_KEPT + 5):
            wakeups.notify(run_id)
            notices._made_at = -1.0  # as if it were long ago
            assert await notices.after(notices.number) is not None
        assert await notices.after(notices.number) is None
        late = await notices.after(1)
        assert late is not None
        assert '"is_complete":false' in late.text
        assert late.number == notices.number
        recent = await notices.after(notices.number - 1)
        assert recent is not None
        assert f'"id":"{run_id}"' in recent.text

    asyncio.run(read())


def test_a_frame_that_another_readers_read_brought_to_hand_is_sent_once(server: Server, database: Database) -> None:
    """Two readers catch up on one run: what one has read is at hand for the other, whose own read goes on."""
    run_id = server.submit_run(stop={"iterations": 300}, speed={"kind": "lognormal", "base_s": 0.01})
    last_seq = server.wait_for_state(run_id, "completed")["last_seq"]
    sent: list[int] = []

    async def note(text: str) -> None:
        frame = orjson.loads(text)
        sent.extend(event["seq"] for event in frame.get("events", ()))

    async def catch_up() -> None:
        wakeups = Wakeups()
        frames = _LateFrames(database, wakeups)
        with Subscription(wakeups, run_id) as subscription:
            connection = Connection(note, frames, Notices(database, wakeups), subscription, 10.0, is_single=True)
            connection.follow(run_id, 0)
            with contextlib.suppress(RunEnded):
                async with asyncio.timeout(30):
                    await connection.send_all()

    asyncio.run(catch_up())
    assert sent == list(range(1, last_seq + 1))


class _LateFrames(Frames):
    """Gives what it has read later than it stands in memory, as when the other reader was woken first."""

    async def after(self, run_id: str, seq: int) -> EventsFrame | None:
        frame = await super().after(run_id, seq)
        self.wakeups.notify(run_id)
        await asyncio.sleep(0.02)
        return frame
