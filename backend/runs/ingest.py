"""Follows the logs of all runs that train and stores them: one thread, about twenty turns a second.

A turn of a run reads the complete lines behind the stored offset, folds them into the run's summary, and
writes events, offset, summary and state in one transaction; then it hands the events to those who watch, and wakes
them. So after a crash at any place the stored offset says exactly which events are stored: none is lost, none is
doubled. The inner state of the summary is stored less often; whoever reads it folds the few events that it lacks.

What the thread knows of a run (its `_Cursor`) is only a copy of what is stored. Whenever a turn fails, or
finds that somebody else has stored in the meantime, the copy is thrown away and read anew. The timeline is written
after the watchers were woken, in a transaction of its own: it takes longest, and can be made from the events again.

Live runs come first: somebody may look at what happens now. A run in virtual time writes as fast as the machine
computes, and can wait. It is stored in bites that should take `BITE_S` on this machine at this moment, and between two
of them the live runs have their turn when it is due.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.runs import tuning
from backend.runs.health import Health
from backend.runs.logreader import BATCH_BYTES, Batch, read_batch
from backend.runs.rundir import RunDirectory
from backend.runs.wakeups import Wakeups
from backend.store import events as event_store
from backend.store import figures, progress
from backend.store.database import Database, in_words
from backend.store.progress import Position
from backend.store.tables import FINAL_STATES
from backend.store.text import storable
from backend.timeline.index import Indexer
from predictor import log
from predictor.events import Event, Retuned, RunFinished, RunStarted
from predictor.summary import Summary

TURN_S = 0.05  # from the beginning of one turn to the next
LEAST_PAUSE_S = 0.01  # between them, for those who wait for the database
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0  # after a failure, doubling
LEAST_BITE_BYTES = BATCH_BYTES // 16
BITE_S = 0.1  # that storing some of a run in virtual time should take; the live runs wait for so long
FOLD_PAUSE_S = 1.0  # at least, between two times that a summary's inner state is stored


logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Cursor:
    """How far a run is stored, and what follows from it."""

    last_seq: int
    log_offset: int
    opened: int  # first seq that stands in no compact chunk yet
    clock_origin_s: float | None
    summary: Summary
    timeline: Indexer
    fold_at: float = 0.0  # monotonic: when the inner state of the summary is to be stored again

    @property
    def is_virtual(self) -> bool:
        """Whether the run is known to be in virtual time: it has begun, and no clock on the wall goes with it."""
        return self.last_seq > 0 and self.clock_origin_s is None


@dataclass(slots=True)
class _Followed:
    directory: RunDirectory
    cursor: _Cursor | None = None  # None: to be read from the database
    is_damaged: bool = False
    pause_s: float = 0.0
    retry_at: float = 0.0  # monotonic

    @property
    def is_virtual(self) -> bool:
        return self.cursor is not None and self.cursor.is_virtual


class Ingest:
    """The thread and what it follows."""

    def __init__(
        self,
        database: Database,
        runs_dir: Path,
        wakeups: Wakeups,
        health: Health,
        *,
        on_state: Callable[[], None],
        on_end: Callable[[str], None],
    ) -> None:
        """Prepare; `start` begins.

        From the thread, `on_state` is called when the state of a run has changed, `on_end` when its last event is
        stored.
        """
        self._database = database
        self._runs_dir = runs_dir
        self._wakeups = wakeups
        self._health = health
        self._on_state = on_state
        self._on_end = on_end
        self._lock = threading.Lock()  # of `_followed` and of each turn's cursor
        self._followed: dict[str, _Followed] = {}
        self._bite_bytes = BATCH_BYTES  # of a run in virtual time, read at once
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Store what is there, then end the thread."""
        self._is_ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def follow(self, run_id: str) -> None:
        """Follow a run's log from where it is stored."""
        with self._lock:
            self._followed.setdefault(run_id, _Followed(RunDirectory(self._runs_dir, run_id)))

    def forget(self, run_id: str) -> None:
        """Follow a run no longer; a turn that is under way ends first."""
        with self._lock:
            self._followed.pop(run_id, None)
        self._health.clear(f"ingest {run_id}")

    def turn(self) -> bool:
        """Take one turn for each run, the live ones first; True if some log holds more than was read at once."""
        virtual = [run_id for run_id, followed in list(self._followed.items()) if followed.is_virtual]
        has_more = self._turn_of_others(virtual)
        live_at = time.monotonic() + TURN_S
        for run_id in virtual:
            if time.monotonic() >= live_at:
                has_more |= self._turn_of_others(virtual)
                live_at = time.monotonic() + TURN_S
            has_more |= self._bite(run_id)
        return has_more

    def _turn_of_others(self, virtual: Collection[str]) -> bool:
        """Take a turn for each run that is not in virtual time, or not known to be."""
        has_more = False
        for run_id in list(self._followed):
            if run_id not in virtual:
                has_more |= self._turn_of(run_id, BATCH_BYTES)
        return has_more

    def _bite(self, run_id: str) -> bool:
        """Store some more of a run in virtual time, as much as should take `BITE_S`."""
        begun_s = time.monotonic()
        has_more = self._turn_of(run_id, self._bite_bytes)
        took_s = time.monotonic() - begun_s
        if has_more or took_s > BITE_S:  # else there was little to store, and that says little
            wish = self._bite_bytes * BITE_S / max(took_s, 1e-3)
            self._bite_bytes = int(min(BATCH_BYTES, max(LEAST_BITE_BYTES, self._bite_bytes / 2, wish)))
        return has_more

    def _run(self) -> None:
        while not self._is_ending.is_set():
            begun_s = time.monotonic()
            pause_s = LEAST_PAUSE_S if self.turn() else max(LEAST_PAUSE_S, begun_s + TURN_S - time.monotonic())
            self._is_ending.wait(pause_s)
        while self.turn():
            pass

    def _turn_of(self, run_id: str, most_bytes: int) -> bool:
        with self._lock:
            followed = self._followed.get(run_id)
            if followed is None or followed.is_damaged or time.monotonic() < followed.retry_at:
                return False
            return self._try_turn(run_id, followed, most_bytes)

    def _try_turn(self, run_id: str, followed: _Followed, most_bytes: int) -> bool:
        topic = f"ingest {run_id}"
        try:
            has_more = self._store_next(run_id, followed, most_bytes)
        except NotFound:
            followed.is_damaged = True  # deleted in the meantime: nothing is left to follow
            return False
        except Exception as error:  # whatever it is, the other runs are followed on, and this one is tried again
            if not isinstance(error, (SQLAlchemyError, OSError)):
                logger.exception("The ingest of run %s failed.", run_id)
            followed.cursor = None
            followed.pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * followed.pause_s))
            followed.retry_at = time.monotonic() + followed.pause_s
            self._health.report(
                topic, f"Events of run {run_id} wait in its log, since they cannot be stored: {in_words(error)}."
            )
            return False
        followed.pause_s = 0.0
        self._health.clear(topic)
        return has_more

    def _store_next(self, run_id: str, followed: _Followed, most_bytes: int) -> bool:
        if followed.cursor is None:
            with self._database.read() as session:
                followed.cursor = _load(session, run_id)
        cursor = followed.cursor
        batch = read_batch(followed.directory.events, cursor.log_offset, cursor.last_seq, most_bytes)
        if not batch.lines and batch.damage is None:
            return False
        first_seq = cursor.last_seq + 1
        batch = _fold(cursor.summary, batch, cursor.last_seq)
        with self._database.write() as session:
            position = progress.lock(session, run_id)
            if (position.last_seq, position.log_offset) != (cursor.last_seq, cursor.log_offset):
                followed.cursor = None  # somebody else stored these events: go on from there
                return True
            values = _advance(session, run_id, cursor, position, batch)
        followed.is_damaged = batch.damage is not None
        self._wakeups.tails.add(run_id, first_seq, batch.lines)
        self._wakeups.notify(run_id)
        if "state" in values or followed.is_damaged:
            self._on_state()
        if "finished_at" in values:
            self._on_end(run_id)
        if cursor.timeline.is_due:  # those who watch have the events already, and do not wait for this
            with self._database.write() as session:
                progress.lock(session, run_id)
                cursor.timeline.write(session, is_last=False)
        return batch.is_full


