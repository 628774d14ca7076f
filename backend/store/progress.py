"""Queries that change what a run is doing; only the run manager calls them.

Every change of a state is made on the locked row and says from which states it may start, so that a stop
that comes in the middle of a start, or an ending in the middle of a stop, meets the state as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from backend.store.runs import next_place
from backend.store.tables import ACTIVE_STATES, FINAL_STATES, Fold, Run, RunState


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run's log is stored, and the state of the run at that place."""

    state: RunState
    reason: str | None  # of a stop, or of the end
    damage: str | None
    last_seq: int
    log_offset: int
    clock_origin_s: float | None


# In the order of the fields.
_POSITION = (Run.state, Run.reason, Run.damage, Run.last_seq, Run.log_offset, Run.clock_origin_s)


def position(session: Session, run_id: str, *, is_locked: bool = False) -> Position:
    """Read the run's position.

    Raises:
        NotFound: no such run.
    """
    query = select(*_POSITION).where(Run.id == run_id)
    row = session.execute(query.with_for_update() if is_locked else query).one_or_none()
    if row is None:
        raise NotFound("run", run_id)
    return Position(*row)


def lock(session: Session, run_id: str) -> Position:
    """Read the run's position and keep others from changing it until the transaction ends.

    Raises:
        NotFound: no such run.
    """
    return position(session, run_id, is_locked=True)


def change(session: Session, run_id: str, values: dict[str, Any]) -> None:
    """Write columns of a run whose row is locked."""
    session.execute(update(Run).where(Run.id == run_id).values(values))


def positions(session: Session, run_ids: Collection[str]) -> dict[str, Position]:
    """Give the positions of some runs, which exist."""
    query = select(Run.id, *_POSITION).where(Run.id.in_(run_ids))
    return {row[0]: Position(*row[1:]) for row in session.execute(query)}


def active(session: Session) -> list[str]:
    """Give the runs that train, or did when the program last looked."""
    return list(session.scalars(select(Run.id).where(Run.state.in_(ACTIVE_STATES)).order_by(Run.id)))


def next_queued(session: Session, *, is_locked: bool = False) -> tuple[str, dict[str, Any], bool] | None:
    """Give id, spec and `is_resume` of the run that is next in the queue."""
    is_waiting = (Run.state == "queued", Run.deleted_at.is_(None))
    query = select(Run.id, Run.spec, Run.is_resume).where(*is_waiting).order_by(Run.queue_place, Run.id)
    row = session.execute((query.with_for_update() if is_locked else query).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def stop(session: Session, run_id: str, reason: str) -> RunState:
    """Note that a run shall stop, and give its new state: "stopped" for a queued one, else "stopping".

    A run that is stopping already keeps its first reason.

    Raises:
        NotFound: no such run.
        Conflict: it has finished.
    """
    state = lock(session, run_id).state
    if state in FINAL_STATES:
        raise Conflict(f"The run cannot be stopped: it has {_in_words(state)}.")
    if state == "queued":
        finish(session, run_id, "stopped", reason)
        return "stopped"
    if state != "stopping":
        change(session, run_id, {"state": "stopping", "reason": reason})
    return "stopping"


def finish(session: Session, run_id: str, state: RunState, reason: str) -> None:
    """End a run whose log does not say so: it never started, or its log cannot be read."""
    values = {"state": state, "reason": reason, "finished_at": datetime.now(UTC), "queue_place": None}
    change(session, run_id, values)


def enqueue_again(session: Session, run_id: str, *, is_resume: bool) -> None:
    """Put a finished run at the end of the queue."""
    values = {
        "state": "queued",
        "is_resume": is_resume,
        "reason": None,
        "finished_at": None,
        "queue_place": next_place(session),
    }
    change(session, run_id, values)


def remove(session: Session, run_id: str) -> None:
    """Delete a run with all its rows."""
    session.execute(delete(Run).where(Run.id == run_id))


def load_fold(session: Session, run_id: str) -> bytes | None:
    """Give the state of the run's summary."""
    return session.scalar(select(Fold.state).where(Fold.run_id == run_id))


def save_fold(session: Session, run_id: str, state: bytes) -> None:
    """Keep the state of the run's summary; the run's row is locked."""
    changed = session.execute(update(Fold).where(Fold.run_id == run_id).values(state=state).returning(Fold.run_id))
    if changed.one_or_none() is None:
        session.execute(insert(Fold), {"run_id": run_id, "state": state})


def _in_words(state: RunState) -> str:
    return {"completed": "completed", "stopped": "already stopped", "failed": "failed"}[state]
