"""Accounts of runs, each computed from where it was left: an event is read once, however often it is asked for.

An answer never waits for a long log: a call counts so many events at most, and says how far it has come.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from itertools import groupby
from operator import itemgetter
from typing import Any

from backend.store import events, runs
from backend.store.database import Database
from predictor.accounting import KINDS, PARTS, UNACCOUNTED, WAIT_LABELS, Account, answer

MAX_RUNS = 100  # folds that are kept; some 100 kB each
SEQS_PER_CALL = 150_000  # a second or so
SEQS_PER_READ = 8 * events.CHUNK_EVENTS


class AccountCache:
    """The folds of the runs that were asked for last; for any thread."""

    def __init__(self, database: Database, *, max_runs: int = MAX_RUNS, seqs_per_call: int = SEQS_PER_CALL) -> None:
        self._database = database
        self._max_runs, self._seqs_per_call = max_runs, seqs_per_call
        self._lock = threading.Lock()
        self._folds: OrderedDict[str, _Entry] = OrderedDict()

    def read(self, run_id: str) -> dict[str, Any]:
        """Give the account of a run, as `account_models.Account`: up to its newest event, or as far as one call goes.

        Raises:
            NotFound: there is no such run.
        """
        with self._database.read() as session:
            runs.get(session, run_id)
        with self._lock:
            entry = self._folds.setdefault(run_id, _Entry())
            self._folds.move_to_end(run_id)
            while len(self._folds) > self._max_runs:
                self._folds.popitem(last=False)
        with entry.lock:
            with self._database.read() as session:
                stored = runs.get(session, run_id).last_seq
            until_seq = min(stored, entry.last_seq + self._seqs_per_call)
            while entry.last_seq < until_seq:
                piece_end = (entry.last_seq // SEQS_PER_READ + 1) * SEQS_PER_READ  # so that chunks are read once
                self._count(run_id, entry, min(stored, piece_end))
            is_end = entry.last_seq >= stored
            share = 1.0 if is_end else entry.last_seq / stored
            return describe(run_id, entry.fold, is_complete=is_end, counted_share=share)

    def _count(self, run_id: str, entry: _Entry, until_seq: int) -> None:
        """Drive a fold on, straight from the stored columns: lines would have to be written and parsed for it."""
        with self._database.read() as session:
            columns = events.read_columns(session, run_id, entry.last_seq + 1, until_seq, KINDS)
            chunks = [list(found) for _, found in groupby(columns, key=itemgetter(0))]
        for chunk in chunks:
            told = [
                (base + offset, {"kind": kind, **dict(zip(fields, row, strict=True))})
                for base, kind, fields, (offsets, *values) in chunk
                for offset, *row in zip(offsets, *values, strict=True)
            ]
            told.sort(key=itemgetter(0))
            for seq, event in told:
                if entry.last_seq < seq <= until_seq:
                    entry.fold.update(event)
                    entry.last_seq = seq
        entry.last_seq = until_seq


class _Entry:
    """A fold, how far it has come, and the lock of whoever drives it on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fold = Account()
        self.last_seq = 0


def describe(run_id: str, fold: Account, *, is_complete: bool = True, counted_share: float = 1.0) -> dict[str, Any]:
    """Give what a fold says, with its words and what it rests on."""
    report = fold.report()
    is_simulated = report.pop("is_simulated")
    basis = "simulated" if is_simulated else "measured"
    words = [{"key": part.key, "label": part.label, "meaning": part.meaning} for part in (*PARTS, UNACCOUNTED)]
    return {
        "run_id": run_id,
        "answer": answer({**report, "wait_labels": WAIT_LABELS}),
        "basis": {"times": basis, "bytes": basis, "predictions": "predicted"},
        "is_complete": is_complete,
        "counted_share": counted_share,
        "part_words": words,
        "wait_labels": WAIT_LABELS,
        **report,
    }
