"""A ZIP archive in pieces: its files are made one after the other while it is being sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a ZIP archive can tell; a simulation may bear no time of the wall


class _Outbox(io.RawIOBase):
    """Where `zipfile` writes to; it cannot be gone back in, so sizes follow each file's data."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """Give what was written since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def write_zip(files: Iterable[tuple[str, Iterator[bytes]]], at: datetime) -> Iterator[bytes]:
    """Give the archive of some files.

    Args:
        files: name and content of each, drawn one after the other.
        at: the time that all of them bear, in the zone in which it shall be read.
    """
    outbox = _Outbox()
    stamp = max(_EARLIEST, at.timetuple()[:6])
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    if ready := outbox.take():
                        yield ready
    yield outbox.take()
