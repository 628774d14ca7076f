"""Exports: a run, or several, as a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from backend.api.compare import MAX_RUNS, differences
from backend.api.dependencies import RunId, check_id
from backend.api.services import Services, Use
from backend.api.views import run_data
from backend.errors import BadValue
from backend.export.make import Export, Format, RunsFormat, TableName, export_run, export_runs
from backend.export.source import StoredRun
from backend.store import runs as run_store

router = APIRouter(tags=["export"])

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, with its name.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/runs/{run_id}/export", response_class=Response, responses=_FILE)
def get_export(
    run_id: RunId,
    use: Use,
    format: Annotated[Format, Query(description="csv, json, jsonl, parquet; perfetto (a trace); html (a report).")],
    table: Annotated[
        TableName | None, Query(description="What of the run; absent: events, or in Parquet iterations.")
    ] = None,
    kinds: Annotated[str | None, Query(description="Of events only these kinds, separated by commas.")] = None,
) -> Response:
    """Give a run as a file, made while it is sent.

    Events as csv or parquet are a ZIP archive with one file for each kind, or, of a single kind, one file.
    """
    wanted = tuple(filter(None, map(str.strip, (kinds or "").split(","))))
    (source,) = _sources(use, [run_id])
    return _send(export_run(source, format, table, wanted))


@router.get("/export", response_class=Response, responses=_FILE)
def get_exports(
    use: Use,
    runs: Annotated[str, Query(description="Ids of runs, separated by commas.")],
    format: Annotated[RunsFormat, Query(description="csv, json, parquet: one row a run; html: a comparison.")],
) -> Response:
    """Give several runs as one table, with all settings and figures, or as a report that compares them."""
    run_ids = [check_id("run", one) for one in dict.fromkeys(filter(None, map(str.strip, runs.split(","))))]
    if not 1 <= len(run_ids) <= MAX_RUNS:
        raise BadValue("runs", len(run_ids), f"must name 1 to {MAX_RUNS} runs")
    sources = _sources(use, run_ids)
    return _send(export_runs(sources, format, differences([source.run["spec_in_force"] for source in sources])))


def _sources(use: Services, run_ids: Sequence[str]) -> list[StoredRun]:
    with use.database.read() as session:
        return [StoredRun(use.database, run_data(record)) for record in run_store.find(session, run_ids)]


def _send(export: Export) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{export.file_name}"'}  # its letters need no escape
    return StreamingResponse(export.pieces, media_type=export.media_type, headers=headers)
