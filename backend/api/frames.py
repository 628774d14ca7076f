"""What the live stream sends, read and encoded once for all who watch a run."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson
from starlette.concurrency import run_in_threadpool

from backend.api.views import run_data
from backend.store import events, runs
from backend.store.database import Database

EVENTS_PER_FRAME = 2_000
KEPT_CHARACTERS = 32 * 2**20

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class EventsFrame:
    """Encoded events after some cursor, and the cursor that follows them."""

    text: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class StateFrame:
    """An encoded run."""

    text: str
    last_seq: int
    is_finished: bool


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

    def __init__(self, database: Database, kept_characters: int = KEPT_CHARACTERS) -> None:
        self._database = database
        self._limit = kept_characters
        self.num_kept_characters = 0
        self._kept: OrderedDict[tuple[str, int], EventsFrame] = OrderedDict()
        self._events = SharedReads(self._read_events)
        self._states = SharedReads(self._read_state)

    async def state(self, run_id: str) -> StateFrame:
        """Give the run as it is now.

        Raises:
            NotFound: there is no such run.
        """
        return await self._states.get(run_id)

    async def after(self, run_id: str, seq: int) -> EventsFrame | None:
        """Give the next events after `seq`, or None when none is stored yet.

        Raises:
            NotFound: there is no such run.
        """
        key = (run_id, seq)
        frame = self._kept.get(key)
        if frame is None:
            frame = await self._events.get(key)
            if frame is not None:
                self._keep(key, frame)
        return frame

    def _keep(self, key: tuple[str, int], frame: EventsFrame) -> None:
        before = self._kept.pop(key, None)
        self._kept[key] = frame
        self.num_kept_characters += len(frame.text) - (len(before.text) if before else 0)
        while self.num_kept_characters > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self.num_kept_characters -= len(oldest.text)

    def _read_events(self, key: tuple[str, int]) -> EventsFrame | None:
        run_id, seq = key
        with self._database.read() as session:
            page = events.read(session, run_id, seq, EVENTS_PER_FRAME)
        if not page.lines:
            return None
        text = f'{{"type":"events","events":{page.to_json().decode()},"last_seq":{page.last_seq}}}'
        return EventsFrame(text, page.last_seq)

    def _read_state(self, run_id: str) -> StateFrame:
        with self._database.read() as session:
            run = runs.get(session, run_id)
        text = orjson.dumps({"type": "state", "run": run_data(run)}).decode()
        return StateFrame(text, run.last_seq, run.is_finished)
