"""Which texts both databases can keep."""

from __future__ import annotations

import json
from typing import Any

from backend.errors import BadValue


def check_text(field: str, text: str, max_length: int, *, is_required: bool = False) -> str:
    """Give the text back if it can be stored.

    Raises:
        BadValue: too long, empty though required, or with characters that are none (NUL, half a surrogate pair).
    """
    if len(text) > max_length:
        raise BadValue(field, f"{len(text)} characters", f"must have at most {max_length} characters")
    if is_required and not text:
        raise BadValue(field, text, "must not be empty")
    if not _is_storable(text):
        raise BadValue(field, text, "must not hold NUL or half surrogate pairs")
    return text


def check_data(field: str, data: dict[str, Any]) -> None:
    """Check every text inside plain data.

    Raises:
        BadValue: as `check_text`.
    """
    if not _is_storable(json.dumps(data, ensure_ascii=False)) or "\\u0000" in json.dumps(data):
        raise BadValue(field, None, "must not hold NUL or half surrogate pairs")


def storable(text: str) -> str:
    """Replace what cannot be stored, in a text that nobody can be asked to correct."""
    return text.encode(errors="replace").decode().replace("\0", "�")


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
