"""What a page reads of a timeline: how far it is built, overviews, and the events of a stretch of time."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend.store import events as event_store
from backend.store import progress
from backend.store.database import Database
from backend.store.tables import FINAL_STATES
from backend.timeline import store, tiles
from backend.timeline.index import MAX_GAP, Indexer
from backend.timeline.spans import FIGURE_NAMES, KIND_NAMES, MISS_NAMES, NUM_KINDS, NUM_LAYERS
from backend.timeline.store import Piece, State
from backend.timeline.tiles import BINS, Tile

STEP_EVENTS = 20_000  # added in one transaction, so that others may write in between
JOINED_EVENTS = 10_000  # read at one time, so that little is read beyond the limit
LEAD_PIECES = 64  # looked through for what was said before a stretch of time begins
_BEGAN = {"IterationFinished": "started_at_s", "ExchangeFinished": "blocked_from_s"}  # kinds told at their end
SPAN_KINDS = tuple(_BEGAN)
LEAD_KINDS = ("WorkerHeld", "ForecastUpdated")  # said before what they explain is told

_builders: dict[str, threading.Lock] = {}
_builders_lock = threading.Lock()


def bring_up(database: Database, run_id: str, *, max_steps: int) -> tuple[State | None, int, bool]:
    """Go on with the timeline of a run that has none, or not all of it; give its state, the run's last seq and
    whether it is as complete as it can be at this moment.

    A run that is followed builds its own as its events come, so here only long gaps are filled, and ended runs.

    Raises:
        NotFound: there is no such run.
    """
    with _builders_lock:
        lock = _builders.setdefault(run_id, threading.Lock())
    is_mine = lock.acquire(blocking=False)  # while another request builds, this one only looks
    try:
        for _ in range(max_steps if is_mine else 0):
            if not _step(database, run_id):
                break
    finally:
        if is_mine:
            lock.release()
            with _builders_lock:
                _builders.pop(run_id, None)
    with database.read() as session:
        position = progress.position(session, run_id)
        state = store.load_state(session, run_id)
    return state, position.last_seq, not _wants_step(state, position)


def _wants_step(state: State | None, position: progress.Position) -> bool:
    gap = position.last_seq - (state.last_seq if state else 0)
    return gap > (0 if position.state in FINAL_STATES else MAX_GAP)


def _step(database: Database, run_id: str) -> bool:
    """Add the next events, if that is wanted."""
    with database.read() as session:  # most requests find nothing to do, and must not wait for a writer
        if not _wants_step(store.load_state(session, run_id), progress.position(session, run_id)):
            return False
    with database.write() as session:
        position = progress.lock(session, run_id)
        state = store.load_state(session, run_id)
        if not _wants_step(state, position):
            return False
        first = state.last_seq if state else 0
        until = min(position.last_seq, first + STEP_EVENTS)
        indexer = Indexer.load(session, run_id, until)
        indexer.write(session, is_last=until == position.last_seq and position.state in FINAL_STATES)
    return True


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events that tell of a stretch of time, in the order of their seqs."""

    events: tuple[dict[str, Any], ...]
    to_s: float  # up to here all of them are there
    is_cut: bool


def events_within(session: Session, run_id: str, from_s: float, to_s: float, limit: int) -> Stretch:
    """Give the events with a time in the stretch, those that tell of what reaches into it, and why waits began.

    Raises:
        NotFound: there is no such run.
    """
    last_seq = progress.position(session, run_id).last_seq
    pieces = store.pieces_within(session, run_id, from_s, to_s)
    state = store.load_state(session, run_id)
    indexed = state.last_seq if state else 0
    if last_seq > indexed and (state is None or to_s >= state.to_s - 2.0**state.level * BINS):
        pieces.append(Piece(indexed + 1, last_seq, -math.inf, math.inf, -math.inf))
    found: list[_Found] = []
    began_s, reached_s, is_cut = from_s, to_s, False
    for piece in _joined(pieces, to_s):
        is_later = piece.low_s > to_s  # it only holds ends of what began before
        if is_cut and not is_later:
            reached_s = min(reached_s, max(from_s, piece.low_s))
            continue
        part, part_began_s = _select(session, run_id, piece, (from_s, to_s), SPAN_KINDS if is_later else None)
        began_s = min(began_s, part_began_s)
        if len(found) + len(part) > limit:
            cut = part[max(0, limit - len(found)) :]
            is_cut, reached_s = True, min(reached_s, max(from_s, min(one.at_s for one in cut)))
        found += part[: max(0, limit - len(found))]
    if began_s < from_s:
        found += _lead(session, run_id, began_s, from_s)
    found.sort(key=lambda one: one.seq)
    return Stretch(tuple(one.event() for one in found), reached_s, is_cut)


