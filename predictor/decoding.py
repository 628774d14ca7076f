"""Plain data to dataclasses of a spec, with complaints that name the field, the value and the wish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from predictor.errors import Complaint, SpecError

_WISHES = {
    "extra_forbidden": "is not a known key",
    "unexpected_keyword_argument": "is not a known key",
    "missing": "is required",
    "missing_argument": "is required",
    "dataclass_type": "must be an object",
    "model_attributes_type": "must be an object",
}
_WORDS = {
    "Input should be": "must be",
    "greater than or equal to": ">=",
    "less than or equal to": "<=",
    "greater than": ">",
    "less than": "<",
}


def decode(adapter: TypeAdapter[Any], data: object) -> Any:
    """Build what the adapter describes.

    Raises:
        SpecError: one complaint for each field that is wrong.
    """
    try:
        found = adapter.validate_python(data)
    except ValidationError as error:
        complaints: dict[str, Complaint] = {}
        for one in error.errors(include_url=False):
            complaint = _complaint(one, data)
            complaints[complaint.field] = _either(complaints.get(complaint.field), complaint)
        # Each alternative of a union complains; where one of them went deeper, it is the one that was meant.
        deepest = [c for c in complaints.values() if not any(f.startswith(f"{c.field}.") for f in complaints)]
        raise SpecError(deepest) from error
    mixed = list(_mixed(data, found, []))
    if mixed:
        raise SpecError(mixed)
    return found


def _mixed(data: object, found: object, path: list[str]) -> Iterator[Complaint]:
    """Complain of a truth value where a number was wanted, and the reverse: pydantic takes true for 1."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            inner = found.get(name) if isinstance(found, Mapping) else getattr(found, str(name), None)
            yield from _mixed(value, inner, [*path, str(name)])
    elif isinstance(data, list | tuple) and isinstance(found, list | tuple):
        for place, (value, inner) in enumerate(zip(data, found, strict=False)):
            yield from _mixed(value, inner, [*path, str(place)])
    elif isinstance(found, int | float) and isinstance(data, bool) != isinstance(found, bool):
        wish = "must be true or false" if isinstance(found, bool) else "must be a number"
        yield Complaint(".".join(path) or "spec", data, wish)


def _complaint(error: Any, data: object) -> Complaint:
    kind, value = error["type"], error["input"]
    parts = _field(error["loc"], data)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        context = error["ctx"]
        parts.append(context["discriminator"].strip("'"))
        wish = f"must be one of {context['expected_tags']}" if "expected_tags" in context else "is required"
        return Complaint(".".join(parts), context.get("tag"), wish)
    wish = _WISHES.get(kind, error["msg"])
    if kind == "too_short":
        wish = f"needs at least {error['ctx']['min_length']}"
    for word, short in _WORDS.items():
        wish = wish.replace(word, short, 1)
    return Complaint(".".join(parts) or "spec", None if kind.startswith("missing") else value, wish)


def _either(first: Complaint | None, second: Complaint) -> Complaint:
    """Join the wishes of two alternatives for one field."""
    if first is None or first.wish == second.wish:
        return second
    return Complaint(first.field, first.value, f"{first.wish} or {second.wish}")


def _field(location: tuple[str | int, ...], data: object) -> list[str]:
    """Give the path as the user wrote it: without the tags that a union adds to the location."""
    parts = []
    for place, part in enumerate(location):
        is_last = place == len(location) - 1
        if isinstance(data, dict) and (part in data or (is_last and str(part).isidentifier())):
            data = data.get(part)
        elif isinstance(data, list | tuple) and isinstance(part, int):
            data = data[part] if part < len(data) else None
        else:
            continue
        parts.append(str(part))
    return parts
