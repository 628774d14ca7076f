"""What the queries give: plain frozen records with the field names of the REST answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.store.tables import RunState


@dataclass(frozen=True, slots=True)
class RunRecord:
    id: str
    experiment_id: str
    experiment_name: str
    name: str
    state: RunState
    reason: str | None
    spec: dict[str, Any]  # of the start
    spec_in_force: dict[str, Any]  # with what was changed while it trained
    is_retuned: bool  # something was, even if it was changed back
    tags: tuple[str, ...]
    notes: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_seq: int
    queue_position: int | None  # 1 = next; None unless queued
    is_simulated: bool
    parent_id: str | None
    is_archived: bool
    deleted_at: datetime | None  # in the bin since then
    summary: dict[str, Any]

    @property
    def is_finished(self) -> bool:
        return self.state in ("completed", "stopped", "failed")


@dataclass(frozen=True, slots=True)
class RunLabel:
    """What a list's notice says of a run."""

    state: RunState
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunPage:
    runs: tuple[RunRecord, ...]
    total: int  # of all pages
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SavedViewRecord:
    """A filter, an order and a choice of columns under a name."""

    id: str
    name: str
    filter: str
    sort: str
    columns: tuple[str, ...]  # empty: those that are shown by default
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    id: str
    name: str
    spec: dict[str, Any]
    created_at: datetime
    num_runs: int
    num_done: int  # completed, stopped or failed
    num_by_state: dict[RunState, int]  # none: absent
    queue_position: int | None  # of the first of its runs that waits; 1 = next
    run_ids: tuple[str, ...] = ()  # in the order of the grid; in a list of experiments they are left out


@dataclass(frozen=True, slots=True)
class Queue:
    running: tuple[str, ...]  # starting, running or stopping
    waiting: tuple[str, ...]  # next first


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs a list shows; an empty tuple, an empty text or None does not restrict."""

    expression: str = ""  # in the language of `backend.filters`
    states: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()  # the run has all of them
    text: str | None = None  # in the name, the experiment's name or a tag; case of ASCII letters ignored
    experiment_id: str | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """A stretch of a run's events, each as its JSON object in bytes (no newline)."""

    lines: tuple[bytes, ...]
    last_seq: int  # read on from here; with `kinds`, events of other kinds before it were passed over
    is_end: bool  # nothing more is stored at this moment

    def to_json(self) -> bytes:
        """Give the JSON array of the events."""
        return b"[" + b",".join(self.lines) + b"]"
