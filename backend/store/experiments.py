"""Queries on experiments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from backend.store import runs
from backend.store.ids import new_id
from backend.store.records import ExperimentRecord
from backend.store.tables import FINAL_STATES, Experiment, IdempotencyKey, Run, RunState
from backend.store.text import check_data, check_text
from predictor.spec import ExperimentSpec, expand, to_data


def create(session: Session, spec: ExperimentSpec, *, idempotency_key: str | None = None) -> tuple[str, bool]:
    """Add an experiment with its runs, all queued, and give its id and whether it is new.

    With an idempotency key that was used before, give the experiment of that time.

    Raises:
        Conflict: the key was used with another spec.
        BadValue: a text that cannot be stored.
        SpecError: a run of the grid is wrong.
    """
    data = to_data(spec)
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
    if idempotency_key is not None:
        check_text("Idempotency-Key", idempotency_key, 255, is_required=True)
        if session.get_bind().dialect.name == "postgresql":  # the same request may come twice at one time
            session.execute(select(func.pg_advisory_xact_lock(func.hashtext(idempotency_key))))
        earlier = session.get(IdempotencyKey, idempotency_key)
        if earlier is not None and earlier.digest != digest:
            raise Conflict(f"The idempotency key {idempotency_key!r} was used with another experiment.")
        if earlier is not None:
            return earlier.experiment_id, False
    check_data("spec", data)
    check_text("name", spec.name, 120, is_required=True)
    now = datetime.now(UTC)
    experiment = Experiment(id=new_id(), name=spec.name, spec=data, created_at=now)
    session.add(experiment)
    session.flush()
    if idempotency_key is not None:
        key = IdempotencyKey(key=idempotency_key, digest=digest, experiment_id=experiment.id, created_at=now)
        session.add(key)
        session.flush()
    runs.create(session, experiment.id, expand(spec))
    return experiment.id, True


def get(session: Session, experiment_id: str) -> ExperimentRecord:
    """Give one experiment.

    Raises:
        NotFound: no such experiment.
    """
    found = session.get(Experiment, experiment_id)
    if found is None:
        raise NotFound("experiment", experiment_id)
    query = select(Run.id).where(Run.experiment_id == experiment_id, Run.deleted_at.is_(None)).order_by(Run.id)
    return replace(_records(session, [found])[0], run_ids=tuple(session.scalars(query)))


def list_all(session: Session) -> list[ExperimentRecord]:
    """Give all experiments, newest first, without the ids of their runs, which may be a hundred thousand."""
    return _records(session, session.scalars(select(Experiment).order_by(Experiment.created_at.desc())))


def all_run_ids(session: Session, experiment_id: str) -> tuple[str, ...]:
    """Give the runs of an experiment, those in the bin among them."""
    return tuple(session.scalars(select(Run.id).where(Run.experiment_id == experiment_id).order_by(Run.id)))


def remove(session: Session, experiment_id: str) -> None:
    """Delete an experiment; the rows of its runs go with it."""
    session.execute(delete(Experiment).where(Experiment.id == experiment_id))


def _records(session: Session, experiments: Iterable[Experiment]) -> list[ExperimentRecord]:
    found = list(experiments)
    counts = select(Run.experiment_id, Run.state, func.count()).where(Run.deleted_at.is_(None))
    if len(found) == 1:
        counts = counts.where(Run.experiment_id == found[0].id)
    by_state: dict[str, dict[RunState, int]] = {}
    for experiment_id, state, num in session.execute(counts.group_by(Run.experiment_id, Run.state)):
        by_state.setdefault(experiment_id, {})[state] = num
    has_queued = any("queued" in nums for nums in by_state.values())
    places = _queue_positions(session) if has_queued else {}
    return [_record(one, by_state.get(one.id, {}), places.get(one.id)) for one in found]


def _queue_positions(session: Session) -> dict[str, int]:
    """Give the place of the first run that waits of each experiment; 1 is the next."""
    queued = (Run.state == "queued", Run.deleted_at.is_(None))
    waiting = session.scalars(select(Run.experiment_id).where(*queued).order_by(Run.queue_place, Run.id))
    places: dict[str, int] = {}
    for place, experiment_id in enumerate(waiting, 1):
        places.setdefault(experiment_id, place)
    return places


def _record(experiment: Experiment, num_by_state: dict[RunState, int], queue_position: int | None) -> ExperimentRecord:
    return ExperimentRecord(
        id=experiment.id,
        name=experiment.name,
        spec=experiment.spec,
        created_at=experiment.created_at,
        num_runs=sum(num_by_state.values()),
        num_done=sum(num for state, num in num_by_state.items() if state in FINAL_STATES),
        num_by_state=num_by_state,
        queue_position=queue_position,
    )
