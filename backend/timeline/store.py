"""Queries of the timeline's tables."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import Session

from backend.store.tables import Timeline, TimelinePiece, TimelineTile
from backend.timeline import tiles
from backend.timeline.tiles import Tile


@dataclass(frozen=True, slots=True)
class State:
    """How far a timeline is built."""

    last_seq: int
    to_s: float
    level: int
    sealed_s: float | None  # None: all tiles are complete

    @property
    def num_bins(self) -> int:
        """Bins of the finest level from 0 to the latest time."""
        return int(self.to_s / 2.0**self.level) + 1

    @property
    def top(self) -> int:
        """The first level at which one tile holds everything."""
        return self.level + max(0, (self.num_bins - 1) // tiles.BINS).bit_length()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of seqs and of time; see `TimelinePiece`."""

    first_seq: int
    last_seq: int
    low_s: float
    high_s: float
    began_s: float


_STATE = (Timeline.last_seq, Timeline.to_s, Timeline.level, Timeline.sealed_s)  # in the order of the fields


def load_state(session: Session, run_id: str) -> State | None:
    """Give how far the timeline of a run is built; None: not at all."""
    row = session.execute(select(*_STATE).where(Timeline.run_id == run_id)).one_or_none()
    return None if row is None else State(*row)


def save_state(session: Session, run_id: str, state: State, *, is_new: bool) -> None:
    """Keep how far the timeline is built; the run's row is locked."""
    values = asdict(state)
    if is_new:
        session.execute(insert(Timeline), {"run_id": run_id, **values})
    else:
        session.execute(update(Timeline).where(Timeline.run_id == run_id).values(values))


def load_tile(session: Session, run_id: str, level: int, place: int) -> bytes | None:
    """Give a packed tile."""
    return session.scalar(
        select(TimelineTile.data).where(
            TimelineTile.run_id == run_id, TimelineTile.level == level, TimelineTile.place == place
        )
    )


def save_tile(session: Session, run_id: str, level: int, place: int, data: bytes) -> None:
    """Keep a packed tile."""
    mine = (TimelineTile.run_id == run_id, TimelineTile.level == level, TimelineTile.place == place)
    changed = session.execute(update(TimelineTile).where(*mine).values(data=data))
    assert isinstance(changed, CursorResult)
    if changed.rowcount == 0:
        row = {"run_id": run_id, "level": level, "place": place, "data": data}
        session.execute(insert(TimelineTile), row)


def drop_tiles(session: Session, run_id: str, level: int, from_place: int = 0) -> None:
    """Delete the tiles of a level, from a place on."""
    query = delete(TimelineTile).where(
        TimelineTile.run_id == run_id, TimelineTile.level == level, TimelineTile.place >= from_place
    )
    session.execute(query)


def compose(session: Session, run_id: str, state: State, level: int, place: int) -> Tile:
    """Give a tile; one that is not stored is joined from those of the level below, down to the finest."""
    data = load_tile(session, run_id, level, place)
    if data is not None:
        return tiles.unpack(data)
    width_s = tiles.BINS * 2.0**level
    if level <= state.level or place * width_s > state.to_s:
        return Tile.empty()
    halves = (compose(session, run_id, state, level - 1, 2 * place + half) for half in (0, 1))
    return tiles.joined(*halves)


def add_pieces(session: Session, run_id: str, pieces: Sequence[Piece], landmarks: Sequence[Sequence[bytes]]) -> None:
    """Keep pieces, each with its landmarks' lines."""
    rows = [
        {
            "run_id": run_id,
            "first_seq": piece.first_seq,
            "last_seq": piece.last_seq,
            "low_s": piece.low_s,
            "high_s": piece.high_s,
            "began_s": piece.began_s,
            "landmarks": zlib.compress(b"\n".join(lines)) if lines else None,
        }
        for piece, lines in zip(pieces, landmarks, strict=True)
    ]
    session.execute(insert(TimelinePiece), rows)


def pieces_within(session: Session, run_id: str, from_s: float, to_s: float) -> list[Piece]:
    """Give the pieces with something that happened, went on or was told between these times, in order."""
    query = (
        select(
            TimelinePiece.first_seq,
            TimelinePiece.last_seq,
            TimelinePiece.low_s,
            TimelinePiece.high_s,
            TimelinePiece.began_s,
        )
        .where(TimelinePiece.run_id == run_id, TimelinePiece.began_s <= to_s, TimelinePiece.high_s >= from_s)
        .order_by(TimelinePiece.first_seq)
    )
    return [Piece(*row) for row in session.execute(query)]


def landmarks(session: Session, run_id: str, until_seq: int) -> Iterator[bytes]:
    """Give the lines of the rare events up to a seq that a piece ends with."""
    query = (
        select(TimelinePiece.landmarks)
        .where(
            TimelinePiece.run_id == run_id,
            TimelinePiece.last_seq <= until_seq,
            TimelinePiece.landmarks.is_not(None),
        )
        .order_by(TimelinePiece.first_seq)
    )
    for data in session.scalars(query):
        if data is not None:
            yield from zlib.decompress(data).split(b"\n")


def piece_end(session: Session, run_id: str, seq: int) -> int:
    """Give the last seq of the newest piece that ends at or before `seq`; 0 without one."""
    query = select(func.max(TimelinePiece.last_seq)).where(
        TimelinePiece.run_id == run_id, TimelinePiece.last_seq <= seq
    )
    return session.scalar(query) or 0
