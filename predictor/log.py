"""Events as lines of `events.jsonl`, and the schema of those lines.

A line is `{"seq": n, "kind": name, ...fields}` and a newline. An event exists when its line is complete;
whoever opens a log for appending cuts a torn last line first (`complete_length`).
"""

from __future__ import annotations

import dataclasses
import json
import operator
import typing
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from predictor.errors import LogError
from predictor.events import EVENTS, Contribution, Directive, Event, PlannedPush

_NESTED: dict[Any, Callable[[Any], Any]] = {
    Directive: lambda fields: Directive(**fields),
    tuple[Contribution, ...]: lambda rows: tuple(Contribution(**row) for row in rows),
    tuple[PlannedPush, ...]: lambda rows: tuple(PlannedPush(**row) for row in rows),
    tuple[int, ...]: tuple,
}


def _converters(kind: type[Event]) -> dict[str, Callable[[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return {name: _NESTED[hint] for name, hint in hints.items() if hint in _NESTED}


_CONVERTERS = {name: _converters(kind) for name, kind in EVENTS.items()}
_FIELDS = {name: tuple(f.name for f in dataclasses.fields(kind)) for name, kind in EVENTS.items()}
_ENVELOPE = ("seq", "kind")  # of a line, before its event's own fields


def _maker(kind: type[Event]) -> Callable[[dict[str, Any]], Event] | None:
    """Give what builds an event from a line that holds all its fields and nothing else.

    The fields are handed over in one call, by place, which costs a third of handing them over by name.
    """
    names = _FIELDS[kind.__name__]
    converters = [(names.index(name), convert) for name, convert in _CONVERTERS[kind.__name__].items()]
    if len(names) == 1:
        return None
    values = operator.itemgetter(*names)
    if not converters:
        return lambda fields: kind(*values(fields))

    def make(fields: dict[str, Any]) -> Event:
        row = list(values(fields))
        for place, convert in converters:
            row[place] = convert(row[place])
        return kind(*row)

    return make


_MAKERS = {(name, len(_FIELDS[name]) + len(_ENVELOPE)): _maker(kind) for name, kind in EVENTS.items()}


def to_fields(event: Event) -> dict[str, Any]:
    """Give the event as plain data, `kind` first."""
    kind = type(event).__name__
    fields: dict[str, Any] = {"kind": kind}
    for name in _FIELDS[kind]:
        fields[name] = getattr(event, name)
    return fields


def from_fields(fields: dict[str, Any]) -> Event:
    """Build the event from plain data; `seq` is ignored.

    Raises:
        LogError: unknown kind, or missing or unknown fields.
    """
    named = fields.get("kind")
    make = _MAKERS.get((named, len(fields))) if isinstance(named, str) and "seq" in fields else None
    if make is not None:
        with suppress(KeyError, TypeError):  # as many fields, but not these: said below
            return make(fields)
    rest = dict(fields)
    rest.pop("seq", None)
    name = rest.pop("kind", None)
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise LogError(f"unknown kind of event: {name!r}")
    try:
        for field, convert in _CONVERTERS[kind.__name__].items():
            rest[field] = convert(rest[field])
        return kind(**rest)
    except (TypeError, KeyError) as error:
        raise LogError(f"{name}: {error}") from error


def encode(event: Event) -> bytes:
    """Give the JSON object of an event without `seq` and without a newline."""
    return json.dumps(to_fields(event), separators=(",", ":"), default=_plain).encode()


def with_seq(encoded: bytes, seq: int) -> bytes:
    """Give the log's line for an encoded event: `seq` goes in front, so no second encoding is needed."""
    return b'{"seq":%d,%b\n' % (seq, encoded[1:])


def decode(line: bytes) -> tuple[int, Event]:
    """Read one line.

    Raises:
        LogError: not an event.
    """
    try:
        fields = json.loads(line)
        return int(fields["seq"]), from_fields(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(f"not an event: {line[:120]!r}: {error}") from error


def complete_length(data: bytes) -> int:
    """Give the number of bytes up to the end of the last complete line."""
    return data.rfind(b"\n") + 1


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in an event")


def schema() -> dict[str, Any]:
    """Give the JSON Schema definitions of all events, by kind, with `seq` and `kind` as they stand in a line.

    The types of the front end are generated from it. pydantic is imported here only.
    """
    from pydantic import TypeAdapter

    definitions: dict[str, Any] = {}
    for name, kind in EVENTS.items():
        one = TypeAdapter(kind).json_schema(ref_template="#/components/schemas/{model}")
        definitions.update(one.pop("$defs", {}))
        one["title"] = name
        one["properties"] = {
            "seq": {"type": "integer"},
            "kind": {"type": "string", "const": name},
            **one["properties"],
        }
        one["required"] = ["seq", "kind", *one.get("required", [])]
        definitions[name] = one
    definitions["Event"] = {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in EVENTS],
        "discriminator": {"propertyName": "kind"},
    }
    return definitions
