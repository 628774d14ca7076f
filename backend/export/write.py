"""A table as text: CSV, JSON and JSON Lines. All give bytes in pieces of some tens of kilobytes."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from backend.export.columns import Column, Row

ROWS_PER_PIECE = 1_000
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\n")


def write_csv(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """Give a head line and one line a row: empty = no value, true and false, numbers to their last digit.

    A text that a spreadsheet would carry out as a formula gets an apostrophe in front, which makes it a text there.
    """
    yield _csv_lines([[column.name for column in columns]])
    for some in _pieces(rows):
        yield _csv_lines([[_csv_value(value) for value in row] for row in some])


def write_json(
    columns: Sequence[Column], rows: Iterable[Row], head: Mapping[str, Any], name: str = "rows"
) -> Iterator[bytes]:
    """Give one object: the entries of `head`, then the rows as a list of objects."""
    names = [column.name for column in columns]
    objects = (orjson.dumps(dict(zip(names, row, strict=True))) for row in rows)
    yield from wrap_json(objects, head, name)


def wrap_json(objects: Iterable[bytes], head: Mapping[str, Any], name: str) -> Iterator[bytes]:
    """Give one object: the entries of `head`, then a list of objects that are encoded already."""
    start = orjson.dumps(dict(head))[:-1]
    yield start + (b"," if head else b"") + orjson.dumps(name) + b":["
    is_first = True
    for some in _pieces(objects):
        yield (b"\n" if is_first else b",\n") + b",\n".join(some)
        is_first = False
    yield b"\n]}\n"


def write_lines(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """Give one JSON object a line."""
    names = [column.name for column in columns]
    for some in _pieces(rows):
        yield b"".join(orjson.dumps(dict(zip(names, row, strict=True))) + b"\n" for row in some)


def _pieces(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while some := list(itertools.islice(remaining, ROWS_PER_PIECE)):
        yield some


def _csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _csv_value(value: Any) -> Any:
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").replace("\r", "\n")  # which alone would end the row for many readers
        return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
    return ("true" if value else "false") if isinstance(value, bool) else value
