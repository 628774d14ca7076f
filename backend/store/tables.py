"""The tables.

A run's events stand once, in chunks keyed by `(run_id, first_seq)` whose ranges never overlap. How far the
log was read (`last_seq`, `log_offset`) stands in the run's row and is written in the same transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

RunState = Literal["queued", "starting", "running", "stopping", "completed", "stopped", "failed"]
ACTIVE_STATES: tuple[RunState, ...] = ("starting", "running", "stopping")  # a coordinator lives, or should
FINAL_STATES: tuple[RunState, ...] = ("completed", "stopped", "failed")
ALL_STATES: tuple[RunState, ...] = ("queued", *ACTIVE_STATES, *FINAL_STATES)

ID_LENGTH = 16


class UtcDateTime(TypeDecorator[datetime]):
    """An aware `datetime` in UTC; stored without a zone, which both databases keep to the microsecond."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it once, from the class
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        str: Text,
        int: BigInteger,
    }


class Experiment(Base):
    """A named set of runs."""

    __tablename__ = "experiments"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str]
    spec: Mapped[dict[str, Any]]  # predictor.spec.ExperimentSpec
    created_at: Mapped[datetime] = mapped_column(index=True)


class IdempotencyKey(Base):
    """A request that must not be done twice, and what it made."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))  # of the request, so that a key cannot stand for two
    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.id, ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]


class Run(Base):
    """One training job."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)  # ids sort by their time
    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.id, ondelete="CASCADE"), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    notes: Mapped[str]
    spec: Mapped[dict[str, Any]]  # predictor.spec.RunSpec, complete
    policy: Mapped[str] = mapped_column(index=True)
    dataset: Mapped[str] = mapped_column(index=True)
    is_simulated: Mapped[bool]

    state: Mapped[RunState] = mapped_column(String(16))
    reason: Mapped[str | None]  # the closing sentence
    damage: Mapped[str | None]  # why the log cannot be read further than `log_offset`
    is_resume: Mapped[bool]  # the next start goes on from the checkpoint
    queue_place: Mapped[int | None]  # order in the queue; only while queued
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    last_seq: Mapped[int]  # last event that is stored
    log_offset: Mapped[int]  # bytes of events.jsonl that are stored
    clock_origin_s: Mapped[float | None]  # Unix time at which the run's clock stood at 0; None: simulated

    summary: Mapped[dict[str, Any]]  # predictor.summary.Summary.report()
    duration_s: Mapped[float | None]  # from here on: of the summary, to sort by
    time_to_target_s: Mapped[float | None]
    final_accuracy: Mapped[float | None]
    utilisation: Mapped[float | None]
    wait_share: Mapped[float | None]

    __table_args__ = (Index(None, "created_at", "id"), Index(None, "state", "queue_place"))


class RunTag(Base):
    __tablename__ = "run_tags"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)


class Fold(Base):
    """The state of a run's summary, from which the next event goes on. Apart from the row that lists read."""

    __tablename__ = "folds"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    state: Mapped[bytes] = mapped_column(LargeBinary)  # JSON of Summary.to_data(), non-finite numbers included


class EventChunk(Base):
    """Events `first_seq`..`last_seq` of one run; see `backend.store.codec`."""

    __tablename__ = "event_chunks"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    first_seq: Mapped[int] = mapped_column(primary_key=True)
    last_seq: Mapped[int]
    codec: Mapped[str] = mapped_column(String(16))
    data: Mapped[bytes] = mapped_column(LargeBinary)
