"""Saved views of the history, and the baseline."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from backend.api.dependencies import body_of, check_id, json_response, read_as, read_json
from backend.api.history_models import Baseline, BaselineChoice, NewView, SavedView, SavedViews, ViewPatch
from backend.api.services import Services, Use
from backend.api.views import iso_time, run_data
from backend.store import baseline, runs, saved_views
from backend.store.records import SavedViewRecord

router = APIRouter(tags=["history"])

Body = Annotated[Any, Depends(read_json)]


def _view_id(view_id: str) -> str:
    return check_id("view", view_id)


ViewId = Annotated[str, Depends(_view_id)]


@router.get("/views", response_model=SavedViews)
def list_views(use: Use) -> Response:
    """List the saved views by their names."""
    with use.database.read() as session:
        found = saved_views.list_all(session)
    return json_response({"views": [_view_data(view) for view in found]})


@router.post("/views", status_code=201, response_model=SavedView, openapi_extra=body_of("NewView"))
def save_view(use: Use, body: Body) -> Response:
    """Save a view under a name that no other has."""
    fresh = read_as(NewView, body)
    with use.database.write() as session:
        view_id = saved_views.create(session, **fresh.model_dump())
    return _view_response(use, view_id, 201, {"Location": f"/api/v1/views/{view_id}"})


@router.patch("/views/{view_id}", response_model=SavedView, openapi_extra=body_of("ViewPatch"))
def change_view(view_id: ViewId, use: Use, body: Body) -> Response:
    """Rename a view, or change what it shows."""
    patch = read_as(ViewPatch, body)
    with use.database.write() as session:
        saved_views.change(session, view_id, patch.model_dump(exclude_unset=True))
    return _view_response(use, view_id)


@router.delete("/views/{view_id}", status_code=204)
def delete_view(view_id: ViewId, use: Use) -> Response:
    """Delete a view; the runs that it showed stay."""
    with use.database.write() as session:
        saved_views.remove(session, view_id)
    return Response(status_code=204)


@router.get("/baseline", response_model=Baseline)
def get_baseline(use: Use) -> Response:
    """Give the run that others are compared with."""
    return _baseline_response(use)


@router.put("/baseline", response_model=Baseline, openapi_extra=body_of("BaselineChoice"))
def pin_baseline(use: Use, body: Body) -> Response:
    """Make a run the baseline, in place of another."""
    choice = read_as(BaselineChoice, body)
    with use.database.write() as session:
        baseline.pin(session, check_id("run", choice.run_id))
    return _baseline_response(use)


@router.delete("/baseline", status_code=204)
def unpin_baseline(use: Use) -> Response:
    """Have no baseline."""
    with use.database.write() as session:
        baseline.unpin(session)
    return Response(status_code=204)


def _baseline_response(use: Services) -> Response:
    with use.database.read() as session:
        run_id = baseline.get(session)
        run = None if run_id is None else run_data(runs.get(session, run_id))
    return json_response({"run": run})


def _view_response(use: Services, view_id: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    with use.database.read() as session:
        return json_response(_view_data(saved_views.get(session, view_id)), status, headers)


def _view_data(view: SavedViewRecord) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "filter": view.filter,
        "sort": view.sort,
        "columns": list(view.columns),
        "created_at": iso_time(view.created_at),
    }
