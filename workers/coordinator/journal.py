"""The one writer of `events.jsonl`: numbers events and appends them, one write for each turn of the coordinator."""

from __future__ import annotations

import os
from pathlib import Path

from predictor.events import Event
from predictor.log import complete_length, encode, with_seq
from workers.errors import JournalError


class Journal:
    """An event exists when its line is complete in the file. Nothing that exists is ever changed."""

    def __init__(self, path: Path, length: int, last_seq: int) -> None:
        """Open the log for appending, and cut what stands behind its last complete line.

        Args:
            path: of the log; created when it is not there.
            length: bytes up to the end of the last complete line.
            last_seq: of that line; 0 for an empty log.
        """
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(self._file, length)
        self._length = length
        self.last_seq = last_seq
        self._lines: list[bytes] = []
        self._wants_sync = False

    def add(self, event: Event) -> None:
        """Queue an event for the next `flush`."""
        self.add_encoded(encode(event))

    def add_encoded(self, encoded: bytes) -> None:
        """Queue an event as `predictor.log.encode` gives it."""
        self.last_seq += 1
        self._lines.append(with_seq(encoded, self.last_seq))

    def sync_soon(self) -> None:
        """Let the next `flush` wait for the disk."""
        self._wants_sync = True

    def flush(self) -> None:
        """Append what is queued.

        Raises:
            JournalError: the disk is full or fails. Whole lines that were written stay, a torn one is cut, the
                others are dropped; the journal can be used on.
        """
        data = b"".join(self._lines)
        num_written = 0
        try:
            while num_written < len(data):
                num_written += os.pwrite(self._file, data[num_written:], self._length + num_written)
            if self._wants_sync:
                os.fsync(self._file)
        except OSError as error:
            kept = complete_length(data[:num_written])
            os.ftruncate(self._file, self._length + kept)
            self._length += kept
            self.last_seq -= len(self._lines) - data.count(b"\n", 0, kept)
            raise JournalError(f"cannot write to {self._path}: {error.strerror or error}") from error
        finally:
            self._lines.clear()
            self._wants_sync = False
        self._length += len(data)
