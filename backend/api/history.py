"""The history: lean rows, facets, what a filter may say, changes of many runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from backend.api.dependencies import RunId, body_of, json_response, read_as, read_json
from backend.api.history_models import Facets, FilterHelp, RowPage, RunsChange, RunsChanged
from backend.api.schemas import Run, RunState
from backend.api.services import Use
from backend.api.views import run_data
from backend.errors import BadValue, Conflict
from backend.filters.help import describe
from backend.filters.keys import names_of
from backend.filters.parser import MAX_LENGTH
from backend.store import facets, listing, runs, vocabulary
from backend.store.ids import is_id
from backend.store.records import RunFilter

router = APIRouter(prefix="/runs", tags=["history"])

SORT_KEYS = sorted([*listing.SORTS, *(f"-{name}" for name in listing.SORTS)])


def read_filter(
    *,
    filter: Annotated[
        str | None,
        Query(description='E.g. `policy:ssp state:completed -tag:old utilisation>=0.9 "my grid"`; see filter-help.'),
    ] = None,
    state: Annotated[list[RunState] | None, Query(description="One of these; may be given several times.")] = None,
    policy: Annotated[list[str] | None, Query(description="One of these.")] = None,
    dataset: Annotated[list[str] | None, Query(description="One of these.")] = None,
    tag: Annotated[list[str] | None, Query(description="All of these.")] = None,
    q: Annotated[str | None, Query(description="Text in the name, the experiment's name or a tag.")] = None,
    experiment_id: Annotated[str | None, Query()] = None,
) -> RunFilter:
    """Read what a list shall show: the filter, and the plain parameters beside it; all of them have to fit."""
    return RunFilter(
        expression=filter or "",
        states=tuple(state or ()),
        policies=tuple(policy or ()),
        datasets=tuple(dataset or ()),
        tags=tuple(tag or ()),
        text=q,
        experiment_id=experiment_id,
    )


Wanted = Annotated[RunFilter, Depends(read_filter)]
Sort = Annotated[
    str,
    Query(
        description="A leading - sorts downwards; runs without the value come last.",
        json_schema_extra={"enum": SORT_KEYS},
    ),
]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


@router.get("/rows", response_model=RowPage)
def list_rows(
    use: Use, wanted: Wanted, *, sort: Sort = listing.NEWEST, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """List runs, a page at a time, with what a table shows of each."""
    with use.database.read() as session:
        page = listing.list_rows(session, wanted, sort=sort, limit=limit, cursor=cursor)
    data = {"rows": page.rows, "total": page.total, "is_total_exact": page.is_total_exact}
    return json_response({**data, "next_cursor": page.next_cursor})


@router.get("/facets", response_model=Facets)
def count_facets(use: Use, wanted: Wanted) -> Response:
    """Count the runs that match by policy, state, data set, tag, workers, and simulated or not."""
    counted = facets.look_up(use.database, wanted)
    data = [
        {
            "key": facet.key,
            "aliases": names_of(facet.key),
            "values": [{"value": value, "num": num} for value, num in facet.counts],
            "num_others": facet.num_others,
        }
        for facet in counted.facets
    ]
    return json_response({"total": counted.total, "facets": data})


@router.get("/filter-help", response_model=FilterHelp)
def get_filter_help(use: Use) -> Response:
    """Give the keys, operators and values that a filter may hold."""
    with use.database.read() as session:
        known = vocabulary.known_values(session)
    return json_response({"keys": describe(known), "max_length": MAX_LENGTH})


@router.post("/change", response_model=RunsChanged, openapi_extra=body_of("RunsChange"))
def change_runs(use: Use, body: Annotated[Any, Depends(read_json)]) -> Response:
    """Tag, archive, delete or restore many runs; the opposite change of the ids that are given back undoes it."""
    wanted = read_as(RunsChange, body)
    run_ids = _chosen(use, wanted)
    num_left = num_training = 0
    if wanted.change == "purge":
        changed, num_left = use.manager.bin.purge(run_ids)
    else:
        changed, num_training = use.manager.bin.change(wanted.change, run_ids, wanted.tag)
    return json_response({"run_ids": changed, "num_training": num_training, "num_left": num_left})


@router.post("/{run_id}/restore", response_model=Run)
def restore_run(run_id: RunId, use: Use) -> Response:
    """Take a run out of the bin; one that waited in the queue waits there again."""
    use.manager.bin.restore(run_id)
    with use.database.read() as session:
        return json_response(run_data(runs.get(session, run_id)))


def _chosen(use: Use, wanted: RunsChange) -> list[str]:
    """Give the runs of a change.

    Raises:
        BadValue: neither ids nor a filter, or both, or a text that is no id.
        Conflict: another number of runs matches than was expected.
    """
    if (wanted.run_ids is None) == (wanted.filter is None):
        raise BadValue("run_ids", None, "or filter must be given, and not both")
    if wanted.filter is None:
        for run_id in wanted.run_ids or ():
            if not is_id(run_id):
                raise BadValue("run_ids", run_id[:80], "must hold ids of runs")
        return list(dict.fromkeys(wanted.run_ids or ()))
    with use.database.read() as session:
        found = listing.ids(session, RunFilter(expression=wanted.filter))
    if wanted.num_expected is not None and wanted.num_expected != len(found):
        raise Conflict(f"{len(found):,} runs match by now, and not {wanted.num_expected:,}; look at them again.")
    return found
