"""Accounts of runs, each computed from where it was left: an event is read once, however often it is asked for.

How far an account has come is kept in the database, too: at the end of a run, and on the way through a long one. So it
is counted on after a restart of the server; what another version of the accounting has kept is not believed.

An answer never waits for a long log: a call counts so many events at most, and says how far it has come.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import itertools
import json
import logging
import threading
import zlib
from collections import OrderedDict
from operator import itemgetter
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from backend.store import accounts, events, progress
from backend.store.database import Database, in_words
from backend.store.tables import FINAL_STATES
from predictor.accounting import KINDS, PARTS, UNACCOUNTED, WAIT_LABELS, Account, answer, from_data, to_data

MAX_RUNS = 100  # folds that are held; some 100 kB each
SEQS_PER_CALL = 150_000  # a second or so
SEQS_PER_READ = 8 * events.CHUNK_EVENTS
SEQS_PER_SAVE = 100_000  # counted since the account was kept: a second's work is lost at the most

logger = logging.getLogger(__name__)


class AccountCache:
    """The folds of the runs that were asked for last; for any thread."""

    def __init__(
        self,
        database: Database,
        *,
        max_runs: int = MAX_RUNS,
        seqs_per_call: int = SEQS_PER_CALL,
        seqs_per_save: int = SEQS_PER_SAVE,
    ) -> None:
        self._database = database
        self._max_runs, self._seqs_per_call, self._seqs_per_save = max_runs, seqs_per_call, seqs_per_save
        self._lock = threading.Lock()
        self._folds: OrderedDict[str, _Entry] = OrderedDict()

    def read(self, run_id: str) -> dict[str, Any]:
        """Give the account of a run, as `account_models.Account`: up to its newest event, or as far as one call goes.

        Raises:
            NotFound: there is no such run.
        """
        entry = self._entry(run_id)
        with entry.lock:
            stored = self._advance(run_id, entry, self._seqs_per_call)
            is_end = entry.last_seq >= stored
            share = 1.0 if is_end else entry.last_seq / stored
            return describe(run_id, entry.fold, is_complete=is_end, counted_share=share)

    def advance(self, run_id: str, max_seqs: int) -> bool:
        """Count on by some events, and tell whether there are more.

        Raises:
            NotFound: there is no such run.
        """
        entry = self._entry(run_id)
        with entry.lock:
            return entry.last_seq < self._advance(run_id, entry, max_seqs)

    def _entry(self, run_id: str) -> _Entry:
        with self._database.read() as session:
            progress.position(session, run_id)
        with self._lock:
            entry = self._folds.setdefault(run_id, _Entry())
            self._folds.move_to_end(run_id)
            while len(self._folds) > self._max_runs:
                self._folds.popitem(last=False)
        return entry

    def _advance(self, run_id: str, entry: _Entry, max_seqs: int) -> int:
        """Drive a fold on by about so many events, keep it where that is due, and give the run's last seq."""
        if not entry.is_loaded:
            self._load(run_id, entry)
        with self._database.read() as session:
            run = progress.position(session, run_id)
        until_seq = min(run.last_seq, entry.last_seq + max_seqs)
        while entry.last_seq < until_seq:
            piece_end = (entry.last_seq // SEQS_PER_READ + 1) * SEQS_PER_READ  # so that chunks are read once
            self._count(run_id, entry, min(run.last_seq, piece_end))
        num_unsaved = entry.last_seq - entry.saved_seq
        is_last = run.state in FINAL_STATES and entry.last_seq >= run.last_seq
        if num_unsaved >= self._seqs_per_save or (is_last and num_unsaved):
            self._save(run_id, entry)
        return run.last_seq

    def _load(self, run_id: str, entry: _Entry) -> None:
        entry.is_loaded = True
        with self._database.read() as session:
            kept = accounts.load(session, run_id, version())
        if kept is None:
            return
        last_seq, data = kept
        try:
            entry.fold = from_data(json.loads(zlib.decompress(data)))
        except (ValueError, zlib.error) as error:
            logger.warning("The account that was kept of run %s cannot be read, and is counted anew: %s", run_id, error)
            return
        entry.last_seq = entry.saved_seq = last_seq

    def _save(self, run_id: str, entry: _Entry) -> None:
        data = zlib.compress(json.dumps(to_data(entry.fold), separators=(",", ":")).encode())
        try:
            with self._database.write() as session:
                accounts.save(session, run_id, entry.last_seq, version(), data)
        except SQLAlchemyError as error:  # a full disk: the answer is right
            logger.info("The account of run %s is not kept: %s", run_id, in_words(error))
            return
        entry.saved_seq = entry.last_seq

    def _count(self, run_id: str, entry: _Entry, until_seq: int) -> None:
        """Drive a fold on, straight from the stored columns: lines would have to be written and parsed for it."""
        with self._database.read() as session:
            columns = events.read_columns(session, run_id, entry.last_seq + 1, until_seq, KINDS)
            chunks = [list(found) for _, found in itertools.groupby(columns, key=itemgetter(0))]
        update = entry.fold.update
        for chunk in chunks:
            told: dict[int, dict[str, Any]] = {}
            for _, kind, fields, values in chunk:
                names = ("kind", "offset", *fields)
                for row in zip(itertools.repeat(kind), *values, strict=False):  # the kind is repeated without an end
                    told[row[1]] = dict(zip(names, row, strict=True))
            first, last = entry.last_seq + 1 - chunk[0][0], until_seq - chunk[0][0]
            for offset in sorted(told):
                if first <= offset <= last:
                    update(told[offset])
        entry.last_seq = until_seq


class _Entry:
    """A fold, how far it has come, and the lock of whoever drives it on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fold = Account()
        self.last_seq = 0
        self.saved_seq = 0  # up to here it is kept in the database
        self.is_loaded = False  # whether what is kept was looked for


@functools.cache
def version() -> str:
    """Give what changes with every change of the accounting: a digest of its sources."""
    digest = hashlib.sha256()
    package = importlib.resources.files("predictor")
    sources = [one for one in package.joinpath("accounting").iterdir() if one.name.endswith(".py")]
    for source in (*sorted(sources, key=lambda one: one.name), package.joinpath("worker_totals.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:32]


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