def _joined(pieces: Sequence[Piece], to_s: float) -> Iterator[Piece]:
    """Join pieces that follow on one another, since those of one chunk are read together."""
    last: Piece | None = None
    for piece in pieces:
        if (
            last is not None
            and piece.first_seq == last.last_seq + 1
            and piece.last_seq - last.first_seq < JOINED_EVENTS
            and (piece.low_s > to_s) == (last.low_s > to_s)
        ):
            low_s, high_s = min(last.low_s, piece.low_s), max(last.high_s, piece.high_s)
            last = Piece(last.first_seq, piece.last_seq, low_s, high_s, min(last.began_s, piece.began_s))
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last


@dataclass(frozen=True, slots=True)
class _Found:
    seq: int
    at_s: float
    kind: str
    fields: list[str]
    values: tuple[Any, ...]

    def event(self) -> dict[str, Any]:
        return {"seq": self.seq, "kind": self.kind, **dict(zip(self.fields, self.values, strict=True))}


def _lead(session: Session, run_id: str, began_s: float, from_s: float) -> list[_Found]:
    """Give why waits began, and what was forecast, that is told of shortly before a stretch of time."""
    found: list[_Found] = []
    pieces = [piece for piece in store.pieces_within(session, run_id, began_s, from_s) if piece.low_s < from_s]
    for piece in pieces[-LEAD_PIECES:]:
        part, _ = _select(session, run_id, piece, (began_s, math.nextafter(from_s, -math.inf)), LEAD_KINDS)
        found += part
    return found


def _select(
    session: Session, run_id: str, piece: Piece, stretch: tuple[float, float], kinds: tuple[str, ...] | None
) -> tuple[list[_Found], float]:
    """Give the events of a piece that tell of a stretch of time, by seq, and when the earliest of it began."""
    from_s, to_s = stretch
    found: list[_Found] = []
    earliest_s = from_s
    for first_seq, kind, fields, columns in event_store.read_columns(
        session, run_id, piece.first_seq, piece.last_seq, kinds
    ):
        at_s = np.array(columns[1 + fields.index("at_s")], np.float64)
        seqs = np.array(columns[0], np.int64) + first_seq
        start_s = at_s
        if kind in _BEGAN:
            told = np.array(columns[1 + fields.index(_BEGAN[kind])], np.float64)  # null: it never stopped computing
            start_s = np.fmin(at_s, told)
        is_wanted = (start_s <= to_s) & (at_s >= from_s) & (seqs >= piece.first_seq) & (seqs <= piece.last_seq)
        places = np.flatnonzero(is_wanted).tolist()
        if not places:
            continue
        earliest_s = min(earliest_s, float(start_s[is_wanted].min()))
        rows = zip(*([column[i] for i in places] for column in columns[1:]), strict=True)
        found += [_Found(int(seqs[i]), float(at_s[i]), kind, fields, row) for i, row in zip(places, rows, strict=True)]
    found.sort(key=lambda one: one.seq)
    return found, earliest_s


def overview(session: Session, run_id: str, state: State, stretch: tuple[float, float], columns: int) -> dict[str, Any]:
    """Give seconds of each kind for each worker in about `columns` equal bins, at least as long as the finest.

    The seconds are numpy arrays: as many numbers as there are workers, kinds and bins take long as plain lists.
    """
    from_s, to_s = stretch
    level = max(state.level, math.ceil(math.log2(max(to_s - from_s, 1e-12) / columns)))
    width_s = 2.0**level
    first, end = math.floor(from_s / width_s), math.ceil(to_s / width_s)
    if end <= first or to_s >= state.to_s:  # of the end of the run also the bin that begins there
        end = math.floor(to_s / width_s) + 1
    whole = Tile.empty()
    places = range(first // BINS, (end - 1) // BINS + 1)
    parts = [store.compose(session, run_id, state, level, place) for place in places]
    for part in parts:
        whole.rows_of(part.workers)
    shares = np.zeros((NUM_LAYERS, len(whole.workers), BINS * len(parts)), np.float32)
    for i, part in enumerate(parts):
        shares[:, np.searchsorted(whole.workers, part.workers), i * BINS : (i + 1) * BINS] = part.shares
    figures = np.concatenate([part.figures for part in parts], axis=1)
    seen = slice(first - places[0] * BINS, end - places[0] * BINS)
    seconds = np.round(shares[:, :, seen] * np.float32(width_s), max(0, 4 - level))
    return {
        "from_s": first * width_s,
        "bin_s": width_s,
        "num_bins": end - first,
        "workers": whole.workers.tolist(),
        "seconds": {name: seconds[kind] for kind, name in enumerate(KIND_NAMES)},
        "missed": {name: seconds[kind] for kind, name in enumerate(MISS_NAMES, NUM_KINDS)},
        "figures": {name: figures[row, seen].tolist() for row, name in enumerate(FIGURE_NAMES)},
    }


def served_tile(session: Session, run_id: str, state: State, level: int, place: int) -> bytes:
    """Give a packed tile with one byte for each share."""
    data = store.load_tile(session, run_id, level, place)
    if data is not None and tiles.is_served_as_stored(data):
        return data
    return tiles.pack(store.compose(session, run_id, state, level, place), is_open=False)
