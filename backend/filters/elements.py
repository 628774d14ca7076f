"""SQL that SQLite and Postgres write differently. Texts and paths are bound parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Double, Integer, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

ESCAPE = "\\"


class LikeText(FunctionElement[bool]):
    """(column, pattern): the pattern fits, the case of ASCII letters ignored."""

    type = Boolean()
    inherit_cache = True


class PositionOf(FunctionElement[int]):
    """(column, text): the place of the text in the column, counted from 1; 0: it is not there."""

    type = Integer()
    inherit_cache = True


class SettingNumber(FunctionElement[float]):
    """(JSON column, dotted path): the number there, else NULL."""

    type = Double()
    inherit_cache = True


class SettingWord(FunctionElement[str]):
    """(JSON column, dotted path): the text there, "true" or "false" for a yes or no, else NULL."""

    type = Text()
    inherit_cache = True


class SettingPresent(FunctionElement[bool]):
    """(JSON column, dotted path): there is a value, and it is not null."""

    type = Boolean()
    inherit_cache = True


class TextsOf(FunctionElement[str]):
    """(JSON list of texts): a query for these texts."""

    type = Text()
    inherit_cache = True


class Unindexed(FunctionElement[Any]):
    """(expression): the same, but no reason to choose an index.

    SQLite would walk through the index of an order, or of a list of ids, and read the wide row of each run for the
    other conditions; looking through the one index that holds all of them takes a tenth of the time.
    """

    inherit_cache = True

    def __init__(self, expression: Any) -> None:
        super().__init__(expression)
        self.type = expression.type


def among(column: Any, texts: Iterable[str]) -> ColumnElement[bool]:
    """Compare a column with many texts, such as the ids of a page.

    They are one parameter: to write and to read one each takes longer than to find the rows.
    """
    listed: ColumnElement[bool] = column.bool_op("IN")(TextsOf(literal(orjson.dumps(list(texts)).decode(), Text())))
    return listed


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Compare a column with a text that may stand anywhere in it; % and _ are themselves."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return LikeText(column, f"%{text}%")


def _parts(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


@compiles(LikeText)
def _like(element: LikeText, compiler: SQLCompiler, **options: Any) -> str:
    column, pattern = _parts(element, compiler, **options)
    if compiler.dialect.name == "postgresql":  # ILIKE would fold by the database's locale, and take half as long again
        column, pattern = (f'lower({part} COLLATE "C")' for part in (column, pattern))
    return f"({column} LIKE {pattern} ESCAPE '{ESCAPE}')"


@compiles(TextsOf, "sqlite")
def _texts_sqlite(element: TextsOf, compiler: SQLCompiler, **options: Any) -> str:
    (texts,) = _parts(element, compiler, **options)
    return f"(SELECT value FROM json_each({texts}))"  # noqa: S608 - it is SQL that was compiled


@compiles(TextsOf, "postgresql")
def _texts_postgres(element: TextsOf, compiler: SQLCompiler, **options: Any) -> str:
    (texts,) = _parts(element, compiler, **options)
    return f"(SELECT json_array_elements_text(CAST({texts} AS json)))"


@compiles(PositionOf)
def _position(element: PositionOf, compiler: SQLCompiler, **options: Any) -> str:
    column, text = _parts(element, compiler, **options)
    return f"{'strpos' if compiler.dialect.name == 'postgresql' else 'instr'}({column}, {text})"


@compiles(SettingNumber, "sqlite")
def _number_sqlite(element: SettingNumber, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    value = f"({column}, '$.' || {path})"
    return f"CASE WHEN json_type{value} IN ('integer', 'real') THEN json_extract{value} END"


@compiles(SettingNumber, "postgresql")
def _number_postgres(element: SettingNumber, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    place = f"string_to_array({path}, '.')"
    number = f"CAST({column} #>> {place} AS DOUBLE PRECISION)"
    return f"CASE WHEN json_typeof({column} #> {place}) = 'number' THEN {number} END"


@compiles(SettingWord, "sqlite")
def _word_sqlite(element: SettingWord, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    value = f"({column}, '$.' || {path})"
    return (
        f"CASE json_type{value} WHEN 'text' THEN json_extract{value} "
        f"WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END"
    )


@compiles(SettingWord, "postgresql")
def _word_postgres(element: SettingWord, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    place = f"string_to_array({path}, '.')"
    return f"CASE WHEN json_typeof({column} #> {place}) IN ('string', 'boolean') THEN {column} #>> {place} END"


@compiles(SettingPresent, "sqlite")
def _present_sqlite(element: SettingPresent, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    return f"(json_extract({column}, '$.' || {path}) IS NOT NULL)"


@compiles(SettingPresent, "postgresql")
def _present_postgres(element: SettingPresent, compiler: SQLCompiler, **options: Any) -> str:
    column, path = _parts(element, compiler, **options)
    return f"({column} #>> string_to_array({path}, '.') IS NOT NULL)"


@compiles(Unindexed)
def _unindexed(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    (expression,) = _parts(element, compiler, **options)
    return f"+{expression}" if compiler.dialect.name == "sqlite" else expression
