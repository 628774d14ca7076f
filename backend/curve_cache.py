"""Curves of runs, each computed from where it was left: an event is read once, however often the curve is asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import orjson

from backend.curves import KINDS, CurveFold
from backend.store import events
from backend.store.database import Database

MAX_RUNS = 200  # some 100 kB each
EVENTS_PER_READ = 5_000


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
            return entry.fold.to_data()


class _Entry:
    """A fold, how far it has come, and the lock of whoever drives it on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fold = CurveFold()
        self.last_seq = 0
