"""Changes of many runs at once. Each gives the ids of the runs that it changed, so that it can be undone exactly.

A large change is made of several transactions of `RUNS_AT_ONCE` runs: the events of runs that train are stored in
between. So it is not one moment, and a run that is deleted meanwhile is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from backend.store import tags
from backend.store.runs import MAX_TAGS, check_tag
from backend.store.tables import ACTIVE_STATES, Run, RunTag

RUNS_AT_ONCE = 1_000

Change = Literal["tag", "untag", "archive", "unarchive", "delete", "restore"]


def apply(session: Session, change: Change, run_ids: Sequence[str], tag: str = "") -> list[str]:
    """Change at most `RUNS_AT_ONCE` runs, and give the ids of those that were not so before.

    What trains is not put into the bin; a run with as many tags as it may have gets no other.

    Raises:
        BadValue: the tag.
    """
    assert len(run_ids) <= RUNS_AT_ONCE
    # Locked by id, as everywhere: two changes that lock the same rows in two orders would wait for each other. So none
    # of the runs is deleted, or tagged by another, before the change is made, either.
    run_ids = session.scalars(select(Run.id).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()).all()
    if change == "tag":
        return _tag(session, run_ids, check_tag(tag))
    if change == "untag":
        gone = delete(RunTag).where(RunTag.run_id.in_(run_ids), RunTag.tag == check_tag(tag)).returning(RunTag.run_id)
        untagged = list(session.scalars(gone))
        tags.repeat(session, untagged)
        return untagged
    now = datetime.now(UTC)
    conditions: dict[str, tuple[ColumnElement[bool], ...]] = {
        "archive": (Run.is_archived.is_(False), Run.deleted_at.is_(None)),
        "unarchive": (Run.is_archived.is_(True),),
        "delete": (Run.deleted_at.is_(None), Run.state.not_in(ACTIVE_STATES)),
        "restore": (Run.deleted_at.is_not(None),),
    }
    values: dict[str, dict[str, object]] = {
        "archive": {"is_archived": True},
        "unarchive": {"is_archived": False},
        "delete": {"deleted_at": now},
        "restore": {"deleted_at": None},
    }
    changed = update(Run).where(Run.id.in_(run_ids), *conditions[change]).values(values[change]).returning(Run.id)
    return list(session.scalars(changed))


def due(session: Session, grace: timedelta, limit: int) -> list[str]:
    """Give runs that have been in the bin for longer than the grace, the oldest first."""
    until = datetime.now(UTC) - grace
    return list(
        session.scalars(select(Run.id).where(Run.deleted_at <= until).order_by(Run.deleted_at, Run.id).limit(limit))
    )


def in_bin(session: Session, run_id: str) -> bool:
    """Tell whether a run is in the bin."""
    return session.scalar(select(Run.deleted_at).where(Run.id == run_id)) is not None


def training(session: Session, run_ids: Sequence[str]) -> list[str]:
    """Give those of the runs that train."""
    return list(session.scalars(select(Run.id).where(Run.id.in_(run_ids), Run.state.in_(ACTIVE_STATES))))


def _tag(session: Session, run_ids: Sequence[str], tag: str) -> list[str]:
    nums: dict[str, int] = {}
    tagged: set[str] = set()
    for run_id, one in session.execute(select(RunTag.run_id, RunTag.tag).where(RunTag.run_id.in_(run_ids))):
        nums[run_id] = nums.get(run_id, 0) + 1
        if one == tag:
            tagged.add(run_id)
    fresh = [run_id for run_id in run_ids if run_id not in tagged and nums.get(run_id, 0) < MAX_TAGS]
    if fresh:
        session.execute(insert(RunTag), [{"run_id": run_id, "tag": tag} for run_id in fresh])
        tags.repeat(session, fresh)
    return fresh
