"""Reads a run's log from a given place on: complete lines, checked one by one.

Nothing is passed over: the first line that is no event, or whose seq does not follow, ends the reading for
good and is told in a sentence. A torn last line is only not yet complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from backend.store.codec import finite
from predictor import log
from predictor.errors import LogError
from predictor.events import Event

BATCH_BYTES = 512 * 1024  # read at once: bounds the memory, about 2,000 events
MAX_LINE_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that follow on what is stored."""

    lines: list[bytes] = field(default_factory=list)  # strict JSON, without newlines
    events: list[Event] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # bytes of the log from `offset` to the end of each line
    damage: str | None = None  # why it cannot be read further
    is_full: bool = False  # there is more to read at once

    @property
    def num_bytes(self) -> int:
        return self.ends[-1] if self.ends else 0

    def cut(self, num: int, damage: str) -> Batch:
        """Give the first `num` events of the batch, and why no more."""
        return Batch(self.lines[:num], self.events[:num], self.ends[:num], damage)


def read_batch(path: Path, offset: int, last_seq: int, most_bytes: int = BATCH_BYTES) -> Batch:
    """Read the events after `last_seq`, whose lines begin at byte `offset`: about `most_bytes`, at least one.

    Raises:
        OSError: the file is there but cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size <= offset:
                lost = f"{path.name} is shorter than what was read of it ({size:,} of {offset:,} bytes)."
                return Batch(damage=lost if size < offset else None)
            file.seek(offset)
            data = file.read(most_bytes)
            while len(data) < MAX_LINE_BYTES and log.complete_length(data) == 0 and (more := file.read(BATCH_BYTES)):
                data += more
    except FileNotFoundError:
        return Batch(damage=f"{path.name} is gone, after {offset:,} bytes of it were read." if offset else None)
    length = log.complete_length(data)
    if length == 0 and len(data) >= MAX_LINE_BYTES:
        return Batch(damage=f"{path.name} has a line of more than {MAX_LINE_BYTES:,} bytes at byte {offset:,}.")
    return _parse(path.name, data[:length], offset, last_seq, is_full=offset + len(data) < size)


def read_batches(path: Path) -> Iterator[Batch]:
    """Read a log from its beginning to its end, or up to the first place where it is damaged.

    Raises:
        OSError: the file is there but cannot be read.
    """
    offset, last_seq, is_full = 0, 0, True
    while is_full:
        batch = read_batch(path, offset, last_seq)
        yield batch
        offset, last_seq = offset + batch.num_bytes, last_seq + len(batch.lines)
        is_full = batch.is_full and batch.damage is None


def _parse(name: str, data: bytes, offset: int, last_seq: int, *, is_full: bool) -> Batch:
    batch = Batch(is_full=is_full)
    end = 0
    for raw in data[:-1].split(b"\n") if data else ():
        place = f"{name}, byte {offset + end:,}"
        expected = last_seq + len(batch.lines) + 1
        try:
            seq, event, line = _decode(raw)
        except (LogError, RecursionError) as error:
            return batch.cut(len(batch.lines), f"{place}: {error}")
        if seq != expected:
            return batch.cut(len(batch.lines), f"{place}: event {expected:,} is missing, event {seq:,} stands there.")
        end += len(raw) + 1
        batch.lines.append(line)
        batch.events.append(event)
        batch.ends.append(end)
    return batch


def _decode(raw: bytes) -> tuple[int, Event, bytes]:
    """Give seq, event and the line as strict JSON.

    Raises:
        LogError: not an event.
    """
    try:
        fields = orjson.loads(raw)  # ten times as fast as the decoder that takes NaN too
        return int(fields["seq"]), log.from_fields(fields), raw
    except (ValueError, KeyError, TypeError):
        seq, event = log.decode(raw)  # a number that is not finite, or no event: says what is wrong
        return seq, event, finite(raw)
