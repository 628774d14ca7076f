"""The timeline of a run, for pages and programs that cannot take its whole log."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Response

from backend.api.dependencies import RunId, answer_of, json_response
from backend.api.services import Services, Use
from backend.api.timeline_models import EventStretch, TimelineOverview, TimelineState
from backend.errors import BadValue, Conflict
from backend.store.records import EventPage
from backend.timeline import reader, store
from backend.timeline.index import HIGHEST_LEVEL, LOWEST_LEVEL
from backend.timeline.store import State
from backend.timeline.tiles import BINS

router = APIRouter(prefix="/runs/{run_id}", tags=["runs"])

BUILD_STEPS = 5  # of a timeline that is missing, in one request
MAX_EVENTS = 20_000
MAX_COLUMNS = 2_000
MAX_S = 1e12
JSON = "application/json"

Seconds = Annotated[float, Query(ge=-MAX_S, le=MAX_S, allow_inf_nan=False, description="On the run's clock.")]


@router.get("/timeline", response_model=TimelineState)
def get_timeline(run_id: RunId, use: Use) -> Response:
    """Say how far the timeline of a run is built; one that is missing is built on, part by part."""
    state, newest_seq, is_complete = reader.bring_up(use.database, run_id, max_steps=BUILD_STEPS)
    known = state or State(0, 0.0, 0, None)
    return json_response(
        {
            "last_seq": known.last_seq,
            "newest_seq": newest_seq,
            "is_complete": is_complete,
            "to_s": known.to_s,
            "level": known.level,
            "top": known.top,
            "bins": BINS,
        }
    )


@router.get(
    "/timeline/tiles/{level}/{place}",
    response_class=Response,
    responses={
        200: {
            "description": "One byte 1; one byte: number of layers (5 or 7; 0 stands for 5); two bytes: number of "
            "workers; then 5 x 256 four-byte floats "
            "(`figures` of the overview for each bin); two bytes for each worker: its number; then one byte for each "
            "layer (compute, overlapped, up, wait, down; of seven, also late and early: iterations that missed their "
            "predicted window), worker and bin: (byte / 255) squared is the share of the bin that it took. "
            "Little endian.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def get_tile(
    run_id: RunId,
    use: Use,
    level: Annotated[int, Path(ge=LOWEST_LEVEL, le=HIGHEST_LEVEL, description="Bins are 2 ** level seconds wide.")],
    place: Annotated[int, Path(ge=0, lt=2**53, description="The tile begins at place x 256 x 2 ** level seconds.")],
) -> Response:
    """Give one tile of the overview; a tile without anything has no workers."""
    with use.database.read() as session:
        data = reader.served_tile(session, run_id, _state(use, run_id), level, place)
    return Response(data, media_type="application/octet-stream", headers={"Content-Encoding": "deflate"})


@router.get("/timeline/overview", response_model=TimelineOverview)
def get_overview(
    run_id: RunId,
    use: Use,
    from_s: Seconds = 0.0,
    to_s: Annotated[Seconds | None, Query(description="Absent: the end of what is known.")] = None,
    columns: Annotated[int, Query(ge=1, le=MAX_COLUMNS, description="At most so many bins, and two more.")] = 200,
) -> Response:
    """Give what each worker did, as seconds of each kind in equal bins of time."""
    state = _state(use, run_id)
    from_s, end_s = max(0.0, from_s), min(state.to_s, MAX_S if to_s is None else to_s)
    if end_s <= from_s:
        raise BadValue("to_s", to_s, f"must lie after from_s, and from_s before the end of the run ({state.to_s:g} s)")
    with use.database.read() as session:
        found = reader.overview(session, run_id, state, (from_s, end_s), columns)
    return Response(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY), media_type=JSON)


@router.get("/timeline/landmarks", responses=answer_of("EventPage", "Rare events in the order of the log."))
def list_landmarks(
    run_id: RunId,
    use: Use,
    until: Annotated[int, Query(ge=0, lt=2**63, description="Up to this seq, or a little less.")],
) -> Response:
    """Give the rare events of a run from its start on: joins, losses, evaluations, checkpoints, messages.

    `last_seq` says up to where they are all here; every later event follows it in `events` or in the live stream.
    """
    _state(use, run_id)
    with use.database.read() as session:
        end = store.piece_end(session, run_id, until)
        page = EventPage(tuple(store.landmarks(session, run_id, end)), end, is_end=False)
    return Response(b'{"events":%b,"last_seq":%d,"is_finished":false}' % (page.to_json(), end), media_type=JSON)


@router.get("/timeline/events", response_model=EventStretch)
def list_events_within(
    run_id: RunId,
    use: Use,
    from_s: Seconds,
    to_s: Seconds,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = MAX_EVENTS,
) -> Response:
    """Give the events of a stretch of time, and those that tell of what reaches into it."""
    if to_s < from_s:
        raise BadValue("to_s", to_s, "must be >= from_s")
    with use.database.read() as session:
        stretch = reader.events_within(session, run_id, from_s, to_s, limit)
    return json_response({"events": stretch.events, "from_s": from_s, "to_s": stretch.to_s, "is_cut": stretch.is_cut})


def _state(use: Services, run_id: str) -> State:
    state, _, _ = reader.bring_up(use.database, run_id, max_steps=0)
    if state is None:
        raise Conflict("The timeline of this run is not built yet: GET /timeline builds it.")
    return state
