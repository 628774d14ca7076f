"""Queries on single runs that a person asks for.

Lists stand in `backend.store.listing`, changes of many runs in `backend.store.bulk`, and what the run manager
changes in `backend.store.progress`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from backend.errors import BadValue, NotFound
from backend.filters.elements import among
from backend.store import figures
from backend.store import tags as tags_in_rows
from backend.store.ids import new_id
from backend.store.records import Queue, RunLabel, RunRecord
from backend.store.tables import ACTIVE_STATES, Experiment, Run, RunTag
from backend.store.text import check_data, check_text
from predictor.spec import RunSpec, to_data

MAX_TAGS = 64
MAX_TAG_LENGTH = 64
MAX_NOTES_LENGTH = 20_000


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
            **figures.of_spec(data),
            "state": "queued",
            "is_resume": False,
            "queue_place": place + index,
            "created_at": now,
            "last_seq": 0,
            "log_offset": 0,
            "summary": {},
            "is_archived": False,
        }
        rows.append(row)
    if rows:
        figures.keep_settings(session, [row["spec"] for row in rows])
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
    found = {record.id: record for record in _records(session, _select().where(among(Run.id, run_ids)))}
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound("run", run_id)
    return [found[run_id] for run_id in run_ids]


def of_experiment(session: Session, experiment_id: str) -> list[RunRecord]:
    """Give the runs of an experiment in the order in which they were made, without those in the bin."""
    chosen = (Run.experiment_id == experiment_id, Run.deleted_at.is_(None))
    return _records(session, _select().where(*chosen).order_by(Run.id))


def patch(
    session: Session,
    run_id: str,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    is_archived: bool | None = None,
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
    if is_archived is not None:
        values["is_archived"] = is_archived
    if session.scalar(select(Run.id).where(Run.id == run_id).with_for_update()) is None:
        raise NotFound("run", run_id)
    if values:
        session.execute(update(Run).where(Run.id == run_id).values(values))
    if tags is not None:
        wanted = sorted({check_tag(tag) for tag in tags})
        if len(wanted) > MAX_TAGS:
            raise BadValue("tags", len(wanted), f"may hold at most {MAX_TAGS}")
        session.execute(delete(RunTag).where(RunTag.run_id == run_id))
        if wanted:
            session.execute(insert(RunTag), [{"run_id": run_id, "tag": tag} for tag in wanted])
        tags_in_rows.repeat(session, [run_id])


def check_tag(tag: str) -> str:
    """Give a tag as it is kept.

    Raises:
        BadValue: it is empty or too long.
    """
    return check_text("tags", tag.strip(), MAX_TAG_LENGTH, is_required=True)


def labels(session: Session, run_ids: Sequence[str]) -> dict[str, RunLabel]:
    """Give state, name and tags of some runs, as far as they exist."""
    tags = tags_of(session, run_ids)
    found = session.execute(select(Run.id, Run.state, Run.name).where(Run.id.in_(run_ids)))
    return {row[0]: RunLabel(row[1], row[2], tags.get(row[0], ())) for row in found}


def queue(session: Session) -> Queue:
    """Give the runs that train and those that wait, in their order; none that is in the bin."""
    running = session.scalars(select(Run.id).where(Run.state.in_(ACTIVE_STATES)).order_by(Run.id))
    queued = (Run.state == "queued", Run.deleted_at.is_(None))
    waiting = session.scalars(select(Run.id).where(*queued).order_by(Run.queue_place, Run.id))
    return Queue(tuple(running), tuple(waiting))


def queue_positions(session: Session) -> dict[str, int]:
    """Give the place of each run that waits; 1 is the next."""
    return {run_id: index for index, run_id in enumerate(queue(session).waiting, 1)}


def _select() -> Select[Run, str]:
    return select(Run, Experiment.name).join(Experiment, Experiment.id == Run.experiment_id)


def _records(session: Session, query: Select[Run, str]) -> list[RunRecord]:
    rows = session.execute(query).all()
    tags = tags_of(session, [run.id for run, _ in rows])
    positions = queue_positions(session) if any(run.state == "queued" for run, _ in rows) else {}
    in_force = figures.read_settings(session, {run.settings_id for run, _ in rows if run.start_settings_id})
    made = []
    for run, name in rows:
        spec = run.spec | in_force[run.settings_id] if run.start_settings_id else run.spec
        made.append(_record(run, name, spec, tags.get(run.id, ()), positions.get(run.id)))
    return made


def tags_of(session: Session, run_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Give the tags of some runs, sorted; a run without any is absent."""
    tags: dict[str, tuple[str, ...]] = {}
    query = select(RunTag.run_id, RunTag.tag).where(among(RunTag.run_id, run_ids)).order_by(RunTag.tag)
    for run_id, tag in session.execute(query):
        tags[run_id] = (*tags.get(run_id, ()), tag)
    return tags


def _record(
    run: Run, experiment_name: str, spec_in_force: dict[str, Any], tags: tuple[str, ...], position: int | None
) -> RunRecord:
    return RunRecord(
        id=run.id,
        experiment_id=run.experiment_id,
        experiment_name=experiment_name,
        name=run.name,
        state=run.state,
        reason=run.reason,
        spec=run.spec,
        spec_in_force=spec_in_force,
        is_retuned=run.start_settings_id is not None,
        tags=tags,
        notes=run.notes,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        last_seq=run.last_seq,
        queue_position=position,
        is_simulated=run.is_simulated,
        parent_id=run.parent_id,
        is_archived=run.is_archived,
        deleted_at=run.deleted_at,
        summary=run.summary,
    )
