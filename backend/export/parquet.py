"""Write Parquet: flat tables, any number of rows, in the memory of one group of rows.

The file is `PAR1`, the row groups, the footer (what is where, in Thrift's compact protocol), the footer's length and
`PAR1` again. A row group holds one chunk for each column; a chunk is here a single data page of version 1: first,
for every row, whether it has a value (RLE / bit-packed hybrid, one bit each), then the values that are there (PLAIN),
both compressed with gzip. Every column is OPTIONAL. Format: https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backend.export.columns import Column, Row
from backend.export.thrift import Field, binary, encode_struct, i32, i64, list_of, struct_of, varint
from backend.version import VERSION

ROWS_PER_GROUP = 50_000
MAGIC = b"PAR1"

_BOOLEAN, _INT64, _DOUBLE, _BYTE_ARRAY = 0, 2, 5, 6  # physical types
_TYPES = {"boolean": _BOOLEAN, "integer": _INT64, "number": _DOUBLE, "text": _BYTE_ARRAY}
_PACKED = {"integer": struct.Struct("<q"), "number": struct.Struct("<d")}
_OPTIONAL = 1
_PLAIN, _RLE = 0, 3  # encodings
_GZIP = 2  # codec
_UTF8 = 0  # converted type
_DATA_PAGE = 0
_GZIP_BITS = 31  # zlib's window bits for a gzip frame
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A written chunk of a column, for the footer."""

    column: Column
    offset: int
    num_values: int  # rows
    num_bytes: int  # as it stands in the file, page header included
    num_plain_bytes: int  # before compression
    num_nulls: int
    low: bytes | None  # smallest and largest value; None: not told
    high: bytes | None


@dataclass(frozen=True, slots=True)
class _Group:
    chunks: tuple[_Chunk, ...]
    num_rows: int


def write_parquet(
    columns: Sequence[Column],
    rows: Iterable[Row],
    metadata: Mapping[str, str],
    *,
    rows_per_group: int = ROWS_PER_GROUP,
) -> Iterator[bytes]:
    """Give the file in pieces, one for each row group.

    Args:
        columns: at least one.
        rows: values by column, of the column's type or None.
        metadata: key and value for the footer, where readers show it.
        rows_per_group: rows that are held in memory at a time.
    """
    yield MAGIC
    offset = len(MAGIC)
    groups: list[_Group] = []
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, rows_per_group)):
        pieces: list[bytes] = []
        chunks: list[_Chunk] = []
        for column, values in zip(columns, zip(*batch, strict=True), strict=True):
            chunk, data = _write_chunk(column, values, offset)
            chunks.append(chunk)
            pieces.append(data)
            offset += len(data)
        groups.append(_Group(tuple(chunks), len(batch)))
        yield b"".join(pieces)
    footer = encode_struct(_footer(columns, groups, metadata))
    yield b"".join([footer, struct.pack("<I", len(footer)), MAGIC])


def _write_chunk(column: Column, values: Sequence[Any], offset: int) -> tuple[_Chunk, bytes]:
    present = [value for value in values if value is not None]
    levels = _levels(values, len(present))
    plain = struct.pack("<I", len(levels)) + levels + _encode(column, present)
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_BITS)
    page = compressor.compress(plain) + compressor.flush()
    header = encode_struct(
        [
            i32(1, _DATA_PAGE),
            i32(2, len(plain)),
            i32(3, len(page)),
            struct_of(5, [i32(1, len(values)), i32(2, _PLAIN), i32(3, _RLE), i32(4, _RLE)]),
        ]
    )
    low, high = _extremes(column, present)
    num_nulls = len(values) - len(present)
    num_bytes, num_plain = len(header) + len(page), len(header) + len(plain)
    return _Chunk(column, offset, len(values), num_bytes, num_plain, num_nulls, low, high), header + page


def _levels(values: Sequence[Any], num_present: int) -> bytes:
    """Say of each row whether it has a value: one run where all or none have, else one bit for each."""
    num = len(values)
    if num_present in (0, num):
        return varint(num << 1) + (b"\x01" if num_present else b"\x00")
    bits = np.fromiter((value is not None for value in values), dtype=bool, count=num)
    packed = np.packbits(bits, bitorder="little").tobytes()
    return varint(len(packed) << 1 | 1) + packed  # counted in groups of eight


def _encode(column: Column, present: Sequence[Any]) -> bytes:
    if column.type == "integer":
        return np.array(present, dtype="<i8").tobytes()
    if column.type == "number":
        return np.array(present, dtype="<f8").tobytes()
    if column.type == "boolean":
        return np.packbits(np.array(present, dtype=bool), bitorder="little").tobytes()
    parts: list[bytes] = []
    for text in present:
        data = text.encode("utf-8", "replace")  # a lone surrogate is no text
        parts += (struct.pack("<I", len(data)), data)
    return b"".join(parts)


def _extremes(column: Column, present: Sequence[Any]) -> tuple[bytes | None, bytes | None]:
    """Give the smallest and largest number, so that a reader may pass over a group; NaN has no place among them."""
    form = _PACKED.get(column.type)
    if form is None or not present:
        return None, None
    low, high = min(present), max(present)
    if any(value != value for value in present):  # noqa: PLR0124  (NaN alone differs from itself)
        return None, None
    return form.pack(low), form.pack(high)


# ---- the footer ------------------------------------------------------------------------------------------


def _footer(columns: Sequence[Column], groups: Sequence[_Group], metadata: Mapping[str, str]) -> list[Field]:
    root = [binary(4, "schema"), i32(5, len(columns))]
    return [
        i32(1, 1),  # version of the format
        list_of(2, [root, *map(_schema, columns)]),
        i64(3, sum(group.num_rows for group in groups)),
        list_of(4, [_group(group) for group in groups]),
        list_of(5, [[binary(1, key), binary(2, value)] for key, value in metadata.items()]),
        binary(6, f"foresync version {VERSION}"),
        list_of(7, [[struct_of(1, [])] for _ in columns]),  # numbers are ordered as numbers
    ]


def _schema(column: Column) -> list[Field]:
    fields = [i32(1, _TYPES[column.type]), i32(3, _OPTIONAL), binary(4, column.name)]
    if column.type == "text":
        fields += [i32(6, _UTF8), struct_of(10, [struct_of(1, [])])]
    return fields


def _group(group: _Group) -> list[Field]:
    return [
        list_of(1, [_chunk(chunk) for chunk in group.chunks]),
        i64(2, sum(chunk.num_plain_bytes for chunk in group.chunks)),
        i64(3, group.num_rows),
        i64(5, group.chunks[0].offset),
        i64(6, sum(chunk.num_bytes for chunk in group.chunks)),
    ]


def _chunk(chunk: _Chunk) -> list[Field]:
    statistics = [i64(3, chunk.num_nulls)]
    if chunk.low is not None and chunk.high is not None:
        statistics += [binary(5, chunk.high), binary(6, chunk.low)]
    meta = [
        i32(1, _TYPES[chunk.column.type]),
        list_of(2, [_PLAIN, _RLE]),
        list_of(3, [chunk.column.name]),
        i32(4, _GZIP),
        i64(5, chunk.num_values),
        i64(6, chunk.num_plain_bytes),
        i64(7, chunk.num_bytes),
        i64(9, chunk.offset),
        struct_of(12, statistics),
    ]
    return [i64(2, chunk.offset), struct_of(3, meta)]
