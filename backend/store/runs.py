"""Queries on runs that a person asks for. What the run manager changes stands in `backend.store.progress`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.errors import BadValue, NotFound
from backend.store.ids import new_id
from backend.store.records import Queue, RunFilter, RunPage, RunRecord
from backend.store.tables import ACTIVE_STATES, ALL_STATES, Experiment, Run, RunTag
from backend.store.text import check_data, check_text
from predictor.spec import RunSpec, to_data

MAX_LIMIT = 1_000
MAX_TAGS = 64
MAX_NOTES_LENGTH = 20_000

SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "created_at": Run.created_at,
    "name": Run.name,
    "policy": Run.policy,
    "state": Run.state,
    "time_to_target_s": Run.time_to_target_s,
    "final_accuracy": Run.final_accuracy,
    "utilisation": Run.utilisation,
    "wait_share": Run.wait_share,
    "duration_s": Run.duration_s,
}

NEVER_NULL = ("created_at", "name", "policy", "state")


def create(
    session: Session, experiment_id: str, specs: Sequence[RunSpec], *, parent_id: str | None = None
) -> list[str]:
    """Add runs in state "queued", at the end of the queue, and give their ids.

    Raises:
        BadValue: a text that the databases cannot keep.
    """
    place = next_place(session)
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for index, spec in enumerate(specs):
        data = to_data(spec)
        check_data("spec", data)
        check_text("name", spec.name, 120)
        row = {
            "id": new_id(),
            "experiment_id": experiment_id,
            "parent_id": parent_id,
            "name": spec.name,
            "notes": "",
            "spec": data,
            "policy": data["policy"]["name"],
            "dataset": spec.task.dataset,
            "is_simulated": spec.cluster.launcher == "virtual",
            "state": "queued",
            "is_resume": False,
            "queue_place": place + index,
            "created_at": now,
            "last_seq": 0,
            "log_offset": 0,
            "summary": {},
        }
        rows.append(row)
    if rows:
        session.execute(insert(Run), rows)
    return [row["id"] for row in rows]


def next_place(session: Session) -> int:
    """Give the place behind the last run of the queue."""
    return (session.scalar(select(func.max(Run.queue_place))) or 0) + 1


def get(session: Session, run_id: str) -> RunRecord:
    """Give one run.

    Raises:
        NotFound: no such run.
    """
    return find(session, [run_id])[0]


def find(session: Session, run_ids: Sequence[str]) -> list[RunRecord]:
    """Give some runs, in the order of the ids.

    Raises:
        NotFound: the first id that no run has.
    """
    found = {record.id: record for record in _records(session, _select().where(Run.id.in_(set(run_ids))))}
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound("run", run_id)
    return [found[run_id] for run_id in run_ids]


def of_experiment(session: Session, experiment_id: str) -> list[RunRecord]:
    """Give the runs of an experiment in the order in which they were made."""
    return _records(session, _select().where(Run.experiment_id == experiment_id).order_by(Run.id))


def list_page(
    session: Session,
    wanted: RunFilter,
    *,
    sort: str = "-created_at",
    limit: int = 50,
    cursor: str | None = None,
) -> RunPage:
    """Give one page of the runs that the filter lets through; runs without the value come last.

    Args:
        session: reads.
        wanted: the filter.
        sort: a name of `SORTS`, with a leading "-" for descending.
        limit: 1 to `MAX_LIMIT`.
        cursor: `next_cursor` of the page before, with the same sort.

    Raises:
        BadValue: names the argument.
    """
    column = SORTS.get(sort.removeprefix("-"))
    if column is None:
        raise BadValue("sort", sort, f"must be one of {', '.join(SORTS)}, with - in front for descending")
    if not 1 <= limit <= MAX_LIMIT:
        raise BadValue("limit", limit, f"must be from 1 to {MAX_LIMIT}")
    is_descending = sort.startswith("-")
    conditions = _conditions(wanted)
    counted = select(func.count()).select_from(Run).join(Experiment, Experiment.id == Run.experiment_id)
    total = session.scalar(counted.where(*conditions)) or 0
    query = _select().where(*conditions)
    if cursor is not None:
        query = query.where(_after(column, is_descending, *_read_cursor(cursor, sort)))
    key, tie = (column.desc(), Run.id.desc()) if is_descending else (column.asc(), Run.id.asc())
    nulls_last = [] if sort.removeprefix("-") in NEVER_NULL else [column.is_(None)]
    records = _records(session, query.order_by(*nulls_last, key, tie).limit(limit + 1))
    following = None
    if len(records) > limit:
        records = records[:limit]
        value = session.scalar(select(column).where(Run.id == records[-1].id))
        following = _write_cursor(sort, value, records[-1].id)
    return RunPage(tuple(records), total, following)


def patch(
    session: Session,
    run_id: str,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
) -> None:
    """Change what a person may change; None leaves as it is.

    Raises:
        NotFound: no such run.
        BadValue: names the field.
    """
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = check_text("name", name.strip(), 120, is_required=True)
    if notes is not None:
        values["notes"] = check_text("notes", notes, MAX_NOTES_LENGTH)
    if session.scalar(select(Run.id).where(Run.id == run_id).with_for_update()) is None:
        raise NotFound("run", run_id)
    if values:
        session.execute(update(Run).where(Run.id == run_id).values(values))
    if tags is not None:
        wanted = sorted({check_text("tags", tag.strip(), 64, is_required=True) for tag in tags})
        if len(wanted) > MAX_TAGS:
            raise BadValue("tags", len(wanted), f"may hold at most {MAX_TAGS}")
        session.execute(delete(RunTag).where(RunTag.run_id == run_id))
        if wanted:
            session.execute(insert(RunTag), [{"run_id": run_id, "tag": tag} for tag in wanted])


def queue(session: Session) -> Queue:
    """Give the runs that train and those that wait, in their order."""
    running = session.scalars(select(Run.id).where(Run.state.in_(ACTIVE_STATES)).order_by(Run.id))
    waiting = session.scalars(select(Run.id).where(Run.state == "queued").order_by(Run.queue_place, Run.id))
    return Queue(tuple(running), tuple(waiting))


def _select() -> Select[Run, str]:
    return select(Run, Experiment.name).join(Experiment, Experiment.id == Run.experiment_id)


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    for state in wanted.states:
        if state not in ALL_STATES:
            raise BadValue("state", state, f"must be one of {', '.join(ALL_STATES)}")
    conditions: list[ColumnElement[bool]] = []
    chosen: tuple[tuple[InstrumentedAttribute[str], str, Collection[str]], ...] = (
        (Run.state, "state", wanted.states),
        (Run.policy, "policy", wanted.policies),
        (Run.dataset, "dataset", wanted.datasets),
    )
    for column, field, values in chosen:
        if values:
            conditions.append(column.in_([check_text(field, value, 256) for value in values]))
    conditions.extend(_has_tag(RunTag.tag == check_text("tag", tag, 256)) for tag in wanted.tags)
    if wanted.experiment_id is not None:
        conditions.append(Run.experiment_id == check_text("experiment_id", wanted.experiment_id, 256))
    if wanted.text:
        text = check_text("q", wanted.text, 256)
        conditions.append(
            or_(
                Run.name.icontains(text, autoescape=True),
                Experiment.name.icontains(text, autoescape=True),
                _has_tag(RunTag.tag.icontains(text, autoescape=True)),
            )
        )
    return conditions


def _has_tag(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(RunTag.run_id == Run.id, condition)


def _after(column: InstrumentedAttribute[Any], is_descending: bool, value: object, run_id: str) -> ColumnElement[bool]:
    """Give the condition for the rows behind (value, run_id); those without a value stand at the end."""
    is_later = Run.id < run_id if is_descending else Run.id > run_id
    if value is None:
        return and_(column.is_(None), is_later)
    is_beyond = column < value if is_descending else column > value
    return or_(column.is_(None), is_beyond, and_(column == value, is_later))


def _write_cursor(sort: str, value: object, run_id: str) -> str:
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(orjson.dumps([sort, plain, run_id])).decode().rstrip("=")


def _read_cursor(cursor: str, sort: str) -> tuple[object, str]:
    wrong = BadValue("cursor", cursor, f"must be the next_cursor of a page that was sorted by {sort!r}")
    try:
        made_for, value, run_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != sort or not isinstance(run_id, str):
            raise wrong
        expected = SORTS[sort.removeprefix("-")].type.python_type
        parsed = datetime.fromisoformat(value) if sort.endswith("created_at") else value
    except (ValueError, TypeError, binascii.Error) as error:
        raise wrong from error
    if parsed is not None and not isinstance(parsed, (int, float) if expected is float else expected):
        raise wrong
    return parsed, run_id


def _records(session: Session, query: Select[Run, str]) -> list[RunRecord]:
    rows = session.execute(query).all()
    tags = _tags(session, [run.id for run, _ in rows])
    has_queued = any(run.state == "queued" for run, _ in rows)
    positions = {run_id: index for index, run_id in enumerate(queue(session).waiting, 1)} if has_queued else {}
    return [_record(run, name, tags.get(run.id, ()), positions.get(run.id)) for run, name in rows]


def _tags(session: Session, run_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    tags: dict[str, tuple[str, ...]] = {}
    query = select(RunTag.run_id, RunTag.tag).where(RunTag.run_id.in_(list(run_ids))).order_by(RunTag.tag)
    for run_id, tag in session.execute(query):
        tags[run_id] = (*tags.get(run_id, ()), tag)
    return tags


def _record(run: Run, experiment_name: str, tags: tuple[str, ...], position: int | None) -> RunRecord:
    return RunRecord(
        id=run.id,
        experiment_id=run.experiment_id,
        experiment_name=experiment_name,
        name=run.name,
        state=run.state,
        reason=run.reason,
        spec=run.spec,
        tags=tags,
        notes=run.notes,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        last_seq=run.last_seq,
        queue_position=position,
        is_simulated=run.is_simulated,
        parent_id=run.parent_id,
        summary=run.summary,
    )
