"""Runs as one table: a row a run, every setting and every figure of its summary in a column of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from backend.export.columns import Column, Row, guess_type

HEAD = ("id", "name", "experiment_name", "state", "reason", "created_at", "started_at", "finished_at", "notes")


def flatten_run(run: dict[str, Any]) -> dict[str, Any]:
    """Give a run (as `schemas.Run`) as one level of names: `spec.policy.name`, `summary.utilisation`, ...

    `times` says of all its times whether they were measured or simulated. A list becomes JSON text. The settings
    are those of the start; `in_force.policy.threshold` and the like stand beside them where a run was retuned.
    """
    flat: dict[str, Any] = {name: run[name] for name in HEAD}
    flat["tags"] = orjson.dumps(run["tags"]).decode()
    flat["times"] = "simulated" if run["is_simulated"] else "measured"
    flat["parent_id"] = run["parent_id"]
    flat["is_retuned"] = run["is_retuned"]
    for part in ("spec", "summary"):
        flat.update(
            (f"{part}.{path}", value) for path, value in _flatten(run[part]) if path != "name" or part != "spec"
        )
    flat.update((f"in_force.{one['path']}", one["in_force"]) for one in run["retuned"])
    return flat


def table_of_runs(runs: Sequence[dict[str, Any]]) -> tuple[list[Column], list[Row]]:
    """Give the columns that at least one of the runs has, in their order, and a row for each run."""
    flat = [flatten_run(run) for run in runs]
    names = sorted({name: None for one in flat for name in one}, key=_rank)
    found = [Column(name, guess_type(one.get(name) for one in flat)) for name in names]
    rows: list[Row] = [[_as(column, one.get(column.name)) for column in found] for one in flat]
    return found, rows


_PARTS = ("spec.", "in_force.", "summary.")


def _rank(name: str) -> int:
    """Keep what says which run it is in front, then settings, then figures; within each, the order of the runs."""
    return next((place for place, part in enumerate(_PARTS, 1) if name.startswith(part)), 0)


def _as(column: Column, value: Any) -> Any:
    if value is None or column.type != "text" or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def _flatten(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        path = f"{prefix}{name}"
        if isinstance(part, dict):
            yield from _flatten(part, f"{path}.")
        elif isinstance(part, list):
            yield path, orjson.dumps(part).decode()
        else:
            yield path, part
