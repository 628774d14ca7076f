"""Answers of the timeline's routes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from backend.api.schemas import Model


class TimelineState(Model):
    """How far a run's timeline is built, and which tiles there are."""

    last_seq: int = Field(description="The last event that it holds; 0: none yet.")
    newest_seq: int = Field(description="The run's newest stored event.")
    is_complete: bool = Field(description="False while the timeline of an older run is being built: ask again.")
    to_s: float = Field(description="The latest time that it holds.")
    level: int = Field(description="The finest bins are 2 ** level seconds wide.")
    top: int = Field(description="The first level at which one tile holds the whole run.")
    bins: int = Field(description="Bins of a tile.")


class TimelineOverview(Model):
    """What each worker did in equal bins of time. Bin i begins at from_s + i x bin_s."""

    from_s: float
    bin_s: float
    num_bins: int
    workers: list[int]
    seconds: dict[str, list[list[float]]] = Field(
        description="By kind (compute, overlapped, up, wait, down), then worker in the order of `workers`, then bin."
    )
    missed: dict[str, list[list[float]]] = Field(
        description="Likewise: seconds of iterations that ended after their predicted window (late), or before (early)."
    )
    figures: dict[str, list[float]] = Field(
        description="By name (iterations, losses, loss_sum, bytes, updates), then bin; all workers together."
    )


class EventStretch(Model):
    """The events that tell of a stretch of time, in the order of the log; between them, others are left out."""

    events: Annotated[list[Any], WithJsonSchema({"type": "array", "items": {"$ref": "#/components/schemas/Event"}})]
    from_s: float
    to_s: float = Field(description="Up to here all of them are there; before the end that was asked for when cut.")
    is_cut: bool = Field(description="There were more than `limit`.")
