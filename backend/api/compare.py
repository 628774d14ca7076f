"""Compare runs: what differs, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from backend.api.dependencies import check_id, json_response
from backend.api.schemas import Comparison
from backend.api.services import Use
from backend.api.views import run_data
from backend.errors import BadValue
from backend.store import runs as run_store

router = APIRouter(tags=["compare"])

MAX_RUNS = 100


@router.get("/compare", response_model=Comparison)
def compare_runs(use: Use, runs: Annotated[str, Query(description="Ids of runs, separated by commas.")]) -> Response:
    """Give runs side by side, and only those settings that differ."""
    run_ids = [check_id("run", run_id) for run_id in dict.fromkeys(filter(None, map(str.strip, runs.split(","))))]
    if not 1 <= len(run_ids) <= MAX_RUNS:
        raise BadValue("runs", len(run_ids), f"must name 1 to {MAX_RUNS} runs")
    with use.database.read() as session:
        found = run_store.find(session, run_ids)
    differing = differences([run.spec for run in found])
    return json_response({"runs": [run_data(run) for run in found], "differences": differing})


def differences(specs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give path and values of every setting that is not the same in all specs, in the order of the specs' keys.

    The name is no setting. A list counts as one value.
    """
    flat = [dict(_flatten(spec)) for spec in specs]
    paths = dict.fromkeys(path for one in flat for path in one if path != "name")
    rows = ((path, [one.get(path) for one in flat]) for path in paths)
    return [{"path": path, "values": values} for path, values in rows if any(value != values[0] for value in values)]


def _flatten(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        path = f"{prefix}{name}"
        if isinstance(part, dict):
            yield from _flatten(part, f"{path}.")
        else:
            yield path, part
