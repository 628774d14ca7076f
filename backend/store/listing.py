"""The history: pages of runs that a filter lets through, under any order.

A page is found in two steps: ids, from indexes that hold all that is filtered and sorted by (`tables.NEWEST` and those
beside it), then the rows of these ids. Where a filter lets few runs through, they are gathered and put in order. Where
it lets many through, the first of an order are found by walking along its index (`tables.ORDERS`) until there are
enough; among the newest without an end, by other orders a short way, before all are looked through. Places in the list
are (value, id), so that runs that come or go move no page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.errors import BadValue
from backend.filters.conditions import Condition, Filter, has_tag, search
from backend.filters.elements import Unindexed
from backend.filters.syntax import Node
from backend.filters.values import MAX_INTEGER
from backend.store import rows, runs
from backend.store.records import RunFilter, RunPage
from backend.store.rows import RowPage
from backend.store.tables import ALL_STATES, ID_LENGTH, Experiment, Run, UtcDateTime
from backend.store.text import check_text, storable

MAX_LIMIT = 1_000
MAX_COUNTED = 1_000
NEWEST = "-created_at"
NUM_FIRST_EXPERIMENTS = 16
NUM_AHEAD = (1_024, 4_096)  # first runs of an order that are looked at by themselves; each costs a look into its row

SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "created_at": Run.created_at,
    "name": Run.name,
    "experiment_name": Experiment.name,
    "policy": Run.policy,
    "state": Run.state,
    "seed": Run.seed,
    "model": Run.model,
    "dataset": Run.dataset,
    "num_workers": Run.num_workers,
    "started_at": Run.started_at,
    "finished_at": Run.finished_at,
    "time_to_target_s": Run.time_to_target_s,
    "final_accuracy": Run.final_accuracy,
    "best_accuracy": Run.best_accuracy,
    "final_loss": Run.final_loss,
    "utilisation": Run.utilisation,
    "wait_share": Run.wait_share,
    "duration_s": Run.duration_s,
    "iterations_per_s": Run.iterations_per_s,
    "mean_staleness": Run.mean_staleness,
    "traffic_bytes": Run.traffic_bytes,
    "forecast_coverage": Run.forecast_coverage,
}


class Wanted:
    """A filter that was read: the conditions that it stands for."""

    def __init__(self, wanted: RunFilter) -> None:
        """Read the filter.

        Raises:
            BadValue: names the argument; a `FilterError` also the place.
        """
        self.filter = Filter(wanted.expression)
        self._others = _others(wanted)
        self._shown: list[Condition] = []
        if not self.filter.names("is", "deleted"):
            self._shown.append(Run.deleted_at.is_(None))
            if not self.filter.names("is", "archived"):
                self._shown.append(Run.is_archived.is_(False))
        self.is_ordinary = len(self._shown) == 2  # neither archived nor deleted runs are asked for
        self.is_everything = self.is_ordinary and not self._others and not self.filter.node.parts

        # An index begins with it, or holds little beside it: to find few runs there costs less than the walk to them.
        self.has_index = bool(wanted.policies) or any(self.filter.only(key) is not None for key in ("policy", "name"))

    def shown(self) -> list[Condition]:
        """Give the conditions that all indexes begin with."""
        return self._shown

    def conditions(self, node: Node | None = None) -> list[Condition]:
        """Give the conditions; with another tree in place of the filter's where one is given."""
        return [*self._shown, *self._others, self.filter.condition(self.filter.node if node is None else node)]


def list_page(
    session: Session, wanted: RunFilter, *, sort: str = NEWEST, limit: int = 50, cursor: str | None = None
) -> RunPage:
    """Give one page of the runs that the filter lets through, complete; runs without the value come last.

    Args:
        session: reads.
        wanted: the filter.
        sort: a name of `SORTS`, with a leading "-" for descending.
        limit: 1 to `MAX_LIMIT`.
        cursor: `next_cursor` of the page before, with the same sort.

    Raises:
        BadValue: names the argument.
    """
    read = Wanted(wanted)
    found = _find(session, read, sort, limit, cursor)
    num = found.num_counted
    total = _count(session, read) if num is None or num > MAX_COUNTED else num
    return RunPage(tuple(runs.find(session, found.run_ids)), total, found.next_cursor)


