"""What a list shows of a run: its settings in short and its figures, without those of each worker."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store import figures, runs
from backend.store.tables import Experiment, Run, RunState

MAX_NOTE_LENGTH = 160


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in a list, with the field names of the REST answer."""

    id: str
    experiment_id: str
    experiment_name: str
    name: str
    state: RunState
    reason: str | None
    policy: dict[str, Any]  # with its settings in force
    policy_at_start: dict[str, Any]
    is_retuned: bool
    model: str
    dataset: str
    num_workers: int
    seed: int
    is_simulated: bool
    tags: tuple[str, ...]
    note: str  # the first line of the notes, at most `MAX_NOTE_LENGTH` characters of it
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deleted_at: datetime | None
    is_archived: bool
    queue_position: int | None  # 1 = next; None unless queued
    progress: float | None  # of a running one, 0 to 1, to the nearest end in time or iterations; None: none is set
    target: dict[str, Any] | None
    duration_s: float | None
    time_to_target_s: float | None
    final_accuracy: float | None
    test_accuracy: float | None  # of the newest evaluation, where there is no final one
    best_accuracy: float | None
    final_loss: float | None
    utilisation: float | None
    wait_share: float | None
    iterations_per_s: float | None
    mean_staleness: float | None
    traffic_bytes: int | None
    forecast_coverage: float | None


@dataclass(frozen=True, slots=True)
class RowPage:
    rows: tuple[RunRow, ...]
    total: int  # of all pages, as far as was counted
    is_total_exact: bool  # False: there are more
    next_cursor: str | None


_OWN = (
    *("tags", "note", "queue_position", "progress", "target", "test_accuracy", "experiment_name"),
    *("policy", "policy_at_start", "is_retuned"),
)
_COPIED = tuple(field.name for field in dataclasses.fields(RunRow) if field.name not in _OWN)


def read(session: Session, run_ids: Sequence[str]) -> list[RunRow]:
    """Give the rows of runs that exist, in the order of the ids.

    The settings are read once for all runs that share them, and summaries only of runs that have not come to their
    final figures: they are most of what is stored of a run.
    """
    columns = [getattr(Run, name) for name in _COPIED]
    query = select(
        Experiment.name.label("experiment_name"), Run.notes, Run.settings_id, Run.start_settings_id, *columns
    )
    query = query.join(Experiment, Experiment.id == Run.experiment_id).where(Run.id.in_(run_ids))
    found = {row.id: row for row in session.execute(query)}
    settings_ids = {one for row in found.values() for one in (row.settings_id, row.start_settings_id) if one}
    specs = figures.read_settings(session, settings_ids)
    open_ids = [run_id for run_id, row in found.items() if row.final_accuracy is None]
    open_runs = select(Run.id, Run.summary).where(Run.id.in_(open_ids)) if open_ids else None
    summaries: dict[str, dict[str, Any]] = (
        {} if open_runs is None else {row[0]: row[1] for row in session.execute(open_runs)}
    )
    tags = runs.tags_of(session, run_ids)
    has_queued = any(row.state == "queued" for row in found.values())
    positions = runs.queue_positions(session) if has_queued else {}
    made = []
    for run_id in run_ids:
        row = found[run_id]
        spec, summary = specs[row.settings_id], summaries.get(run_id, {})
        made.append(
            RunRow(
                **{name: getattr(row, name) for name in _COPIED},
                experiment_name=row.experiment_name,
                policy=spec["policy"],
                policy_at_start=specs[row.start_settings_id or row.settings_id]["policy"],
                is_retuned=row.start_settings_id is not None,
                tags=tags.get(run_id, ()),
                note=row.notes.strip().partition("\n")[0][:MAX_NOTE_LENGTH],
                queue_position=positions.get(run_id),
                progress=_progress(spec["stop"], summary) if row.state == "running" else None,
                target=spec["stop"]["target"],
                test_accuracy=summary.get("test_accuracy"),
            )
        )
    return made


def _progress(stop: dict[str, Any], summary: dict[str, Any]) -> float | None:
    shares: list[float] = []
    if stop["seconds"] is not None:
        shares.append(summary.get("duration_s", 0.0) / stop["seconds"])
    workers = summary.get("workers", [])
    if stop["iterations"] is not None and workers:  # all workers have to do so many
        shares.append(min(worker["num_iterations"] for worker in workers) / stop["iterations"])
    return min(1.0, max(shares)) if shares else None
