"""Saved views of the history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from backend.errors import BadValue, Conflict, NotFound
from backend.filters.conditions import Filter
from backend.filters.parser import MAX_LENGTH
from backend.store.ids import new_id
from backend.store.listing import check_sort
from backend.store.records import SavedViewRecord
from backend.store.tables import SavedView
from backend.store.text import check_text

MAX_VIEWS = 200
MAX_NAME_LENGTH = 80
MAX_COLUMNS = 40
MAX_COLUMN_LENGTH = 40


def list_all(session: Session) -> list[SavedViewRecord]:
    """Give all views by their names."""
    found = session.scalars(select(SavedView))
    return sorted(map(_record, found), key=lambda view: (view.name.lower(), view.id))


def get(session: Session, view_id: str) -> SavedViewRecord:
    """Give one view.

    Raises:
        NotFound: no such view.
    """
    found = session.get(SavedView, view_id)
    if found is None:
        raise NotFound("view", view_id)
    return _record(found)


def create(session: Session, *, name: str, filter: str, sort: str, columns: Sequence[str]) -> str:
    """Save a view, and give its id.

    Raises:
        BadValue: names the field.
        Conflict: another view has this name, or there are too many.
    """
    values = _checked({"name": name, "filter": filter, "sort": sort, "columns": columns})
    _refuse_twin(session, values["name"])
    if (session.scalar(select(func.count()).select_from(SavedView)) or 0) >= MAX_VIEWS:
        raise Conflict(f"There are {MAX_VIEWS} saved views already; delete one first.")
    view_id = new_id()
    session.execute(insert(SavedView), [{"id": view_id, "created_at": datetime.now(UTC), **values}])
    return view_id


def change(session: Session, view_id: str, changes: dict[str, Any]) -> None:
    """Change some fields of a view.

    Raises:
        NotFound: no such view.
        BadValue: names the field.
        Conflict: another view has this name.
    """
    get(session, view_id)
    values = _checked(changes)
    if "name" in values:
        _refuse_twin(session, values["name"], view_id)
    if values:
        session.execute(update(SavedView).where(SavedView.id == view_id).values(values))


def remove(session: Session, view_id: str) -> None:
    """Delete a view.

    Raises:
        NotFound: no such view.
    """
    get(session, view_id)
    session.execute(delete(SavedView).where(SavedView.id == view_id))


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    checked = dict(values)
    if "name" in values:
        checked["name"] = check_text("name", values["name"].strip(), MAX_NAME_LENGTH, is_required=True)
    if "filter" in values:
        checked["filter"] = Filter(check_text("filter", values["filter"], MAX_LENGTH)).text
    if "sort" in values:
        check_sort(values["sort"])
    if "columns" in values:
        columns = [check_text("columns", one, MAX_COLUMN_LENGTH, is_required=True) for one in values["columns"]]
        if len(columns) > MAX_COLUMNS:
            raise BadValue("columns", len(columns), f"may hold at most {MAX_COLUMNS}")
        checked["columns"] = columns
    return checked


def _refuse_twin(session: Session, name: str, view_id: str = "") -> None:
    twin = session.scalar(select(SavedView.id).where(SavedView.name == name, SavedView.id != view_id))
    if twin is not None:
        raise Conflict(f"There is a saved view {name!r} already.")


def _record(view: SavedView) -> SavedViewRecord:
    return SavedViewRecord(view.id, view.name, view.filter, view.sort, tuple(view.columns), view.created_at)
