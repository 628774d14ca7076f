"""Queries on the curves of ended runs."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.filters.elements import among
from backend.store.tables import FINAL_STATES, Run, RunCurves


def load(session: Session, run_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Give the curves that are stored and complete, by run."""
    query = (
        select(RunCurves.run_id, RunCurves.data)
        .join(Run, Run.id == RunCurves.run_id)
        .where(among(RunCurves.run_id, run_ids), RunCurves.last_seq == Run.last_seq)  # a resumed run has gone on
    )
    return {run_id: orjson.loads(zlib.decompress(data)) for run_id, data in session.execute(query)}


def save(session: Session, run_id: str, last_seq: int, curves: dict[str, Any]) -> None:
    """Store the curves of a run that has ended at `last_seq`."""
    session.execute(delete(RunCurves).where(RunCurves.run_id == run_id))
    row = {"run_id": run_id, "last_seq": last_seq, "data": zlib.compress(orjson.dumps(curves))}
    session.execute(insert(RunCurves), row)


def has_ended(session: Session, run_id: str, last_seq: int) -> bool:
    """Tell whether a run has ended, and that was its last event."""
    query = select(Run.id).where(Run.id == run_id, Run.last_seq == last_seq, Run.state.in_(FINAL_STATES))
    return session.scalar(query) is not None
