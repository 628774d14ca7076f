"""What the API says of the settings of a run: those of its start, those in force, and where they differ."""

from __future__ import annotations

from typing import Any

PARTS = ("policy", "forecaster")  # of a spec: what can be changed while a run trains


def settings_data(spec: dict[str, Any], in_force: dict[str, Any], *, is_retuned: bool) -> dict[str, Any]:
    """Give the fields of `schemas.Run` that stand beside its `spec`."""
    return {
        "spec_in_force": in_force,
        "is_retuned": is_retuned,
        "retuned": _changes(spec, in_force) if is_retuned else [],
    }


def _changes(spec: dict[str, Any], in_force: dict[str, Any]) -> list[dict[str, Any]]:
    start, now = (
        {f"{part}.{key}": value for part in PARTS for key, value in one[part].items()} for one in (spec, in_force)
    )
    return [
        {"path": path, "at_start": start.get(path), "in_force": value}
        for path, value in now.items()
        if path not in start or start[path] != value
    ]
