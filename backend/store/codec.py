"""How a chunk of events is packed. `EventChunk.codec` names the form.

* `lines`    the log's own lines, compressed. Cheap to write: for the few events of one turn of the ingest.
* `columns`  one segment for each kind of event, in it one array for each field, each segment compressed by
             itself: a fraction of the bytes, and a curve reads only the kinds that it draws. For chunks of
             some thousand events.

A packed chunk always holds a gapless range of seqs, so a line needs no parsing to know its seq.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

LINES = "lines"
COLUMNS = "columns"

FAST, SMALL = 1, 6  # zlib's levels

_KIND = re.compile(rb'\{"seq":\d+,"kind":"(\w+)"')
_LENGTH = struct.Struct(">I")


def finite(line: bytes) -> bytes:
    """Give the line as strict JSON: Python's NaN and Infinity, which browsers refuse, become null."""
    return orjson.dumps(json.loads(line, parse_constant=lambda _: None))


def strict(line: bytes) -> bytes:
    """Give a line of a log as strict JSON: as it stands there, unless it holds a number that is not finite."""
    if b"NaN" in line or b"Infinity" in line:  # perhaps in a text only, which is right as it is
        try:
            orjson.loads(line)
        except ValueError:
            return finite(line)
    return line


def pack_lines(lines: Sequence[bytes]) -> bytes:
    """Pack strict JSON lines (without newlines), in the order of their seqs."""
    return zlib.compress(b"\n".join(lines), FAST)


def pack_columns(lines: Sequence[bytes], first_seq: int) -> bytes:
    """Pack the same lines by kind and field."""
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for offset, line in enumerate(lines):
        event = orjson.loads(line)
        del event["seq"]
        kind = event.pop("kind")
        groups.setdefault((kind, *event), []).append((offset, *event.values()))
    header: list[list[Any]] = []
    segments: list[bytes] = []
    for (kind, *fields), rows in groups.items():
        segment = zlib.compress(orjson.dumps(list(zip(*rows, strict=True))), SMALL)
        header.append([kind, fields, len(segment)])
        segments.append(segment)
    head = orjson.dumps([first_seq, header])
    return b"".join([_LENGTH.pack(len(head)), head, *segments])


def unpack(codec: str, data: bytes, first_seq: int, kinds: Collection[str] | None = None) -> list[tuple[int, bytes]]:
    """Give `(seq, line)` of all events, or of those of some kinds, in the order of their seqs."""
    if codec == LINES:
        numbered = enumerate(zlib.decompress(data).split(b"\n"), first_seq)
        return [(seq, line) for seq, line in numbered if kinds is None or kind_of(line) in kinds]
    if codec == COLUMNS:
        found: list[tuple[int, bytes]] = []
        for kind, fields, columns in segments(data, kinds):
            offsets, *values = columns
            for offset, *row in zip(offsets, *values, strict=True):
                seq = first_seq + offset
                event = {"seq": seq, "kind": kind, **dict(zip(fields, row, strict=True))}
                found.append((seq, orjson.dumps(event)))
        found.sort()
        return found
    raise ValueError(f"unknown codec of a chunk: {codec!r}")


def segments(data: bytes, kinds: Collection[str] | None) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """Give kind, fields and columns of each segment of `columns`; the first column is the seq less `first_seq`."""
    (length,) = _LENGTH.unpack_from(data)
    start = _LENGTH.size + length
    _, header = orjson.loads(data[_LENGTH.size : start])
    for kind, fields, size in header:
        if kinds is None or kind in kinds:
            yield kind, fields, orjson.loads(zlib.decompress(data[start : start + size]))
        start += size


def kind_of(line: bytes) -> str:
    """Give the kind of the event of a line."""
    match = _KIND.match(line)
    return match[1].decode() if match else str(orjson.loads(line)["kind"])
