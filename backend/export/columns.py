"""What a column of an exported table is, and what a row must hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

ColumnType = Literal["integer", "number", "boolean", "text"]

Row = Sequence[Any]  # one value for each column, of its type or None


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: ColumnType
    meaning: str = ""


def columns(type: ColumnType, **meanings: str) -> tuple[Column, ...]:
    """Give columns of one type: name and meaning of each."""
    return tuple(Column(name, type, meaning) for name, meaning in meanings.items())


def guess_type(values: Iterable[Any]) -> ColumnType:
    """Give the narrowest type that holds all the values; None says nothing."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    return "text"
