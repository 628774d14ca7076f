"""Curves of runs: each event is read once, however often they are asked for; those of ended runs are stored."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy.exc import SQLAlchemyError

from backend.curves import KINDS, CurveFold
from backend.store import curves as curve_store
from backend.store import events
from backend.store.database import Database, in_words

MAX_RUNS = 200  # some 100 kB each
EVENTS_PER_READ = 5_000

logger = logging.getLogger(__name__)


class CurveCache:
    """The folds of the runs that were asked for last; for any thread."""

    def __init__(self, database: Database, max_runs: int = MAX_RUNS) -> None:
        self._database = database
        self._max_runs = max_runs
        self._lock = threading.Lock()
        self._folds: OrderedDict[str, _Entry] = OrderedDict()

    def read(self, run_id: str) -> dict[str, Any]:
        """Give the curves of a run up to its newest stored event, as `schemas.Curves`.

        Raises:
            NotFound: there is no such run.
        """
        return self.read_many([run_id])[0]

    def read_many(self, run_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Give the curves of some runs, in their order.

        Raises:
            NotFound: there is no such run.
        """
        with self._database.read() as session:
            stored = curve_store.load(session, run_ids)
        return [stored[run_id] if run_id in stored else self._fold(run_id) for run_id in run_ids]

    def _fold(self, run_id: str) -> dict[str, Any]:
        with self._lock:
            entry = self._folds.setdefault(run_id, _Entry())
            self._folds.move_to_end(run_id)
            while len(self._folds) > self._max_runs:
                self._folds.popitem(last=False)
        with entry.lock:
            is_end = False
            while not is_end:
                with self._database.read() as session:
                    page = events.read(session, run_id, entry.last_seq, EVENTS_PER_READ, KINDS)
                for line in page.lines:
                    entry.fold.update(orjson.loads(line))
                entry.last_seq, is_end = page.last_seq, page.is_end
            found = entry.fold.to_data()
            last_seq = entry.last_seq
        self._store(run_id, last_seq, found)
        return found

    def _store(self, run_id: str, last_seq: int, found: dict[str, Any]) -> None:
        with self._database.read() as session:
            if not curve_store.has_ended(session, run_id, last_seq):
                return
        try:
            with self._database.write() as session:
                curve_store.save(session, run_id, last_seq, found)
        except SQLAlchemyError as error:  # a full disk, a run just deleted: the answer is right
            logger.info("The curves of run %s are not stored: %s", run_id, in_words(error))
            return
        with self._lock:
            self._folds.pop(run_id, None)


class _Entry:
    """A fold, how far it has come, and the lock of whoever drives it on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fold = CurveFold()
        self.last_seq = 0
