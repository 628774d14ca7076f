"""The queue: look at it, put it in another order, take runs out, pause it, let more train at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from backend import outlook
from backend.api.dependencies import body_of, json_response, read_as, read_json
from backend.api.queue_models import (
    QueueCancel,
    QueueCancelled,
    QueueMove,
    QueueOutlook,
    QueuePatch,
    QueueStatus,
)
from backend.api.services import Services, Use
from backend.store import runs
from predictor.errors import Complaint, SpecError

router = APIRouter(prefix="/queue", tags=["queue"])

Body = Annotated[Any, Depends(read_json)]


@router.get("", response_model=QueueStatus)
def get_queue(use: Use) -> Response:
    """Tell which runs train, which wait, in order, and what is wrong with the server at this moment."""
    return _queue_response(use)


@router.patch("", response_model=QueueStatus, openapi_extra=body_of("QueuePatch"))
def change_queue(use: Use, body: Body) -> Response:
    """Pause the queue or let it go on, and set how many runs train at once; what trains already goes on training."""
    patch = read_as(QueuePatch, body)
    use.manager.change_queue(**{name: getattr(patch, name) for name in patch.model_fields_set})
    return _queue_response(use)


@router.post("/move", response_model=QueueStatus, openapi_extra=body_of("QueueMove"))
def move_queued(use: Use, body: Body) -> Response:
    """Put waiting runs at another place of the queue; 409 where none of them waits any more."""
    move = read_as(QueueMove, body)
    if (move.to is None) == (move.before is None):
        raise SpecError([Complaint("to", move.to, "must be given, or else before: one of the two")])
    use.manager.move_queued(move.run_ids, move.to, move.before)
    return _queue_response(use)


@router.post("/cancel", response_model=QueueCancelled, openapi_extra=body_of("QueueCancel"))
def cancel_queued(use: Use, body: Body) -> Response:
    """Take waiting runs out of the queue; those that have started are left alone."""
    return json_response({"cancelled": use.manager.cancel_queued(read_as(QueueCancel, body).run_ids)})


@router.get("/outlook", response_model=QueueOutlook)
def get_outlook(use: Use, limit: Annotated[int, Query(ge=1, le=outlook.MAX_LISTED)] = 100) -> Response:
    """Predict when each run of the queue starts and ends; nothing of it is measured."""
    settings = use.manager.queue_settings
    with use.database.read() as session:
        queue = runs.queue(session)
        listed = runs.find(session, [*queue.running, *queue.waiting[:limit]])
    found = outlook.predict(listed, use.manager.catalogue, settings.concurrency)
    data = {
        "runs": found,
        "num_left_out": max(0, len(queue.waiting) - limit),
        "concurrency": settings.concurrency,
        "is_paused": settings.is_paused,
        "basis": outlook.BASIS,
    }
    return json_response(data)


def _queue_response(use: Services) -> Response:
    queue, settings = use.manager.queue(), use.manager.queue_settings
    data = {
        "running": list(queue.running),
        "waiting": list(queue.waiting),
        "concurrency": settings.concurrency,
        "is_paused": settings.is_paused,
        "troubles": list(use.manager.health()),
    }
    return json_response(data)
