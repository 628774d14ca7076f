"""What the API says of the queue."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from backend.api.schemas import Model
from backend.runs.queue_settings import MAX_CONCURRENCY

MAX_CHOSEN = 10_000


class QueueStatus(Model):
    running: list[str]
    waiting: list[str] = Field(description="Next first.")
    concurrency: int = Field(description="Runs that train at the same time.")
    is_paused: bool = Field(description="Nothing is started until it goes on; what trains goes on training.")
    troubles: list[str] = Field(description="What is wrong with the server at this moment, e.g. a full disk.")


class QueuePatch(Model):
    """How the queue is worked on; what is absent stays. Kept over a restart of the server."""

    model_config = ConfigDict(extra="forbid")

    is_paused: bool = False
    concurrency: int = Field(default=1, ge=1, le=MAX_CONCURRENCY)


class QueueMove(Model):
    """Move waiting runs, as one block in their order; those that no longer wait are passed over."""

    model_config = ConfigDict(extra="forbid")

    run_ids: list[str] = Field(min_length=1, max_length=MAX_CHOSEN)
    to: Literal["first", "up", "down", "last"] | None = Field(
        default=None, description="The ends of the queue, or by one place."
    )
    before: str | None = Field(default=None, description="Instead of `to`: the waiting run before which they go.")


class QueueCancel(Model):
    """Take waiting runs out of the queue; they are then stopped, and can be queued again."""

    model_config = ConfigDict(extra="forbid")

    run_ids: list[str] = Field(min_length=1, max_length=MAX_CHOSEN)


class QueueCancelled(Model):
    cancelled: list[str] = Field(description="Those that still waited.")


class RunOutlook(Model):
    """When a run is expected to start and to end, in seconds from now."""

    run_id: str
    name: str
    experiment_id: str
    experiment_name: str
    policy: dict[str, Any] = Field(description="With its settings, those in force.")
    policy_at_start: dict[str, Any] = Field(description="The same, unless the run was retuned.")
    seed: int
    is_running: bool
    starts_low_s: float = Field(description="0: it has started.")
    starts_high_s: float | None = Field(description="null: nothing bounds a run before it.")
    ends_low_s: float
    ends_high_s: float | None
    basis: str


class QueueOutlook(Model):
    """What is predicted of the queue; of a paused one, as if it went on now."""

    runs: list[RunOutlook] = Field(description="In the order of the queue, what trains first.")
    num_left_out: int = Field(description="Waiting runs behind those that are listed.")
    concurrency: int
    is_paused: bool
    basis: str