def _load(session: Session, run_id: str) -> _Cursor:
    position = progress.position(session, run_id)
    return _Cursor(
        position.last_seq,
        position.log_offset,
        event_store.open_seq(session, run_id, position.last_seq),
        position.clock_origin_s,
        _load_summary(session, run_id),
        Indexer.load(session, run_id, position.last_seq),
    )


def _load_summary(session: Session, run_id: str) -> Summary:
    state = progress.load_fold(session, run_id)
    summary = Summary()
    if state is not None:
        try:
            summary = Summary.from_data(json.loads(state))
        except (KeyError, TypeError, ValueError) as error:
            logger.info("The summary of run %s is folded anew, its state being of another version: %r", run_id, error)
    page = event_store.read(session, run_id, summary.num_events, event_store.CHUNK_EVENTS)
    while page.lines:
        for line in page.lines:
            summary.update(log.decode(line)[1])
        page = event_store.read(session, run_id, page.last_seq, event_store.CHUNK_EVENTS)
    return summary


def _fold(summary: Summary, batch: Batch, last_seq: int) -> Batch:
    """Feed the summary; an event that it cannot take ends the batch before it, like a malformed line."""
    for index, event in enumerate(batch.events):
        try:
            if isinstance(event, RunFinished) and event.outcome not in FINAL_STATES:
                raise ValueError(f"{event.outcome!r} is no outcome")
            summary.update(event)
        except Exception as error:
            logger.exception("A summary could not take an event.")
            damage = f"events.jsonl, event {last_seq + 1 + index:,}: {type(event).__name__}: {error!r}"
            return batch.cut(index, damage)
    return batch


