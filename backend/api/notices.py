"""Which runs have changed, told to all who show a list of runs: one small notice for many changes.

The notices are numbered, and a reader is a number: the last one it was sent. A notice says in which state each changed
run is; a run that it names without one is gone. Who has missed too many is told to read the list anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass

import orjson
from starlette.concurrency import run_in_threadpool

from backend.runs.wakeups import Wakeups
from backend.store import progress
from backend.store.database import Database

PAUSE_S = 0.5  # between two notices
NUM_KEPT = 64
MAX_RUNS = 500  # in one notice; beyond, all may have changed


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
        states = await run_in_threadpool(self._read_states, changed) if changed else {}
        self._version = version
        self.number += 1
        self._kept.append(Notice(_encode(changed, states), self.number))

    def _read_states(self, run_ids: list[str]) -> dict[str, str]:
        with self._database.read() as session:
            found = progress.positions(session, run_ids)
        return {run_id: position.state for run_id, position in found.items()}


def _encode(run_ids: list[str] | None, states: dict[str, str]) -> str:
    """Encode a notice about some runs, or, for None, about any number of them."""
    runs = [{"id": run_id, "state": states.get(run_id)} for run_id in run_ids or ()]
    return orjson.dumps({"type": "runs", "runs": runs, "is_complete": run_ids is not None}).decode()
