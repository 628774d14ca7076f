"""Queries on the events of a run."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.store import codec
from backend.store.records import EventPage
from backend.store.tables import EventChunk, Run

CHUNK_EVENTS = 2_000  # of a compact chunk; also what the live stream sends at once, so a page is one chunk
FETCHED_CHUNKS = 32  # read from the database at once: bounds the memory of a long read


class Chunk(NamedTuple):
    """A row of `event_chunks`, without its run."""

    first_seq: int
    last_seq: int
    codec: str
    data: bytes


def read(session: Session, run_id: str, after: int, limit: int, kinds: Collection[str] | None = None) -> EventPage:
    """Read up to `limit` events with a seq above `after`, in order; of some kinds only if given.

    Raises:
        NotFound: no such run.
    """
    stored = session.scalar(select(Run.last_seq).where(Run.id == run_id))
    if stored is None:
        raise NotFound("run", run_id)
    lines: list[bytes] = []
    reached = after
    for chunk in _chunks(session, run_id, after):
        for seq, line in codec.unpack(chunk.codec, chunk.data, chunk.first_seq, kinds):
            if seq <= after:
                continue
            if len(lines) == limit:
                return EventPage(tuple(lines), reached, is_end=False)
            lines.append(line)
            reached = seq
        reached = max(reached, chunk.last_seq)
        if len(lines) == limit:
            return EventPage(tuple(lines), reached, is_end=reached >= stored)
    return EventPage(tuple(lines), reached, is_end=True)  # even where less is stored than the run's row says


def read_columns(
    session: Session, run_id: str, first_seq: int, last_seq: int, kinds: Collection[str] | None = None
) -> Iterator[tuple[int, str, list[str], list[list[Any]]]]:
    """Give, for each chunk that holds some of these seqs, and each kind in it: base, kind, fields and columns.

    The first column is the seq less the base, the others are the fields. Chunks come whole, also at both ends.
    """
    for chunk in _chunks(session, run_id, first_seq - 1):
        if chunk.first_seq > last_seq:
            return
        data = chunk.data
        if chunk.codec == codec.LINES:
            data = codec.pack_columns(zlib.decompress(data).split(b"\n"), chunk.first_seq)
        for kind, fields, columns in codec.segments(data, kinds):
            yield chunk.first_seq, kind, fields, columns


def open_seq(session: Session, run_id: str, last_seq: int) -> int:
    """Give the first seq that stands in no compact chunk yet (`last_seq + 1` when all do)."""
    query = select(func.min(EventChunk.first_seq)).where(EventChunk.run_id == run_id, EventChunk.codec == codec.LINES)
    return session.scalar(query) or last_seq + 1


def append(session: Session, run_id: str, first_seq: int, lines: Sequence[bytes], *, opened: int, is_last: bool) -> int:
    """Store the events `first_seq`, `first_seq + 1`, ... and return the new `open_seq`.

    The caller holds the run's row (`progress.lock`) and knows that these events follow on what is stored.
    Small chunks are gathered into compact ones as soon as there is enough, or when these are the last events.
    """
    num_open = first_seq + len(lines) - opened
    if num_open < CHUNK_EVENTS and not is_last:
        _insert(session, run_id, first_seq, lines, codec.LINES)
        return opened
    pending = [*_take(session, run_id, opened, first_seq), *lines]
    while len(pending) >= CHUNK_EVENTS or (is_last and pending):
        _insert(session, run_id, opened, pending[:CHUNK_EVENTS], codec.COLUMNS)
        opened += len(pending[:CHUNK_EVENTS])
        pending = pending[CHUNK_EVENTS:]
    _insert(session, run_id, opened, pending, codec.LINES)
    return opened


def _insert(session: Session, run_id: str, first_seq: int, lines: Sequence[bytes], form: str) -> None:
    if not lines:
        return
    data = codec.pack_columns(lines, first_seq) if form == codec.COLUMNS else codec.pack_lines(lines)
    last_seq = first_seq + len(lines) - 1
    row = {"run_id": run_id, "first_seq": first_seq, "last_seq": last_seq, "codec": form, "data": data}
    session.execute(insert(EventChunk), row)


def _take(session: Session, run_id: str, first_seq: int, end_seq: int) -> list[bytes]:
    """Remove and return the lines of the small chunks from `first_seq` up to, without, `end_seq`."""
    if first_seq == end_seq:
        return []
    lines = [
        line
        for chunk in _chunks(session, run_id, first_seq - 1)
        for _, line in codec.unpack(chunk.codec, chunk.data, chunk.first_seq)
    ]
    assert len(lines) == end_seq - first_seq, f"run {run_id}: chunks from {first_seq} do not reach {end_seq}"
    session.execute(delete(EventChunk).where(EventChunk.run_id == run_id, EventChunk.first_seq >= first_seq))
    return lines


def _chunks(session: Session, run_id: str, after: int) -> Iterator[Chunk]:
    """Give the chunks that hold events above `after`, found by the primary key alone."""
    while True:
        mine = EventChunk.run_id == run_id
        start = select(func.max(EventChunk.first_seq)).where(mine, EventChunk.first_seq <= after + 1).scalar_subquery()
        query = (
            select(EventChunk.first_seq, EventChunk.last_seq, EventChunk.codec, EventChunk.data)
            .where(mine, EventChunk.first_seq >= func.coalesce(start, 0))
            .order_by(EventChunk.first_seq)
            .limit(FETCHED_CHUNKS)
        )
        found = [Chunk(*row) for row in session.execute(query)]
        yield from (chunk for chunk in found if chunk.last_seq > after)
        if len(found) < FETCHED_CHUNKS:
            return
        after = max(after, found[-1].last_seq)
