"""Queries on the accounts that are kept."""

from __future__ import annotations

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.store.tables import Run, RunAccount


def load(session: Session, run_id: str, version: str) -> tuple[int, bytes] | None:
    """Give the account of a run as it was kept by this version of the accounting: its last seq, and its data."""
    query = select(RunAccount.last_seq, RunAccount.data)
    row = session.execute(query.where(RunAccount.run_id == run_id, RunAccount.version == version)).one_or_none()
    return None if row is None else (row[0], row[1])


def save(session: Session, run_id: str, last_seq: int, version: str, data: bytes) -> None:
    """Keep the account of a run in place of the one that is kept; nothing where the run was deleted meanwhile."""
    if session.scalar(select(Run.id).where(Run.id == run_id).with_for_update()) is None:
        return
    session.execute(delete(RunAccount).where(RunAccount.run_id == run_id))
    session.execute(insert(RunAccount), {"run_id": run_id, "last_seq": last_seq, "version": version, "data": data})
