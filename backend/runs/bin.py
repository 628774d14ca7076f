"""The bin: deleted runs are kept there for a while, and then deleted for good.

One thread looks now and then for runs whose time is over. What it cannot delete, a run whose processes still end
or a directory that cannot be moved, it tries again at the next look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from backend.errors import BackendError, Conflict, NotFound
from backend.runs.health import Health
from backend.store import bulk, progress
from backend.store.bulk import RUNS_AT_ONCE, Change
from backend.store.database import Database, in_words
from backend.store.tables import ACTIVE_STATES

LOOK_S = 60.0
RUNS_PER_LOOK = 200
PURGED_AT_ONCE = 500  # of one request

logger = logging.getLogger(__name__)


class Bin:
    """Puts runs into the bin, takes them out, and empties it."""

    def __init__(
        self,
        database: Database,
        health: Health,
        *,
        grace: timedelta,
        purge: Callable[[str], None],
        on_change: Callable[[Iterable[str]], None],
    ) -> None:
        """Nothing is started.

        Args:
            database: of the runs.
            health: is told what cannot be deleted.
            grace: how long a run stays in the bin.
            purge: deletes a run for good, but gives no space back to the file system.
            on_change: is told which runs were changed.
        """
        self._database = database
        self._health = health
        self._grace = grace
        self._purge = purge
        self._on_change = on_change
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bin", daemon=True)

    def start(self) -> None:
        """Begin to look for runs whose time is over."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._is_ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def put(self, run_id: str) -> None:
        """Put a run into the bin; one that is there stays. What waits in the queue does not start meanwhile.

        Raises:
            NotFound: no such run.
            Conflict: it trains.
        """
        with self._database.write() as session:
            state = progress.lock(session, run_id).state
            if state in ACTIVE_STATES:
                raise Conflict(f"The run cannot be deleted while it is {state}; stop it first.")
            bulk.apply(session, "delete", [run_id])
        self._on_change([run_id])

    def restore(self, run_id: str) -> None:
        """Take a run out of the bin; one that is not there stays.

        Raises:
            NotFound: no such run.
        """
        with self._database.write() as session:
            progress.lock(session, run_id)
            bulk.apply(session, "restore", [run_id])
        self._on_change([run_id])

    def change(self, change: Change, run_ids: Sequence[str], tag: str = "") -> tuple[list[str], int]:
        """Change many runs; give those that were changed, and how many were left because they train.

        Raises:
            BadValue: the tag.
        """
        changed: list[str] = []
        num_training = 0
        for first in range(0, len(run_ids), RUNS_AT_ONCE):
            some = run_ids[first : first + RUNS_AT_ONCE]
            with self._database.write() as session:
                done = bulk.apply(session, change, some, tag)
                if change == "delete":
                    num_training += len(bulk.training(session, some))
            self._on_change(done)
            changed += done
        return changed, num_training

    def purge(self, run_ids: Sequence[str]) -> tuple[list[str], int]:
        """Delete the first `PURGED_AT_ONCE` of the runs for good, where they are in the bin; give them, and the rest.

        Raises:
            StoreError: a directory cannot be moved.
        """
        gone: list[str] = []
        for run_id in run_ids[:PURGED_AT_ONCE]:
            with self._database.read() as session:
                if not bulk.in_bin(session, run_id):
                    continue
            if self._purge_unless_gone(run_id):
                gone.append(run_id)
        self._database.shrink()
        return gone, max(0, len(run_ids) - PURGED_AT_ONCE)

    def turn(self) -> int:
        """Delete for good what has been in the bin for long enough; give the number of runs."""
        with self._database.read() as session:
            due = bulk.due(session, self._grace, RUNS_PER_LOOK)
        num_gone = 0
        for run_id in due:
            if self._is_ending.is_set():
                break
            try:
                num_gone += self._purge_unless_gone(run_id)
            except BackendError as error:
                self._health.report("bin", f"A run of the bin cannot be deleted: {error}")
                break
        else:
            self._health.clear("bin")
        if num_gone:
            self._database.shrink()
        return num_gone

    def _purge_unless_gone(self, run_id: str) -> bool:
        try:
            self._purge(run_id)
        except NotFound:  # somebody else deleted it
            return False
        return True

    def _run(self) -> None:
        while not self._is_ending.is_set():
            try:
                while self.turn() == RUNS_PER_LOOK and not self._is_ending.is_set():
                    pass
            except (SQLAlchemyError, OSError) as error:
                logger.warning("The bin cannot be emptied now: %s.", in_words(error))
            self._is_ending.wait(LOOK_S)
