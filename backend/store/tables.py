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
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    false,
    text,
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


# What the history filters, counts and sorts by stands in indexes: a row of `runs` holds kilobytes of JSON, and a look
# through 100,000 of them must not read those. FACETS: what is counted, in its order. HISTORY: the same, and all else,
# for counts under any filter. NEWEST: all of it again in the order of the list, so that the first matches end the look.
# NAMES and WORDS: little beside what is looked for in names. ORDERS: one narrow index each, for the first of an order.
FACETS = (*("deleted_at", "is_archived", "policy", "state", "dataset", "num_workers", "is_simulated", "tag_numbers"),)
_SORTED = (
    *("duration_s", "time_to_target_s", "final_accuracy", "best_accuracy", "final_loss", "utilisation", "wait_share"),
    *("iterations_per_s", "mean_staleness", "traffic_bytes", "forecast_coverage"),
)
_ELSE = ("seed", "model", "started_at", "finished_at", *_SORTED, "settings_id", "experiment_id", "name")
HISTORY = (*FACETS, "created_at", "id", *_ELSE)
NEWEST = (*FACETS[:2], "created_at", "id", *FACETS[2:], *_ELSE)
NAMES = (*FACETS[:2], "name", "id", "experiment_id", "created_at")
WORDS = (*FACETS[:2], "created_at", "id", "experiment_id", "name")
ORDERS = ("policy", "state", "dataset", "num_workers", "seed", "model", "started_at", "finished_at", *_SORTED)


class Run(Base):
    """One training job."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)  # ids sort by their time
    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.id, ondelete="CASCADE"), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    notes: Mapped[str]
    spec: Mapped[dict[str, Any]]  # predictor.spec.RunSpec, complete, as the run was started
    policy: Mapped[str]
    dataset: Mapped[str]
    is_simulated: Mapped[bool]
    settings_id: Mapped[str | None] = mapped_column(String(32))  # of RunSettings: those in force
    start_settings_id: Mapped[str | None] = mapped_column(String(32))  # those of `spec`; None: never retuned
    model: Mapped[str] = mapped_column(
        server_default=text("''")
    )  # this and the next two: of the spec, to filter and sort by
    num_workers: Mapped[int] = mapped_column(server_default="0")
    seed: Mapped[int] = mapped_column(server_default="0")

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
    best_accuracy: Mapped[float | None]
    final_loss: Mapped[float | None]
    iterations_per_s: Mapped[float | None]
    mean_staleness: Mapped[float | None]
    traffic_bytes: Mapped[int | None]
    forecast_coverage: Mapped[float | None]

    tag_numbers: Mapped[str] = mapped_column(server_default=text("''"))  # see `backend.store.tags`

    is_archived: Mapped[bool] = mapped_column(server_default=false())  # kept, but not in the list by default
    deleted_at: Mapped[datetime | None]  # in the bin since then

    __table_args__ = (
        Index(None, "state", "queue_place"),
        Index("ix_runs_facets", *FACETS),
        Index("ix_runs_newest", *NEWEST),
        Index("ix_runs_history", *HISTORY),
        Index("ix_runs_names", *NAMES),
        Index("ix_runs_words", *WORDS),
        *(Index(f"ix_runs_by_{name}", *FACETS[:2], name, "id") for name in ORDERS),
    )


class RunSettings(Base):
    """A spec without name and seed, once for all runs that share it: what filters by a setting look through.

    Written with the first run that has these settings, and never changed or taken away.
    """

    __tablename__ = "run_settings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # of its content
    spec: Mapped[dict[str, Any]]


class SavedView(Base):
    """A filter, an order and a choice of columns of the history, under a name."""

    __tablename__ = "saved_views"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    filter: Mapped[str]
    sort: Mapped[str]
    columns: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class Baseline(Base):
    """The run that others are compared with; at most one row."""

    __tablename__ = "baseline"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), index=True)
    pinned_at: Mapped[datetime]


class RunTag(Base):
    __tablename__ = "run_tags"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)

    __table_args__ = (Index(None, "tag", "run_id"),)


class Tag(Base):
    """A tag that a run has or had; its number stands in `Run.tag_numbers`."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), unique=True)


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


class RunCurves(Base):
    """The curves of an ended run, up to its last event; see `backend.curve_cache`."""

    __tablename__ = "run_curves"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    last_seq: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)  # JSON of CurveFold.to_data(), compressed


class RunAccount(Base):
    """The accounting of a run up to one of its events; see `backend.account_cache`."""

    __tablename__ = "run_accounts"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    last_seq: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))  # of the code that made it: no other goes on from it
    data: Mapped[bytes] = mapped_column(LargeBinary)  # JSON of Account.to_data(), compressed


class Timeline(Base):
    """How far a run's timeline is built, and its finest bins; see `backend.timeline`."""

    __tablename__ = "timelines"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    last_seq: Mapped[int]  # the last event that it holds
    to_s: Mapped[float]  # the latest time that any of them told of
    level: Mapped[int]  # the finest bins are 2 ** level seconds wide
    sealed_s: Mapped[float | None]  # tiles that end before this are complete; None: all are, the run having ended


class TimelineTile(Base):
    """What each worker did in some hundred equal bins of time; see `backend.timeline.tiles`."""

    __tablename__ = "timeline_tiles"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class TimelinePiece(Base):
    """Where some thousand events that follow one another lie in time, and the rare ones among them."""

    __tablename__ = "timeline_pieces"

    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id, ondelete="CASCADE"), primary_key=True)
    first_seq: Mapped[int] = mapped_column(primary_key=True)
    last_seq: Mapped[int]
    low_s: Mapped[float]  # the earliest and the latest `at_s`
    high_s: Mapped[float]
    began_s: Mapped[float]  # when the earliest of what they tell began
    landmarks: Mapped[bytes | None] = mapped_column(LargeBinary)  # lines of the rare kinds, compressed
