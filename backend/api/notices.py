"""Which runs have changed, told to all who show a list of runs: one small notice for many changes.

The notices are numbered, and a reader is a number: the last one it was sent. A notice says in which state each changed
run is, and its name and tags, so that a page need not ask for what a person changed in another one; a run that it
names without a state is gone. Who has missed too many is told to read the list anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass

import orjson
from starlette.concurrency import run_in_threadpool

from backend.runs.wakeups import Wakeups
from backend.store import runs
from backend.store.database import Database
from backend.store.records import RunLabel

PAUSE_S = 0.5  # between two notices
NUM_KEPT = 64
MAX_RUNS = 500  # in one notice; beyond, all may have changed

_GONE = {"state": None, "name": None, "tags": None}


@dataclass(frozen=True, slots=True)
class Notice:
    """An encoded notice, and its number."""

    text: str
    number: int


class Notices:
    """All notices of the process. One instance for each event loop."""

    def __init__(self, database: Database, wakeups: Wakeups) -> None:
        self._database = database
        self._wakeups = wakeups
        self._version = wakeups.version  # of the runs, that was told
        self._made_at = -PAUSE_S
        self._making = asyncio.Lock()
        self._kept: deque[Notice] = deque(maxlen=NUM_KEPT)
        self.number = 0  # of the newest notice

    def due_in_s(self, number: int) -> float | None:
        """Give when there will be something for a reader that was sent this notice last; None: nothing has changed."""
        if number < self.number:
            return 0.0
        if self._version == self._wakeups.version:
            return None
        return max(0.0, self._made_at + PAUSE_S - time.monotonic())

    async def after(self, number: int) -> Notice | None:
        """Give the notice that follows on one, or None when nothing has changed since, or it is too early."""
        if number == self.number:
            async with self._making:
                if number == self.number and self.due_in_s(number) == 0.0:
                    await self._make()
        if number >= self.number:
            return None
        if number + 1 < self._kept[0].number:
            return Notice(_encode(None, {}), self.number)
        return self._kept[number + 1 - self._kept[0].number]

    async def _make(self) -> None:
        self._made_at = time.monotonic()
        version = self._wakeups.version
        changed = self._wakeups.changed_since(self._version)
        if changed is not None and len(changed) > MAX_RUNS:
            changed = None
        found = await run_in_threadpool(self._read_labels, changed) if changed else {}
        self._version = version
        self.number += 1
        self._kept.append(Notice(_encode(changed, found), self.number))

    def _read_labels(self, run_ids: list[str]) -> dict[str, RunLabel]:
        with self._database.read() as session:
            return runs.labels(session, run_ids)


def _encode(run_ids: list[str] | None, found: dict[str, RunLabel]) -> str:
    """Encode a notice about some runs, or, for None, about any number of them."""
    told = [{"id": run_id, **(asdict(found[run_id]) if run_id in found else _GONE)} for run_id in run_ids or ()]
    return orjson.dumps({"type": "runs", "runs": told, "is_complete": run_ids is not None}).decode()
