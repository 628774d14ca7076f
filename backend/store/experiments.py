"""Queries on experiments."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from backend.store import runs
from backend.store.ids import new_id
from backend.store.records import ExperimentRecord
from backend.store.tables import FINAL_STATES, Experiment, IdempotencyKey, Run
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
    return _records(session, [found])[0]


def list_all(session: Session) -> list[ExperimentRecord]:
    """Give all experiments, newest first."""
    return _records(session, session.scalars(select(Experiment).order_by(Experiment.created_at.desc())))


def all_run_ids(session: Session, experiment_id: str) -> tuple[str, ...]:
    """Give the runs of an experiment, those in the bin among them."""
    return tuple(session.scalars(select(Run.id).where(Run.experiment_id == experiment_id).order_by(Run.id)))


def remove(session: Session, experiment_id: str) -> None:
    """Delete an experiment; the rows of its runs go with it."""
    session.execute(delete(Experiment).where(Experiment.id == experiment_id))


def _records(session: Session, experiments: Iterable[Experiment]) -> list[ExperimentRecord]:
    found = list(experiments)
    query = select(Run.experiment_id, Run.id, Run.state).where(Run.deleted_at.is_(None)).order_by(Run.id)
    if len(found) == 1:
        query = query.where(Run.experiment_id == found[0].id)
    members: dict[str, list[tuple[str, str]]] = {}
    for experiment_id, run_id, state in session.execute(query):
        members.setdefault(experiment_id, []).append((run_id, state))
    return [_record(experiment, members.get(experiment.id, [])) for experiment in found]


def _record(experiment: Experiment, members: list[tuple[str, str]]) -> ExperimentRecord:
    return ExperimentRecord(
        id=experiment.id,
        name=experiment.name,
        spec=experiment.spec,
        created_at=experiment.created_at,
        run_ids=tuple(run_id for run_id, _ in members),
        num_runs=len(members),
        num_done=sum(state in FINAL_STATES for _, state in members),
    )
