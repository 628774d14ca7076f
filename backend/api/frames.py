"""What the live stream sends, read and encoded once for all who watch a run."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from starlette.concurrency import run_in_threadpool

from backend.api.views import run_data
from backend.runs.tails import num_fitting
from backend.runs.wakeups import Wakeups
from backend.store import events, runs
from backend.store.database import Database
from backend.store.records import EventPage

EVENTS_PER_FRAME = 2_000
FRAME_BYTES = 96 * 1024  # of a frame's events; a reader that stalls costs one frame, and what lies before it
KEPT_CHARACTERS = 32 * 2**20
KEPT_STATES = 1_000
SHARED_STATE_S = 0.2  # a state this old is not read again

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class EventsFrame:
    """Encoded events after some cursor, and the cursor that follows them."""

    text: str
    last_seq: int
    is_cut: bool  # more was there than a frame may hold


@dataclass(frozen=True, slots=True)
class StateFrame:
    """An encoded run."""

    text: str
    last_seq: int
    is_finished: bool
    version: int  # of the run's last change before it was read; `Wakeups.version_of` tells whether there was another
    read_at: float  # monotonic


class SharedReads(Generic[Key, Value]):
    """Reads in threads, of which many callers share one: a caller gets a read that began after its call."""

    def __init__(self, read: Callable[[Key], Value]) -> None:
        self._read = read
        self._running: dict[Key, asyncio.Task[Value]] = {}

    async def get(self, key: Key) -> Value:
        earlier = self._running.get(key)
        if earlier is not None:
            await asyncio.wait({earlier})  # it may have begun before what the caller was woken for
        running = self._running.get(key)
        if running is None:
            running = asyncio.create_task(run_in_threadpool(self._read, key))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key))
        return await asyncio.shield(running)  # the others wait on, even if one goes away


class Frames:
    """The frames of all runs that are watched. One instance for each event loop.

    The newest frames of events are kept, since those who watch a run mostly stand at the same cursor. A kept
    frame never becomes wrong, as events never change; it only becomes short, and the next goes on where it ends.
    """

    def __init__(
        self, database: Database, wakeups: Wakeups | None = None, kept_characters: int = KEPT_CHARACTERS
    ) -> None:
        self.wakeups = wakeups or Wakeups()
        self._database = database
        self._limit = kept_characters
        self.num_kept_characters = 0
        self._kept: OrderedDict[tuple[str, int], EventsFrame] = OrderedDict()
        self._events = SharedReads(self._read_events)
        self._states = SharedReads(self._read_state)
        self._known: OrderedDict[str, StateFrame] = OrderedDict()

    async def state(self, run_id: str) -> StateFrame:
        """Give the run as it is now, or was a moment ago; `StateFrame.version` tells which.

        Raises:
            NotFound: there is no such run.
        """
        known = self._known.get(run_id)
        if known is not None and time.monotonic() < known.read_at + SHARED_STATE_S:
            return known
        self._known.pop(run_id, None)
        state = self._known[run_id] = await self._states.get(run_id)
        if len(self._known) > KEPT_STATES:
            self._known.popitem(last=False)
        return state

    def at_hand(self, run_id: str, seq: int) -> EventsFrame | None:
        """Give the next events after `seq` if that takes no read of the store."""
        frame = self._kept.get((run_id, seq))
        if frame is None:
            tail = self.wakeups.tails.after(run_id, seq, EVENTS_PER_FRAME, FRAME_BYTES)
            if tail:
                is_cut = self.wakeups.tails.last_seq(run_id) > seq + len(tail)
                frame = self._keep(run_id, seq, tail, is_cut=is_cut)
        return frame

    async def after(self, run_id: str, seq: int) -> EventsFrame | None:
        """Give the next events after `seq`, or None when none is stored yet.

        Raises:
            NotFound: there is no such run.
        """
        return self.at_hand(run_id, seq) or await self._stored_after(run_id, seq)

    async def _stored_after(self, run_id: str, seq: int) -> EventsFrame | None:
        page = await self._events.get((run_id, seq))
        kept = self._kept.get((run_id, seq))
        if kept is not None or not page.lines:
            return kept  # somebody else has waited for the same read
        first: EventsFrame | None = None
        lines = list(page.lines)
        while lines:  # one read of the store makes several frames
            num = num_fitting(lines, EVENTS_PER_FRAME, FRAME_BYTES)
            is_cut = num < len(lines) or not page.is_end
            frame = self._keep(run_id, seq, lines[:num], is_cut=is_cut)
            first = first or frame
            seq, lines = frame.last_seq, lines[num:]
        return first

    def _keep(self, run_id: str, seq: int, lines: Sequence[bytes], *, is_cut: bool) -> EventsFrame:
        """Encode the events that follow on `seq`, and keep the frame."""
        last_seq = seq + len(lines)
        text = f'{{"type":"events","run_id":"{run_id}","events":[{b",".join(lines).decode()}],"last_seq":{last_seq}}}'
        frame = EventsFrame(text, last_seq, is_cut)
        before = self._kept.pop((run_id, seq), None)
        self._kept[run_id, seq] = frame
        self.num_kept_characters += len(frame.text) - (len(before.text) if before else 0)
        while self.num_kept_characters > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self.num_kept_characters -= len(oldest.text)
        return frame

    def _read_events(self, key: tuple[str, int]) -> EventPage:
        run_id, seq = key
        with self._database.read() as session:
            return events.read(session, run_id, seq, EVENTS_PER_FRAME)

    def _read_state(self, run_id: str) -> StateFrame:
        read_at, version = time.monotonic(), self.wakeups.version_of(run_id)
        with self._database.read() as session:
            run = runs.get(session, run_id)
        text = orjson.dumps({"type": "state", "run_id": run_id, "run": run_data(run)}).decode()
        return StateFrame(text, run.last_seq, run.is_finished, version, read_at)
