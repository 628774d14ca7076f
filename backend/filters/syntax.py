"""The tree of a filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator = Literal[":", "=", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("!=", "<=", ">=", ":", "=", "<", ">")  # the longer first


@dataclass(frozen=True, slots=True)
class Place:
    """Characters from `start` up to `end` of the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Value:
    """One of the values of a term."""

    text: str  # without quotes
    place: Place
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A text that is searched."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Term:
    """A key compared with values, of which one has to fit."""

    key: str  # as it was written
    key_place: Place
    operator: Operator
    values: tuple[Value, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]  # none: everything fits


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


Node: TypeAlias = Word | Term | Not | And | Or


def terms(node: Node) -> list[Term]:
    """Give all terms of a tree."""
    match node:
        case Term():
            return [node]
        case Not(part):
            return terms(part)
        case And(parts) | Or(parts):
            return [term for part in parts for term in terms(part)]
        case _:
            return []
