"""Runs: list, change, steer, read."""

from __future__ import annotations

import copy
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from backend.api.dependencies import RunId, answer_of, body_of, json_response, read_as, read_json
from backend.api.history import Cursor, Limit, Sort, Wanted
from backend.api.schemas import CloneRequest, Curves, Run, RunPage, RunPatch
from backend.api.services import Services, Use
from backend.api.views import run_data
from backend.errors import BadValue
from backend.spec_check import check_runs
from backend.store import events, listing, runs
from predictor.errors import Complaint, SpecError
from predictor.events import EVENTS
from predictor.spec import RunSpec, read_run

router = APIRouter(prefix="/runs", tags=["runs"])

MAX_EVENTS = 10_000
MAX_LOG_BYTES = 16 * 2**20

KINDS_OF_PARTS = ("policy.name", "forecaster.name", "speed.kind")


@router.get("", response_model=RunPage)
def list_runs(
    use: Use, wanted: Wanted, *, sort: Sort = listing.NEWEST, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """List runs, a page at a time, each complete; `/runs/rows` gives what a table shows, and is faster."""
    with use.database.read() as session:
        page = listing.list_page(session, wanted, sort=sort, limit=limit, cursor=cursor)
    data = {"runs": [run_data(run) for run in page.runs], "total": page.total, "next_cursor": page.next_cursor}
    return json_response(data)


@router.get("/{run_id}", response_model=Run)
def get_run(run_id: RunId, use: Use) -> Response:
    """Give one run."""
    return _run_response(use, run_id)


@router.patch("/{run_id}", response_model=Run, openapi_extra=body_of("RunPatch"))
def change_run(run_id: RunId, use: Use, body: Annotated[Any, Depends(read_json)]) -> Response:
    """Rename, tag, annotate or archive a run."""
    patch = read_as(RunPatch, body)
    with use.database.write() as session:
        runs.patch(session, run_id, **{name: getattr(patch, name) for name in patch.model_fields_set})
    use.manager.wakeups.notify(run_id)
    return _run_response(use, run_id)


@router.delete("/{run_id}", status_code=204)
def delete_run(
    run_id: RunId,
    use: Use,
    now: Annotated[bool, Query(description="For good, with its events and files, instead of into the bin.")] = False,
) -> Response:
    """Put a run into the bin, from which it can be restored for some days; 409 while it trains."""
    if now:
        use.manager.delete(run_id)
    else:
        use.manager.bin.put(run_id)
    return Response(status_code=204)


@router.post("/{run_id}/stop", status_code=202, response_model=Run)
def stop_run(run_id: RunId, use: Use) -> Response:
    """Stop a run: a queued one at once, a training one with a checkpoint."""
    use.manager.stop(run_id)
    return _run_response(use, run_id, 202)


@router.post("/{run_id}/resume", status_code=202, response_model=Run)
def resume_run(run_id: RunId, use: Use) -> Response:
    """Go on from the checkpoint of a stopped or failed run; 409 where that cannot be."""
    use.manager.resume(run_id)
    return _run_response(use, run_id, 202)


@router.post("/{run_id}/clone", status_code=201, response_model=Run, openapi_extra=body_of("CloneRequest"))
def clone_run(run_id: RunId, use: Use, body: Annotated[Any, Depends(read_json)]) -> Response:
    """Queue a new run with the same settings, but for the changes; of a retuned run, with those in force."""
    request = read_as(CloneRequest, body)
    with use.database.read() as session:
        parent = runs.get(session, run_id)
    settings = parent.spec if request.settings == "start" else parent.spec_in_force
    spec = with_changes(settings, {"name": request.name or parent.name, **request.changes})
    check_runs([spec], use.manager.catalogue)
    with use.database.write() as session:
        runs.get(session, run_id)  # it may have been deleted in the meantime
        (clone_id,) = runs.create(session, parent.experiment_id, [spec], parent_id=run_id)
    use.manager.submit([clone_id])
    return _run_response(use, clone_id, 201, {"Location": f"/api/v1/runs/{clone_id}"})


@router.get("/{run_id}/events", responses=answer_of("EventPage", "Events in the order of the log."))
def list_events(
    run_id: RunId,
    use: Use,
    after: Annotated[int, Query(ge=0, lt=2**63 - 1, description="Events with a larger seq.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = MAX_EVENTS,
    kinds: Annotated[str | None, Query(description="Kinds of events, separated by commas.")] = None,
) -> Response:
    """Give a part of the run's log; the next part starts after `last_seq`."""
    wanted = None if not kinds else [kind.strip() for kind in kinds.split(",")]
    for kind in wanted or ():
        if kind not in EVENTS:
            raise BadValue("kinds", kind, f"must be among {', '.join(EVENTS)}")
    with use.database.read() as session:
        run = runs.get(session, run_id)
        page = events.read(session, run_id, after, limit, wanted)
    is_finished = run.is_finished and page.is_end
    tail = b',"last_seq":%d,"is_finished":%b}' % (page.last_seq, b"true" if is_finished else b"false")
    return Response(b'{"events":' + page.to_json() + tail, media_type="application/json")


@router.get("/{run_id}/curves", response_model=Curves)
def get_curves(run_id: RunId, use: Use) -> Response:
    """Give loss, accuracy and waiting over time, at most 1,000 points each."""
    return json_response(use.curves.read(run_id))


@router.get(
    "/{run_id}/log",
    response_class=Response,
    responses={200: {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def get_log(run_id: RunId, use: Use, tail_bytes: Annotated[int, Query(ge=1, le=MAX_LOG_BYTES)] = 2**16) -> Response:
    """Give the end of what the run's processes printed."""
    return Response(use.manager.read_log_tail(run_id, tail_bytes), media_type="text/plain; charset=utf-8")


def with_changes(spec: dict[str, Any], changes: dict[str, Any]) -> RunSpec:
    """Give the spec with other values at some dotted paths.

    Another policy, forecaster or kind of speed starts from its own defaults.

    Raises:
        SpecError: a path leads nowhere, or the outcome is wrong.
    """
    data = copy.deepcopy(spec)
    # A whole object goes before a part of it, and its kind before its other parts.
    for path in sorted(changes, key=lambda path: (path.count("."), path not in KINDS_OF_PARTS)):
        *parents, last = path.split(".")
        place: Any = data
        for parent in parents:
            if place.get(parent) is None:
                place[parent] = {}
            place = place[parent]
            if not isinstance(place, dict):
                raise SpecError([Complaint(path, changes[path], "is not the path of a setting")])
        if path in KINDS_OF_PARTS and place.get(last) != changes[path]:
            place.clear()
        place[last] = changes[path]
    return read_run(data)


def _run_response(use: Services, run_id: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    with use.database.read() as session:
        return json_response(run_data(runs.get(session, run_id)), status, headers)