def list_rows(
    session: Session, wanted: RunFilter, *, sort: str = NEWEST, limit: int = 50, cursor: str | None = None
) -> RowPage:
    """Give the same page with what a list shows of each run; the arguments are those of `list_page`.

    The runs are counted up to `MAX_COUNTED`, so that a long list costs no more than a short one.
    """
    read = Wanted(wanted)
    found = _find(session, read, sort, limit, cursor)
    total = _count(session, read, MAX_COUNTED + 1) if found.num_counted is None else found.num_counted
    shown = tuple(rows.read(session, found.run_ids))
    return RowPage(shown, min(total, MAX_COUNTED), total <= MAX_COUNTED, found.next_cursor)


def ids(session: Session, wanted: RunFilter) -> list[str]:
    """Give the ids of all runs that the filter lets through."""
    return list(session.scalars(select(Run.id).where(*Wanted(wanted).conditions())))


def check_sort(sort: str) -> InstrumentedAttribute[Any]:
    """Give the column of an order.

    Raises:
        BadValue: there is none of this name.
    """
    column = SORTS.get(sort.removeprefix("-"))
    if column is None:
        raise BadValue("sort", sort, f"must be one of {', '.join(SORTS)}, with - in front for descending")
    return column


# ---- finding -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    run_ids: Sequence[str]
    next_cursor: str | None
    num_counted: int | None  # runs on all pages, or more than `MAX_COUNTED`; None: they were not counted by the way


_Place = tuple[Any, str]  # value and id of the last run before a page


@dataclass(frozen=True, slots=True)
class _Order:
    column: InstrumentedAttribute[Any]
    is_descending: bool
    place: _Place | None  # behind which the page begins

    @property
    def is_newest(self) -> bool:
        return self.column is Run.created_at

    def sort(self, column: ColumnElement[Any], run_id: ColumnElement[str], *, may_miss: bool) -> list[Any]:
        """Give what to order by; runs without the value come last."""
        nulls_last = [column.is_(None)] if may_miss else []  # where none can miss, it would keep from walking an index
        return [*nulls_last, *(one.desc() if self.is_descending else one.asc() for one in (column, run_id))]

    def walk(self, wanted: Wanted, column: ColumnElement[Any], run_id: ColumnElement[str]) -> list[Any]:
        """Give what to order by where an index of this order is to be walked along.

        Indexes begin with what all that are shown have alike. SQLite knows that it does not matter for their order;
        Postgres has to be told, in the index's own words, or it would sort all of them.
        """
        alike = (Run.deleted_at, Run.is_archived) if wanted.is_ordinary else ()
        prefix = [one.desc() if self.is_descending else one.asc() for one in alike]
        return [*prefix, *self.sort(column, run_id, may_miss=False)]

    def after(self, column: ColumnElement[Any], run_id: ColumnElement[str], *, may_miss: bool) -> list[Condition]:
        """Give the condition for the runs behind the place, if there is one."""
        if self.place is None:
            return []
        return [_after(column, run_id, self.is_descending, *self.place, may_miss=may_miss)]


