"""Compare runs: what differs, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Response

from backend.api.compare_models import ComparedCurves, Comparison
from backend.api.dependencies import check_id, json_response
from backend.api.services import Services, Use
from backend.api.views import run_data
from backend.comparison.bands import Axis, Quantity, band, thin
from backend.comparison.groups import Compared, compare_groups, group_runs
from backend.errors import BadValue
from backend.store import runs as run_store
from backend.store.records import RunRecord

router = APIRouter(tags=["compare"])

MAX_RUNS = 100


RunIds = Annotated[str, Query(description="Ids of runs, separated by commas.")]


@router.get("/compare", response_model=Comparison)
def compare_runs(
    use: Use,
    runs: RunIds,
    baseline: Annotated[str | None, Query(description="The run whose setting is compared with; the first.")] = None,
) -> Response:
    """Give runs side by side, only those settings that differ, and each setting over its seeds."""
    found = _find(use, runs)
    groups = compare_groups([_compared(run) for run in found], baseline)
    data = {
        "runs": [run_data(run) for run in found],
        "differences": differences([run.spec_in_force for run in found]),
        "groups": [group.to_data() for group in groups],
    }
    return json_response(data)


@router.get("/compare/curves", response_model=ComparedCurves)
def compare_curves(use: Use, runs: RunIds) -> Response:
    """Give the evaluation curves of runs, and the mean of each setting with its 95% band."""
    found = _find(use, runs)
    curves = [one["evaluations"] for one in use.curves.read_many([run.id for run in found])]
    by_run = dict(zip((run.id for run in found), curves, strict=True))
    data = {
        "runs": [{"run_id": run.id, "evaluations": thin(by_run[run.id], len(found))} for run in found],
        "groups": [
            {"run_ids": [run.id for run in group], **_bands([by_run[run.id] for run in group])}
            for group in group_runs([_compared(run) for run in found])
        ],
    }
    return json_response(data)


def _find(use: Services, text: str) -> list[RunRecord]:
    """Read the runs that a query names.

    Raises:
        BadValue: none or too many.
        NotFound: one of them does not exist.
    """
    run_ids = [check_id("run", run_id) for run_id in dict.fromkeys(filter(None, map(str.strip, text.split(","))))]
    if not 1 <= len(run_ids) <= MAX_RUNS:
        raise BadValue("runs", len(run_ids), f"must name 1 to {MAX_RUNS} runs")
    with use.database.read() as session:
        return run_store.find(session, run_ids)


def _compared(run: RunRecord) -> Compared:
    return Compared(run.id, run.spec_in_force, run.summary, run.is_finished, run.spec if run.is_retuned else None)


def _bands(curves: list[dict[str, list[Any]]]) -> dict[str, Any]:
    return {
        f"{quantity}_over_{axis}": band(curves, quantity, axis)
        for quantity in get_args(Quantity)
        for axis in get_args(Axis)
    }


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
