"""Queries that change the order of the queue; only the run manager calls them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.store.tables import Run

Place = Literal["first", "up", "down", "last"]


def moved(order: Sequence[str], chosen: Collection[str], to: Place | None, before: str | None) -> list[str]:
    """Give the order with some of its members moved; they keep their order among each other.

    Args:
        order: as it is.
        chosen: those that move, all of them members.
        to: "first" or "last", or one place "up" or "down" as a block; None: see `before`.
        before: the member, not chosen itself, before which they come to stand.
    """
    block = [one for one in order if one in chosen]
    rest = [one for one in order if one not in chosen]
    if not block or not rest:
        return list(order)
    # Of those that stay, how many stand in front of the block's first and of its last member.
    ahead_of_first = next(place for place, one in enumerate(order) if one in chosen)
    ahead_of_last = len(order) - 1 - next(place for place, one in enumerate(reversed(order)) if one in chosen)
    ahead_of_last -= len(block) - 1
    match to:
        case "first":
            at = 0
        case "last":
            at = len(rest)
        case "up":
            at = max(0, ahead_of_first - 1)
        case "down":
            at = min(len(rest), ahead_of_last + 1)
        case None:
            at = rest.index(before) if before in rest else len(rest)
    return [*rest[:at], *block, *rest[at:]]


def move(session: Session, run_ids: Collection[str], to: Place | None, before: str | None) -> None:
    """Move runs within the queue; those that no longer wait are passed over.

    Raises:
        Conflict: none of them waits, or the one before which they are to stand does not.
    """
    order = _locked_order(session)
    chosen = set(run_ids) & set(order)
    if not chosen:
        raise Conflict("None of these runs waits in the queue any more, so none can be moved.")
    if to is None and (before not in order or before in chosen):
        raise Conflict("The run before which they were to stand does not wait in the queue; look at it again.")
    rows = [{"run": run_id, "place": place} for place, run_id in enumerate(moved(order, chosen, to, before), 1)]
    query = update(Run).where(Run.id == bindparam("run")).values(queue_place=bindparam("place"))
    session.connection().execute(query, rows)


def waiting(session: Session, run_ids: Collection[str]) -> list[str]:
    """Give those of some runs that wait, in their order, and keep others from changing them meanwhile."""
    wanted = set(run_ids)
    return [run_id for run_id in _locked_order(session) if run_id in wanted]


def _locked_order(session: Session) -> list[str]:
    """Give what waits, without what is in the bin; the rows are locked by id, as everywhere."""
    query = select(Run.queue_place, Run.id).where(Run.state == "queued", Run.deleted_at.is_(None))
    rows = session.execute(query.order_by(Run.id).with_for_update()).all()
    return [row.id for row in sorted(rows, key=lambda row: (row.queue_place or 0, row.id))]
