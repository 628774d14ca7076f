"""What can be written in a filter: keys, operators and values, for documents and completion."""

from __future__ import annotations

from typing import Any

from backend.filters.keys import IS_VALUES, KEYS, OPERATORS_OF, Key, KeyKind
from backend.filters.settings_paths import PREFIX, settings
from backend.store.tables import ALL_STATES

_TYPES: dict[KeyKind, str] = {
    "choice": "one of the values",
    "exact": "text, the whole of it",
    "text": "text, a part of it; = the whole",
    "tag": "text, the whole of it",
    "experiment": "text, a part of it; = the whole",
    "number": "number",
    "share": "share: 0.95 or 95%",
    "seconds": "time: 60, 90s, 2min, 1.5h",
    "time": "moment in UTC: 2026-11-01, today, -7d",
    "flag": "yes or no",
    "is": "one of the values",
}


def describe(known: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Give every key, with the values that are known by key."""
    paths = [path for path, setting in settings().items() if setting.kinds != {"other"}]
    return [_key(key, known) for key in KEYS] + [_setting(path) for path in paths]


def _key(key: Key, known: dict[str, list[str]]) -> dict[str, Any]:
    fixed = {"choice": list(ALL_STATES), "is": list(IS_VALUES), "flag": ["yes", "no"]}
    times = ["today", "yesterday", "-1h", "-1d", "-7d", "-30d"]
    values = fixed.get(key.kind) or known.get(key.name) or (times if key.kind == "time" else [])
    return {
        "key": key.name,
        "type": _TYPES[key.kind],
        "operators": list(OPERATORS_OF[key.kind]),
        "help": key.help,
        "example": key.example,
        "values": values,
    }


def _setting(path: str) -> dict[str, Any]:
    setting = settings()[path]
    is_number = "number" in setting.kinds
    example = f"{PREFIX}{path}{'>=1' if is_number else ':' + (setting.values or ['text'])[0]}"
    return {
        "key": PREFIX + path,
        "type": f"number{f', {setting.unit}' if setting.unit else ''}" if is_number else _TYPES["exact"],
        "operators": list(OPERATORS_OF["number" if is_number else "exact"]),
        "help": setting.help or f"Which {path.partition('.')[0]} it is.",
        "example": example,
        "values": list(setting.values),
    }
