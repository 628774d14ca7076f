"""Builds the timeline of one run, event by event.

Events are gathered and written some thousand at a time, soon after they were stored; those of a run that ends, in the
transaction that stores the last of them. What is gathered is only a copy of stored events: after a crash, or when
another program has gone on with the run, it is read again from the place that the stored state names.
So every event counts exactly once.

Finest tiles are written as time passes. A tile of a coarser level is written once, when nothing more is expected
in it; until then a reader joins it from its parts (`store.compose`). What is told late (a straggler's iteration
that began long ago) is added to all tiles that it reaches into.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from backend.store import events as event_store
from backend.timeline import store, tiles
from backend.timeline.spans import LANDMARKS, Collector, Marks, Spans, began_s
from backend.timeline.store import Piece, State
from backend.timeline.tiles import BINS, Tile
from predictor import log
from predictor.events import Event, WorkerJoined

PIECE_EVENTS = 2_000
GATHERED_EVENTS = 8_000  # written at once, as much as a tile of the finest level holds
EVENTS_PER_WORKER = 64  # gathered at least, so that what is written for each worker is worth it
EVENTS_PER_BIN = 32  # of the finest level: a stretch with more events than a page folds fills a screen with bins
EVENTS_PER_BIN_LEAST = 8  # with fewer, the finest level is given up for the next
MAX_GAP = 50_000  # events that are read again when a run is followed; a longer part is built when it is asked for
LEAD_EVENTS = 2_000  # before those, in which forecasts of iterations that still run are looked for
LOWEST_LEVEL, HIGHEST_LEVEL = -20, 40


@dataclass(slots=True)
class _Gathered:
    """Events that are stored, but not in the timeline yet."""

    first_seq: int
    events: list[Event] = field(default_factory=list)
    landmarks: dict[int, bytes] = field(default_factory=dict)  # by seq
    collector: Collector = field(default_factory=Collector)

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.events) - 1

    def take(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        take = self.collector.take
        for seq, (event, line) in enumerate(zip(events, lines, strict=True), self.last_seq + 1):
            take(event)
            if isinstance(event, LANDMARKS):
                self.landmarks[seq] = line
        self.events.extend(events)

    def pieces(self) -> Iterator[tuple[Piece, list[bytes]]]:
        for start in range(0, len(self.events), PIECE_EVENTS):
            some = self.events[start : start + PIECE_EVENTS]
            first = self.first_seq + start
            last = first + len(some) - 1
            low_s, high_s = min(event.at_s for event in some), max(event.at_s for event in some)
            lines = [line for seq, line in self.landmarks.items() if first <= seq <= last]
            yield Piece(first, last, low_s, high_s, began_s(some)), lines


class Indexer:
    """The timeline of one run that is being built. The caller holds the run's row whenever it hands in a session."""

    def __init__(self, run_id: str, state: State | None) -> None:
        self._run_id = run_id
        self._state = state
        self._num_workers = 1
        self._gathered = _Gathered(state.last_seq + 1 if state else 1)
        self.is_behind = False  # too far to go on with what comes: see `MAX_GAP`

    @classmethod
    def load(cls, session: Session, run_id: str, last_seq: int, max_gap: int = MAX_GAP) -> Indexer:
        """Go on from what is stored up to `last_seq`, reading the events that are in no piece yet."""
        made = cls(run_id, store.load_state(session, run_id))
        if last_seq - made._gathered.last_seq > max_gap:
            made.is_behind = True
            return made
        done = made._gathered.last_seq
        lead = Collector()
        for lines in _lines_after(session, run_id, max(0, done - LEAD_EVENTS), done):
            for line in lines:
                lead.take(log.decode(line)[1])
        made._gathered.collector = lead.successor()
        for lines in _lines_after(session, run_id, done, last_seq):
            made._gather([log.decode(line)[1] for line in lines], lines)
        return made

    def take(
        self, session: Session, first_seq: int, events: Sequence[Event], lines: Sequence[bytes], *, is_last: bool
    ) -> None:
        """Take the events from `first_seq` on, which are stored in this transaction, and write when there are many."""
        self.gather(first_seq, events, lines)
        if is_last or self.is_due:
            self.write(session, is_last=is_last)

    def gather(self, first_seq: int, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        """Take the events from `first_seq` on without writing them, which may wait for a moment of leisure."""
        if self.is_behind or first_seq != self._gathered.last_seq + 1:
            self.is_behind = True  # a derived thing must not keep events from being stored
            return
        self._gather(events, lines)

    @property
    def is_due(self) -> bool:
        """Whether so much is gathered that it should be written."""
        most = max(GATHERED_EVENTS, EVENTS_PER_WORKER * self._num_workers)
        return not self.is_behind and len(self._gathered.events) >= most

    def write(self, session: Session, *, is_last: bool) -> None:
        """Write what was gathered."""
        if self.is_behind or not self._gathered.events:
            return
        if store.load_state(session, self._run_id) != self._state:
            self.is_behind = True  # another program has gone on with it
            return
        self._state = _Writer(session, self._run_id, self._state).write(self._gathered, is_last=is_last)
        self._gathered = _Gathered(self._state.last_seq + 1, collector=self._gathered.collector.successor())

    def _gather(self, events: Sequence[Event], lines: Sequence[bytes]) -> None:
        self._gathered.take(events, lines)
        for event in events:
            if isinstance(event, WorkerJoined):
                self._num_workers = max(self._num_workers, event.worker + 1)


def _lines_after(session: Session, run_id: str, after: int, last_seq: int) -> Iterator[list[bytes]]:
    while after < last_seq:
        page = event_store.read(session, run_id, after, min(event_store.CHUNK_EVENTS, last_seq - after))
        if not page.lines:
            return
        yield list(page.lines)
        after = page.last_seq


class _Writer:
    """One writing of gathered events."""

    def __init__(self, session: Session, run_id: str, state: State | None) -> None:
        self._session, self._run_id = session, run_id
        self._before = state

    def write(self, gathered: _Gathered, *, is_last: bool) -> State:
        spans, marks = gathered.collector.columns()
        pieces, landmarks = zip(*gathered.pieces(), strict=True)
        store.add_pieces(self._session, self._run_id, pieces, landmarks)
        state = self._before or State(0, 0.0, _first_level(spans, len(gathered.events)), 0.0)
        state = self._reopened(state)
        to_s = max(state.to_s, *(piece.high_s for piece in pieces))
        state = self._with_wider_bins(state, to_s, gathered.last_seq)
        assert state.sealed_s is not None
        sealed_s = math.inf if is_last else max(state.sealed_s, min(piece.low_s for piece in pieces))
        self._add(state, spans, marks, sealed_s)
        after = State(gathered.last_seq, to_s, state.level, None if is_last else sealed_s)
        self._seal(after, state.sealed_s, sealed_s)
        store.save_state(self._session, self._run_id, after, is_new=self._before is None)
        return after

    def _reopened(self, state: State) -> State:
        """Let a timeline that was closed go on, the run having been resumed: its newest tiles change again."""
        if state.sealed_s is not None:
            return state
        for level in range(state.level + 1, state.top + 1):
            store.drop_tiles(self._session, self._run_id, level, _place(state.to_s, level))
        return replace(state, sealed_s=_place(state.to_s, state.level) * BINS * 2.0**state.level)

    def _with_wider_bins(self, state: State, to_s: float, last_seq: int) -> State:
        """Give the finest level up, and perhaps more of them, when the events have become too few for it."""
        most = max(4 * BINS, last_seq // EVENTS_PER_BIN_LEAST)
        level = state.level
        while to_s / 2.0**level > most and level < HIGHEST_LEVEL:
            level += 1
        if level == state.level or self._before is None:
            return replace(state, level=level)
        assert state.sealed_s is not None
        for place in range(_place(state.sealed_s, level), _place(state.to_s, level) + 1):
            tile = store.compose(self._session, self._run_id, state, level, place)
            store.save_tile(self._session, self._run_id, level, place, tiles.pack(tile, is_open=True))
        for lower in range(state.level, level):
            store.drop_tiles(self._session, self._run_id, lower)
        return replace(state, level=level)

    def _add(self, state: State, spans: Spans, marks: Marks, sealed_s: float) -> None:
        """Add to the finest tiles, and to those of coarser levels that are stored already."""
        assert state.sealed_s is not None
        for level in range(state.level, state.top + 1):
            places = tiles.places_of(spans, marks, level)
            if level > state.level:
                places = [place for place in places if _is_sealed(level, place, state.sealed_s)]
                if not places:
                    return
            for place in places:
                data = store.load_tile(self._session, self._run_id, level, place)
                tile = Tile.empty() if data is None else tiles.unpack(data)
                tile.add_spans(spans, level, place)
                tile.add_marks(marks, level, place)
                packed = tiles.pack(tile, is_open=not _is_sealed(level, place, sealed_s))
                store.save_tile(self._session, self._run_id, level, place, packed)

    def _seal(self, state: State, before_s: float, sealed_s: float) -> None:
        """Write the tiles of coarser levels that have become complete."""
        for level in range(state.level + 1, state.top + 1):
            width_s = BINS * 2.0**level
            first = _place(before_s, level)
            end = _place(state.to_s, level) + 1 if math.isinf(sealed_s) else math.floor(sealed_s / width_s)
            for place in range(first, end):
                tile = store.compose(self._session, self._run_id, state, level, place)
                store.save_tile(self._session, self._run_id, level, place, tiles.pack(tile, is_open=False))


def _first_level(spans: Spans, num_events: int) -> int:
    """Choose the finest level by the density of a run's first events."""
    if len(spans) == 0:
        return 0
    lasted_s = float(spans.end_s.max() - spans.start_s.min())
    wish = math.log2(max(lasted_s, 1e-9) * EVENTS_PER_BIN / num_events)
    return min(max(round(wish), LOWEST_LEVEL), HIGHEST_LEVEL)


def _place(at_s: float, level: int) -> int:
    return math.floor(at_s / (BINS * 2.0**level))


def _is_sealed(level: int, place: int, sealed_s: float) -> bool:
    return (place + 1) * BINS * 2.0**level <= sealed_s