def _find(session: Session, wanted: Wanted, sort: str, limit: int, cursor: str | None) -> _Found:
    """Find the ids of a page.

    For a first page, as many runs as are counted are looked for before. Where an index serves, that is in any
    order: it finds all that there are if they are few. Else it is the walk itself, which then has the page as well.
    """
    plain = check_sort(sort)
    if not 1 <= limit <= MAX_LIMIT:
        raise BadValue("limit", limit, f"must be from 1 to {MAX_LIMIT}")
    order = _Order(plain, sort.startswith("-"), None if cursor is None else _read_cursor(cursor, sort, plain))
    few: Sequence[Any] | None = None
    if cursor is None and not wanted.is_everything:
        is_in_order = order.is_newest and not wanted.has_index
        num = max(limit, MAX_COUNTED)
        few = _find_few(session, wanted, order, num + 1, is_in_order=is_in_order)
        if is_in_order or len(few) <= num:
            return _Found(*_cut(few, sort, limit), num_counted=len(few))
    found: Sequence[Any] = ()
    if plain is Experiment.name:
        found = session.connection().execute(_of_first_experiments(session, wanted, order).limit(limit + 1)).all()
    elif wanted.is_ordinary and not order.is_newest:
        found = _find_ahead(session, wanted, order, limit + 1)
    if len(found) <= limit:
        found = session.connection().execute(_of_all(wanted, order).limit(limit + 1)).all()
    return _Found(*_cut(found, sort, limit), num_counted=None if few is None else len(few))


def _find_few(session: Session, wanted: Wanted, order: _Order, num: int, *, is_in_order: bool) -> Sequence[Any]:
    """Give ids and values of runs that are wanted, in order: of all of them, or of so many, any or the first."""
    query = select(Run.id, order.column.label("value")).where(*wanted.conditions()).limit(num)
    if is_in_order:
        query = query.order_by(*order.walk(wanted, order.column.expression, Run.id.expression))
        return session.connection().execute(query).all()
    if order.column is Experiment.name:
        query = query.join(Experiment, Experiment.id == Run.experiment_id)
    few = query.subquery()
    return session.connection().execute(select(few).order_by(*order.sort(few.c.value, few.c.id, may_miss=True))).all()


def _find_ahead(session: Session, wanted: Wanted, order: _Order, num: int) -> Sequence[Any]:
    """Give those that are wanted among the first runs of an order that have its value; `num` of them are a page."""
    if order.place is not None and order.place[0] is None:
        return ()  # behind all that have one
    column, run_id = order.column.expression, Run.id.expression
    first = select(Run.id, order.column.label("value")).where(*wanted.shown(), column.is_not(None))
    first = first.where(*order.after(column, run_id, may_miss=False))
    first = first.order_by(*order.walk(wanted, column, run_id))
    if wanted.is_everything:
        return session.connection().execute(first.limit(num)).all()
    found: Sequence[Any] = ()
    for num_ahead in NUM_AHEAD:
        ahead = first.limit(max(num_ahead, num)).subquery()
        chosen = select(ahead).join(Run, Run.id == ahead.c.id).where(*wanted.conditions())
        chosen = chosen.order_by(*order.sort(ahead.c.value, ahead.c.id, may_miss=False))
        found = session.connection().execute(chosen.limit(num)).all()
        if len(found) == num:
            break
    return found


def _of_all(wanted: Wanted, order: _Order) -> Select[Any]:
    """Give the query for the runs behind the place: the newest by their index, others by a look through all."""
    plain, is_walk = order.column, order.is_newest
    column: ColumnElement[Any] = plain.expression if is_walk else Unindexed(plain)
    run_id: ColumnElement[str] = Run.id.expression if is_walk else Unindexed(Run.id)
    query = select(Run.id, plain).where(*wanted.conditions(), *order.after(column, run_id, may_miss=plain.nullable))
    if plain is Experiment.name:
        query = query.join(Experiment, Experiment.id == Run.experiment_id)
    if is_walk:
        return query.order_by(*order.walk(wanted, column, run_id))
    return query.order_by(*order.sort(column, run_id, may_miss=plain.nullable))


def _cut(found: Sequence[Any], sort: str, limit: int) -> tuple[list[str], str | None]:
    """Give the ids of the page that these rows begin with, and the place of the next one."""
    following = _write_cursor(sort, found[limit - 1][1], found[limit - 1][0]) if len(found) > limit else None
    return [row[0] for row in found[:limit]], following


