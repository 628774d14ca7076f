"""Records of the store as the API shows them; `schemas` describes the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from backend.settings_in_force import settings_data
from backend.store.records import ExperimentRecord, RunRecord
from predictor.summary import Summary

_EMPTY_SUMMARY = Summary().report()


def run_data(run: RunRecord) -> dict[str, Any]:
    """Give `schemas.Run`."""
    return {
        "id": run.id,
        "experiment_id": run.experiment_id,
        "experiment_name": run.experiment_name,
        "name": run.name,
        "state": run.state,
        "reason": run.reason,
        "spec": run.spec,
        **settings_data(run.spec, run.spec_in_force, is_retuned=run.is_retuned),
        "tags": list(run.tags),
        "notes": run.notes,
        "created_at": iso_time(run.created_at),
        "started_at": iso_time(run.started_at),
        "finished_at": iso_time(run.finished_at),
        "last_seq": run.last_seq,
        "queue_position": run.queue_position,
        "is_simulated": run.is_simulated,
        "parent_id": run.parent_id,
        "is_archived": run.is_archived,
        "deleted_at": iso_time(run.deleted_at),
        "summary": run.summary or _EMPTY_SUMMARY,
    }


def info_data(experiment: ExperimentRecord) -> dict[str, Any]:
    """Give `schemas.ExperimentInfo`."""
    return {
        "id": experiment.id,
        "name": experiment.name,
        "spec": experiment.spec,
        "created_at": iso_time(experiment.created_at),
        "num_runs": experiment.num_runs,
        "num_done": experiment.num_done,
        "num_by_state": experiment.num_by_state,
        "queue_position": experiment.queue_position,
    }


def experiment_data(experiment: ExperimentRecord, runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Give `schemas.Experiment`."""
    run_ids = list(experiment.run_ids)
    return {**info_data(experiment), "run_ids": run_ids, "runs": [run_data(run) for run in runs]}


def iso_time(at: datetime | None) -> str | None:
    """Give a time as the API writes it."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
