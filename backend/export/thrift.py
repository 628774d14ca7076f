"""Thrift's compact protocol, as much of it as Parquet's footer and page headers need.

A struct is a list of fields with rising numbers. A field's head is one byte, the distance to the number before and
the type, or, further than 15 away, the type and the number. Numbers are zigzag varints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_STOP = b"\x00"


@dataclass(frozen=True, slots=True)
class Field:
    number: int
    type: int
    data: bytes


def i32(number: int, value: int) -> Field:
    return Field(number, _I32, varint(_zigzag(value)))


def i64(number: int, value: int) -> Field:
    return Field(number, _I64, varint(_zigzag(value)))


def binary(number: int, value: str | bytes) -> Field:
    return Field(number, _BINARY, _bytes(value))


def struct_of(number: int, fields: Sequence[Field]) -> Field:
    return Field(number, _STRUCT, encode_struct(fields))


def list_of(number: int, items: Sequence[Sequence[Field]] | Sequence[int] | Sequence[str]) -> Field:
    """Give a list of structs, of i32 or of texts; an empty one is of structs."""
    types: list[int] = []
    parts: list[bytes] = []
    for item in items:
        if isinstance(item, int):
            types.append(_I32)
            parts.append(varint(_zigzag(item)))
        elif isinstance(item, str):
            types.append(_BINARY)
            parts.append(_bytes(item))
        else:
            types.append(_STRUCT)
            parts.append(encode_struct(item))
    kind = types[0] if types else _STRUCT
    assert all(one == kind for one in types), "a list holds one type"
    size = len(parts)
    head = bytes([size << 4 | kind]) if size < 15 else bytes([0xF0 | kind]) + varint(size)
    return Field(number, _LIST, head + b"".join(parts))


def encode_struct(fields: Sequence[Field]) -> bytes:
    """Give the struct with its end mark."""
    out: list[bytes] = []
    last = 0
    for field in fields:
        distance = field.number - last
        assert distance > 0, "fields stand in the order of their numbers"
        if distance <= 15:
            out.append(bytes([distance << 4 | field.type]))
        else:
            out.append(bytes([field.type]) + varint(_zigzag(field.number)))
        out.append(field.data)
        last = field.number
    return b"".join([*out, _STOP])


def _bytes(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(len(data)) + data


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


def varint(value: int) -> bytes:
    """Give an unsigned number, seven bits a byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
