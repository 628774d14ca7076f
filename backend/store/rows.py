"""What a list shows of a run: its settings in short and its figures, without those of each worker.

A row is the very dictionary that the API sends: the field names, and what they mean, stand in
`backend.api.history_models.RunRow`. Lists of 500 rows are common, so nothing is made in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, String, Table, TypeDecorator, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from backend.filters.elements import among
from backend.store import figures, runs
from backend.store.tables import Experiment, Run, UtcDateTime

MAX_NOTE_LENGTH = 160

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowPage:
    rows: tuple[Row, ...]
    total: int  # of all pages, as far as was counted
    is_total_exact: bool  # False: there are more
    next_cursor: str | None


class IsoTime(TypeDecorator[str]):
    """A `UtcDateTime` as the API writes it; SQLite keeps the text of a time, so that none has to be parsed there."""

    impl = UtcDateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return String() if dialect.name == "sqlite" else UtcDateTime().load_dialect_impl(dialect)

    def process_result_value(self, value: str | datetime | None, dialect: Dialect) -> str | None:
        if isinstance(value, str):
            return f"{value[:10]}T{value[11:23]}Z"
        return None if value is None else f"{value.isoformat(timespec='milliseconds')}Z"


_RUNS: Table = Run.__table__  # type: ignore[assignment]
_EXPERIMENTS: Table = Experiment.__table__  # type: ignore[assignment]
_TIMES = ("created_at", "started_at", "finished_at", "deleted_at")
_COPIED = (
    *("id", "experiment_id", "name", "state", "reason", "model", "dataset", "num_workers", "seed", "is_simulated"),
    *("is_archived", "duration_s", "time_to_target_s", "final_accuracy", "best_accuracy", "final_loss"),
    *("utilisation", "wait_share", "iterations_per_s", "mean_staleness", "traffic_bytes", "forecast_coverage"),
)
_NAMES = (*_COPIED, *_TIMES, "experiment_name")
_QUERY = select(
    _RUNS.c.notes,
    _RUNS.c.settings_id,
    _RUNS.c.start_settings_id,
    *(_RUNS.c[name] for name in _COPIED),
    *(type_coerce(_RUNS.c[name], IsoTime).label(name) for name in _TIMES),
    _EXPERIMENTS.c.name.label("experiment_name"),
).join_from(_RUNS, _EXPERIMENTS, _EXPERIMENTS.c.id == _RUNS.c.experiment_id)


def read(session: Session, run_ids: Sequence[str]) -> list[Row]:
    """Give the rows of runs that exist, in the order of the ids.

    The settings are read once for all runs that share them, and summaries only of runs that have not come to their
    final figures: they are most of what is stored of a run.
    """
    if not run_ids:
        return []
    found = session.connection().execute(_QUERY.where(among(_RUNS.c.id, run_ids))).all()
    made = {row[3]: dict(zip(_NAMES, row[3:], strict=True)) for row in found}
    settings_ids = {one for row in found for one in row[1:3] if one}
    specs = figures.read_settings(session, settings_ids)
    open_ids = [run_id for run_id, one in made.items() if one["final_accuracy"] is None]
    summaries = _summaries(session, open_ids)
    tags = runs.tags_of(session, run_ids)
    positions = runs.queue_positions(session) if any(one["state"] == "queued" for one in made.values()) else {}
    for notes, settings_id, start_settings_id, run_id, *_ in found:
        one, spec, summary = made[run_id], specs[settings_id], summaries.get(run_id, {})
        one["policy"] = spec["policy"]
        one["policy_at_start"] = specs[start_settings_id or settings_id]["policy"]
        one["is_retuned"] = start_settings_id is not None
        one["tags"] = tags.get(run_id, ())
        one["note"] = notes and notes.strip().partition("\n")[0][:MAX_NOTE_LENGTH]
        one["queue_position"] = positions.get(run_id)
        one["progress"] = _progress(spec["stop"], summary) if one["state"] == "running" else None
        one["target"] = spec["stop"]["target"]
        one["test_accuracy"] = summary.get("test_accuracy")
    return [made[run_id] for run_id in run_ids]


def _summaries(session: Session, run_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    if not run_ids:
        return {}
    return {row[0]: row[1] for row in session.execute(select(Run.id, Run.summary).where(among(Run.id, run_ids)))}


def _progress(stop: dict[str, Any], summary: dict[str, Any]) -> float | None:
    shares: list[float] = []
    if stop["seconds"] is not None:
        shares.append(summary.get("duration_s", 0.0) / stop["seconds"])
    workers = summary.get("workers", [])
    if stop["iterations"] is not None and workers:  # all workers have to do so many
        shares.append(min(worker["num_iterations"] for worker in workers) / stop["iterations"])
    return min(1.0, max(shares)) if shares else None
