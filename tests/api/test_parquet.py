"""Parquet files of our own, read by the reader of others."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.export.columns import Column, columns
from backend.export.parquet import MAGIC, write_parquet
from backend.export.thrift import encode_struct, i32, i64, list_of, struct_of, varint

COLUMNS = (
    *columns("integer", number=""),
    *columns("number", share=""),
    *columns("boolean", is_good=""),
    *columns("text", words=""),
)
TYPES = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "text": pa.string()}

ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.booleans(),
        st.none() | st.text(),
    ),
    max_size=40,
)


def read(cols: Sequence[Column], rows: Sequence[Sequence[Any]], **options: Any) -> pq.ParquetFile:
    data = b"".join(write_parquet(cols, rows, {"what": "a test, ü"}, **options))
    assert data[:4] == data[-4:] == MAGIC
    return pq.ParquetFile(io.BytesIO(data))


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 9))
def test_what_is_written_is_read(rows: list[tuple[Any, ...]], rows_per_group: int) -> None:
    file = read(COLUMNS, rows, rows_per_group=rows_per_group)
    table = file.read()
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (a, b, c, None if d is None else d.encode("utf-8", "replace").decode()) for a, b, c, d in rows
    ]
    assert {field.name: field.type for field in table.schema} == {one.name: TYPES[one.type] for one in COLUMNS}
    assert file.num_row_groups == -(-len(rows) // rows_per_group)


def test_nan_and_infinity_are_numbers_like_others() -> None:
    file = read(columns("number", x=""), [[float("nan")], [float("inf")], [None]])
    nan, infinity, nothing = file.read().column("x").to_pylist()
    assert nan != nan
    assert (infinity, nothing) == (float("inf"), None)
    assert not file.metadata.row_group(0).column(0).statistics.has_min_max


def test_the_footer_tells_what_a_reader_may_pass_over() -> None:
    generator = random.Random(1)
    values = [generator.randrange(1000) for _ in range(250)]
    file = read(columns("integer", x=""), [[value] for value in values], rows_per_group=100)
    assert file.metadata.metadata[b"what"] == "a test, ü".encode()
    assert file.metadata.created_by.startswith("foresync version ")
    for group in range(3):
        part = values[100 * group : 100 * group + 100]
        statistics = file.metadata.row_group(group).column(0).statistics
        assert (statistics.min, statistics.max, statistics.null_count) == (min(part), max(part), 0)


def test_a_group_is_written_before_the_next_row_is_asked_for() -> None:
    asked = []

    def rows() -> Any:
        for number in range(10):
            asked.append(number)
            yield [number]

    pieces = write_parquet(columns("integer", x=""), rows(), {}, rows_per_group=4)
    assert next(pieces) == MAGIC
    next(pieces)
    assert asked == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ([i32(1, 1)], b"\x15\x02\x00"),  # field 1, i32; 1 as zigzag is 2
        ([i64(1, -1), i64(3, 300)], b"\x16\x01\x26\xd8\x04\x00"),  # distance 2; 600 as a varint
        ([i32(20, 0)], b"\x05\x28\x00\x00"),  # too far for the short head: type, then 20 as zigzag
        ([struct_of(1, [])], b"\x1c\x00\x00"),
        ([list_of(1, [1, 2])], b"\x19\x25\x02\x04\x00"),
        ([list_of(1, [0] * 15)], b"\x19\xf5\x0f" + bytes(15) + b"\x00"),  # from 15 on the size stands apart
    ],
)
def test_thrift_as_its_specification_has_it(fields: list[Any], data: bytes) -> None:
    assert encode_struct(fields) == data


def test_varints() -> None:
    assert [varint(value) for value in (0, 127, 128, 300)] == [b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02"]
