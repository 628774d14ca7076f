"""The settings that a filter can name by dotted path, drawn from the schema of a run's spec."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Literal

from predictor.spec import run_schema

PREFIX = "spec."
SettingKind = Literal["number", "word", "other"]
_KINDS: dict[str, SettingKind] = {"integer": "number", "number": "number", "string": "word", "boolean": "word"}


@dataclass(slots=True)
class Setting:
    """One path; several policies, forecasters or speeds may have it, with different kinds of values."""

    path: str  # without "spec."
    help: str = ""
    unit: str = ""
    kinds: set[SettingKind] = field(default_factory=set)
    values: list[str] = field(default_factory=list)  # where only some are possible


@functools.cache
def settings() -> dict[str, Setting]:
    """Give all paths, sorted."""
    schema = run_schema()
    found: dict[str, Setting] = {}
    _walk(schema, "", schema.get("$defs", {}), found)
    return dict(sorted(found.items()))


def _walk(schema: dict[str, Any], path: str, definitions: dict[str, Any], found: dict[str, Setting]) -> None:
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        is_part = "$ref" in alternative  # has words of its own
        described = {} if is_part else {key: one for key, one in schema.items() if key in ("description", "unit")}
        _walk({**alternative, **described}, path, definitions, found)
    for name, inner in schema.get("properties", {}).items():
        _walk(inner, f"{path}.{name}" if path else name, definitions, found)
    is_value = path and "properties" not in schema and "anyOf" not in schema and "oneOf" not in schema
    if not is_value or schema.get("type") == "null":
        return
    setting = found.setdefault(path, Setting(path))
    setting.help = setting.help or schema.get("description", "")
    setting.unit = setting.unit or schema.get("unit", "")
    setting.kinds.add(_KINDS.get(schema.get("type", ""), "word" if "const" in schema or "enum" in schema else "other"))
    possible = [schema["const"]] if "const" in schema else schema.get("enum", [])
    if schema.get("type") == "boolean":
        possible = ["true", "false"]
    setting.values.extend(str(value) for value in possible if str(value) not in setting.values)
