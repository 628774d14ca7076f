"""The columns of a run's row that repeat its spec and its summary, so that lists can filter and sort by them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.filters.elements import among
from backend.store.tables import RunSettings

COPIED = (
    *("duration_s", "time_to_target_s", "final_accuracy", "best_accuracy", "final_loss", "utilisation", "wait_share"),
    *("iterations_per_s", "mean_staleness"),
)
NOT_SHARED = ("name", "seed")  # of a spec: the runs of one setting differ in them


def of_summary(report: dict[str, Any]) -> dict[str, float | None]:
    """Give the columns that follow from `Summary.report()`."""
    columns = {name: finite(report[name]) for name in COPIED}
    forecasts = report["forecasts"]
    columns["forecast_coverage"] = None if forecasts is None else finite(forecasts["coverage"])
    columns["traffic_bytes"] = report["bytes"]
    return columns


def of_spec(data: dict[str, Any]) -> dict[str, Any]:
    """Give the columns that follow from a complete spec."""
    return {
        "policy": data["policy"]["name"],
        "dataset": data["task"]["dataset"],
        "model": data["task"]["model"],
        "num_workers": data["cluster"]["num_workers"],
        "seed": data["seed"],
        "is_simulated": data["cluster"]["launcher"] == "virtual",
        "settings_id": settings_id(data),
    }


def settings_id(data: dict[str, Any]) -> str:
    """Give the id of a spec's settings: equal for runs that differ in name and seed alone."""
    return hashlib.sha256(orjson.dumps(_shared(data), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def keep_settings(session: Session, specs: Iterable[dict[str, Any]]) -> None:
    """Keep the settings of some specs, each once."""
    rows = {settings_id(data): _shared(data) for data in specs}
    known = set(session.scalars(select(RunSettings.id).where(RunSettings.id.in_(rows))))
    missing = [{"id": one, "spec": spec} for one, spec in rows.items() if one not in known]
    if missing:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        # Another request may keep the same settings at this moment.
        session.execute(dialect.insert(RunSettings).on_conflict_do_nothing(), missing)


def read_settings(session: Session, ids: Iterable[str | None]) -> dict[str | None, dict[str, Any]]:
    """Give settings that are kept, by id: specs without name and seed."""
    wanted = [one for one in ids if one is not None]
    if not wanted:
        return {}
    found = session.execute(select(RunSettings.id, RunSettings.spec).where(among(RunSettings.id, wanted)))
    return {row[0]: row[1] for row in found}


def finite(value: float | None) -> float | None:
    """Give the value, or None where it is a number that no database orders."""
    return value if value is not None and math.isfinite(value) else None


def _shared(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in NOT_SHARED}