def _of_first_experiments(session: Session, wanted: Wanted, order: _Order) -> Select[Any]:
    """Give the query for the runs of the few experiments with which a list by their names goes on.

    All others come later, so a page that these fill is found without looking up the name for every run.
    """
    name, is_descending = Experiment.name, order.is_descending
    since = None if order.place is None else order.place[0]
    ahead = true() if since is None else (name <= since if is_descending else name >= since)
    names = select(name).where(ahead).order_by(name.desc() if is_descending else name)
    last = session.scalar(names.offset(NUM_FIRST_EXPERIMENTS - 1).limit(1))
    until = true() if last is None else (name >= last if is_descending else name <= last)
    return _of_all(wanted, order).where(Run.experiment_id.in_(select(Experiment.id).where(ahead, until)))


def _count(session: Session, wanted: Wanted, limit: int | None = None) -> int:
    if limit is None:
        return session.scalar(select(func.count()).select_from(Run).where(*wanted.conditions())) or 0
    counted = select(Run.id).where(*wanted.conditions()).limit(limit).subquery()
    return session.scalar(select(func.count()).select_from(counted)) or 0


def _others(wanted: RunFilter) -> list[Condition]:
    """Give the conditions of the plain parameters."""
    for state in wanted.states:
        if state not in ALL_STATES:
            raise BadValue("state", state, f"must be one of {', '.join(ALL_STATES)}")
    conditions: list[Condition] = []
    chosen: tuple[tuple[ColumnElement[str] | InstrumentedAttribute[str], str, Collection[str]], ...] = (
        (Unindexed(Run.state), "state", wanted.states),
        (Run.policy, "policy", wanted.policies),
        (Run.dataset, "dataset", wanted.datasets),
    )
    for column, field, values in chosen:
        if values:
            conditions.append(column.in_([check_text(field, value, 256) for value in values]))
    conditions += [has_tag(check_text("tag", tag, 256)) for tag in wanted.tags]
    if wanted.experiment_id is not None:
        conditions.append(Run.experiment_id == check_text("experiment_id", wanted.experiment_id, 256))
    if wanted.text:
        conditions.append(search(check_text("q", wanted.text, 256)))
    return conditions


# ---- places in the list ------------------------------------------------------------------------------------


def _after(
    column: ColumnElement[Any],
    id_column: ColumnElement[str],
    is_descending: bool,
    value: object,
    run_id: str,
    *,
    may_miss: bool,
) -> Condition:
    """Give the condition for the rows behind (value, run_id); those without a value stand at the end."""
    is_later = id_column < run_id if is_descending else id_column > run_id
    if value is None:
        return and_(column.is_(None), is_later)
    is_beyond = column < value if is_descending else column > value
    if may_miss:
        return or_(column.is_(None), is_beyond, and_(column == value, is_later))
    is_near = column <= value if is_descending else column >= value
    return and_(is_near, or_(is_beyond, is_later))  # the first part lets an index begin there


def _write_cursor(sort: str, value: object, run_id: str) -> str:
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(orjson.dumps([sort, plain, run_id])).decode().rstrip("=")


def _read_cursor(cursor: str, sort: str, column: InstrumentedAttribute[Any]) -> tuple[object, str]:
    wrong = BadValue("cursor", cursor, f"must be the next_cursor of a page that was sorted by {sort!r}")
    try:
        made_for, value, run_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != sort or not isinstance(run_id, str):
            raise wrong
        expected = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
        parsed = datetime.fromisoformat(value) if expected is datetime and value is not None else value
    except (ValueError, TypeError, binascii.Error) as error:
        raise wrong from error
    is_fitting = parsed is None or isinstance(parsed, (int, float) if expected is float else expected)
    is_too_large = isinstance(parsed, int) and abs(parsed) > MAX_INTEGER
    if not is_fitting or is_too_large or (isinstance(parsed, str) and storable(parsed) != parsed):
        raise wrong
    return parsed, check_text("cursor", run_id, ID_LENGTH)
