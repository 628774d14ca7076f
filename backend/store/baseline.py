"""The one run that others are compared with."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from backend.store.tables import Baseline, Run


def get(session: Session) -> str | None:
    """Give the id of the baseline; None where no run is pinned, or the pinned one is in the bin."""
    query = select(Baseline.run_id).join(Run, Run.id == Baseline.run_id).where(Run.deleted_at.is_(None))
    return session.scalar(query)


def pin(session: Session, run_id: str) -> None:
    """Make a run the baseline, in place of another.

    Raises:
        NotFound: no such run.
        Conflict: it is in the bin.
    """
    found = session.execute(select(Run.deleted_at).where(Run.id == run_id).with_for_update()).one_or_none()
    if found is None:
        raise NotFound("run", run_id)
    if found[0] is not None:
        raise Conflict("The run is in the bin; restore it before it becomes the baseline.")
    unpin(session)
    session.execute(insert(Baseline), [{"place": 1, "run_id": run_id, "pinned_at": datetime.now(UTC)}])


def unpin(session: Session) -> None:
    """Have no baseline."""
    session.execute(delete(Baseline))