def _advance(session: Session, run_id: str, cursor: _Cursor, position: Position, batch: Batch) -> dict[str, Any]:
    """Write the batch and all that follows from it, move the cursor, and give the columns that were written."""
    values = _read_life(cursor, position, batch.events)
    retunings = [event for event in batch.events if isinstance(event, Retuned)]
    if retunings:
        values |= tuning.keep_settings(session, run_id, retunings)
    if batch.lines:
        is_last = isinstance(batch.events[-1], RunFinished)
        first_seq = cursor.last_seq + 1
        cursor.opened = event_store.append(
            session, run_id, first_seq, batch.lines, opened=cursor.opened, is_last=is_last
        )
        cursor.timeline.gather(first_seq, batch.events, batch.lines)
        if is_last:
            cursor.timeline.write(session, is_last=True)
        cursor.last_seq += len(batch.lines)
        cursor.log_offset += batch.num_bytes
        if is_last or time.monotonic() >= cursor.fold_at:
            progress.save_fold(session, run_id, json.dumps(cursor.summary.to_data()).encode())
            cursor.fold_at = time.monotonic() + FOLD_PAUSE_S
        report = cursor.summary.report()
        values |= {"last_seq": cursor.last_seq, "log_offset": cursor.log_offset, "summary": report}
        values |= figures.of_summary(report)
    if batch.damage is not None:
        values["damage"] = storable(batch.damage)
    progress.change(session, run_id, values)
    return values


def _read_life(cursor: _Cursor, position: Position, events: list[Event]) -> dict[str, Any]:
    """Give the columns that follow from a start or an end of the run among the events."""
    values: dict[str, Any] = {}
    for index, event in enumerate(events):
        if isinstance(event, RunStarted):
            # Virtual seconds are not those of a clock on the wall: no moment follows from them.
            cursor.clock_origin_s = None if event.is_simulated else event.wall_time_s - event.at_s
            values |= {"clock_origin_s": cursor.clock_origin_s, "is_simulated": event.is_simulated}
            if position.state != "stopping":
                values |= {"state": "running", "reason": None}
            if cursor.last_seq + index == 0:
                values["started_at"] = datetime.fromtimestamp(event.wall_time_s, UTC)
        if isinstance(event, RunFinished):
            ended = datetime.now(UTC)
            if cursor.clock_origin_s is not None:
                ended = datetime.fromtimestamp(cursor.clock_origin_s + event.at_s, UTC)
            values |= {"state": event.outcome, "reason": storable(event.reason), "finished_at": ended}
    return values
