"""Which format makes what: from a run and what was asked for to a file's name, its type and its bytes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import orjson

from backend.errors import BadValue
from backend.export.archive import write_zip
from backend.export.columns import Row
from backend.export.comparison import write_comparison
from backend.export.flat_runs import table_of_runs
from backend.export.parquet import write_parquet
from backend.export.perfetto import write_trace
from backend.export.report import write_report
from backend.export.source import Source, read_events
from backend.export.tables import TABLES, Table, table_of_kind
from backend.export.write import wrap_json, write_csv, write_json, write_lines
from backend.version import VERSION
from predictor.events import EVENTS

Format = Literal["csv", "json", "jsonl", "parquet", "perfetto", "html"]
TableName = Literal["events", "iterations", "synchronisations", "evaluations", "nodes"]
RunsFormat = Literal["csv", "json", "parquet", "html"]

FORMATS: tuple[str, ...] = get_args(Format)
TABLE_NAMES: tuple[str, ...] = get_args(TableName)
RUNS_FORMATS: tuple[str, ...] = get_args(RunsFormat)

_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "perfetto": "application/json",
    "html": "text/html; charset=utf-8",
    "zip": "application/zip",
}
_WHOLE = ("perfetto", "html")  # formats that take the run as it is
MAX_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way."""

    file_name: str
    media_type: str
    pieces: Iterator[bytes]


def export_run(source: Source, format: Format, table: TableName | None = None, kinds: Sequence[str] = ()) -> Export:
    """Export one run.

    Args:
        source: the run.
        format: of the file.
        table: what of the run; None: the events, or in Parquet the iterations.
        kinds: of events only these; empty: all.

    Raises:
        BadValue: the parts do not go together.
    """
    _check(format, table, kinds)
    if format == "perfetto":
        return _named(source, "trace", "json", write_trace(source), "perfetto")
    if format == "html":
        return _named(source, "report", "html", write_report(source))
    chosen = table or ("iterations" if format == "parquet" and not kinds else "events")
    if chosen != "events":
        return _named(source, chosen, format, _write(source, TABLES[chosen], format))
    if format == "jsonl":
        lines = (b"\n".join(some) + b"\n" for some in source.lines(kinds or None) if some)
        return _named(source, "events", "jsonl", lines)
    if format == "json":
        objects = itertools.chain.from_iterable(source.lines(kinds or None))
        return _named(source, "events", "json", wrap_json(objects, {"run": source.run}, "events"))
    if len(kinds) == 1:
        return _named(source, kinds[0], format, _write(source, table_of_kind(kinds[0]), format))
    files = _files(source, kinds or tuple(EVENTS), format)
    at = datetime.fromisoformat(source.run["created_at"] or "2000-01-01T00:00:00Z")
    return _named(source, f"events-{format}", "zip", write_zip(files, at))


def export_runs(sources: Sequence[Source], format: RunsFormat, differences: Sequence[dict[str, Any]]) -> Export:
    """Export several runs as one table, a row each, or as a report that compares them.

    Args:
        sources: the runs.
        format: of the file.
        differences: settings in which they differ, as `schemas.Comparison` holds them.
    """
    runs = [source.run for source in sources]
    name = f"foresync-{len(runs)}-runs"
    if format == "html":
        pieces = write_comparison(sources, differences)
        return Export(f"{name}.html", _MEDIA_TYPES["html"], pieces)
    if format == "json":
        objects = (orjson.dumps(run) for run in runs)
        return Export(f"{name}.json", _MEDIA_TYPES["json"], wrap_json(objects, {}, "runs"))
    columns, rows = table_of_runs(runs)
    if format == "csv":
        return Export(f"{name}.csv", _MEDIA_TYPES["csv"], write_csv(columns, rows))
    metadata = {"foresync.version": VERSION, "foresync.table": "runs"}
    return Export(f"{name}.parquet", _MEDIA_TYPES["parquet"], write_parquet(columns, rows, metadata))


def _check(format: str, table: str | None, kinds: Sequence[str]) -> None:
    if format not in FORMATS:
        raise BadValue("format", format, f"must be one of {', '.join(FORMATS)}")
    if table is not None and table not in TABLE_NAMES:
        raise BadValue("table", table, f"must be one of {', '.join(TABLE_NAMES)}")
    for kind in kinds:
        if kind not in EVENTS:
            raise BadValue("kinds", kind, f"must be among {', '.join(EVENTS)}")
    if format in _WHOLE and (table or kinds):
        field, value = ("table", table) if table else ("kinds", ",".join(kinds))
        raise BadValue(field, value, f"does not go with format={format}, which holds the whole run")
    if kinds and table not in (None, "events"):
        raise BadValue("kinds", ",".join(kinds), f"goes with table=events only, and the table is {table}")


def _write(source: Source, table: Table, format: str) -> Iterator[bytes]:
    rows: Iterable[Row] = table.rows(read_events(source, table.kinds))
    if format == "csv":
        return write_csv(table.columns, rows)
    if format == "jsonl":
        return write_lines(table.columns, rows)
    if format == "json":
        described = [{"name": one.name, "type": one.type, "meaning": one.meaning} for one in table.columns]
        return write_json(table.columns, rows, {"run": source.run, "table": table.name, "columns": described})
    return write_parquet(table.columns, rows, _metadata(source.run, table))


def _metadata(run: dict[str, Any], table: Table) -> dict[str, str]:
    return {
        "foresync.version": VERSION,
        "foresync.table": table.name,
        "foresync.run_id": run["id"],
        "foresync.run_name": run["name"],
        "foresync.times": "simulated" if run["is_simulated"] else "measured",
        "foresync.spec": orjson.dumps(run["spec"]).decode(),
    }


def _files(source: Source, kinds: Sequence[str], format: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Give a file for each kind that the log holds; each is a pass over the log of its own."""
    for kind in kinds:
        table = table_of_kind(kind)
        rows = table.rows(read_events(source, table.kinds))
        first = next(rows, None)
        if first is None:
            continue
        whole = itertools.chain([first], rows)
        if format == "csv":
            yield f"{kind}.csv", write_csv(table.columns, whole)
        else:
            yield f"{kind}.parquet", write_parquet(table.columns, whole, _metadata(source.run, table))


def _named(source: Source, what: str, ending: str, pieces: Iterator[bytes], media: str = "") -> Export:
    """Name the file after the run; of a simulated one it says so, since a table has no other place for it."""
    run = source.run
    slug = re.sub(r"[^a-z0-9]+", "-", run["name"].lower()).strip("-")[:MAX_NAME_LENGTH].strip("-") or "run"
    mark = "-simulated" if run["is_simulated"] else ""
    file_name = f"{slug}-{run['id']}-{what}{mark}.{ending}"
    return Export(file_name, _MEDIA_TYPES[media or ending], pieces)
