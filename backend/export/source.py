"""What an export reads: one run, its record and its log, as many times over as a format needs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from backend.export.errors import ExportError
from backend.runs.logreader import BATCH_BYTES, Batch, read_batches
from backend.settings_in_force import settings_data
from backend.store import codec, events
from backend.store.database import Database
from predictor.errors import SpecError
from predictor.events import Retuned, RunFinished, RunStarted
from predictor.retuning import retuned_spec
from predictor.spec import read_run, to_data
from predictor.summary import Summary

EVENTS_PER_READ = 4 * events.CHUNK_EVENTS  # some 30 MB of memory; more at once is not faster


class Source(Protocol):
    """One run. Its log ends where it ended when the source was opened, so that several passes see the same."""

    @property
    def run(self) -> dict[str, Any]:
        """The run as `schemas.Run` shows it."""

    def lines(self, kinds: Collection[str] | None = None) -> Iterator[list[bytes]]:
        """Give the events, of all kinds or of some, as lines of strict JSON without newlines, in batches."""


def read_events(source: Source, kinds: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """Give the events as plain data, one after the other."""
    for batch in source.lines(kinds):
        yield from map(orjson.loads, batch)


class StoredRun:
    """A run of the store."""

    def __init__(self, database: Database, run: dict[str, Any]) -> None:
        """Name the run.

        Args:
            database: that holds its events.
            run: as `schemas.Run` shows it.
        """
        self._database = database
        self.run = run

    def lines(self, kinds: Collection[str] | None = None) -> Iterator[list[bytes]]:
        last_seq, reached, is_end = self.run["last_seq"], 0, False
        while reached < last_seq and not is_end:
            with self._database.read() as session:
                page = events.read(session, self.run["id"], reached, EVENTS_PER_READ, kinds)
            reached, is_end = page.last_seq, page.is_end
            lines = list(page.lines)
            if reached > last_seq:  # the run has gone on meanwhile
                lines = [line for line in lines if orjson.loads(line)["seq"] <= last_seq]
            yield lines


class RunDirectory:
    """A run's directory, which no server needs to know."""

    def __init__(self, path: Path) -> None:
        """Read the spec, and fold the log once for the figures.

        Raises:
            ExportError: this is not the directory of a run, or its log is damaged.
        """
        self._path = path
        spec = _read_spec(path)
        summary = Summary()
        started: RunStarted | None = None
        finished: RunFinished | None = None
        retunings: list[Retuned] = []
        last_seq = 0
        self._num_bytes = 0  # of the log, as far as it was checked: what is read again needs no second look
        for batch in self._read():
            for event in batch.events:
                summary.update(event)
                started = event if isinstance(event, RunStarted) and started is None else started
                finished = event if isinstance(event, RunFinished) else finished
                if isinstance(event, Retuned):
                    retunings.append(event)
            last_seq += len(batch.lines)
            self._num_bytes += batch.num_bytes
        report = orjson.loads(codec.finite(json.dumps(summary.report()).encode()))
        first_s = started.wall_time_s - started.at_s if started else None
        ended_s = None if first_s is None or finished is None else first_s + finished.at_s
        self.run: dict[str, Any] = {
            "id": path.resolve().name,
            "experiment_id": "",
            "experiment_name": "",
            "name": spec["name"],
            "state": finished.outcome if finished else "running",
            "reason": finished.reason if finished else None,
            "spec": spec,
            **settings_data(spec, _in_force(spec, retunings), is_retuned=bool(retunings)),
            "tags": [],
            "notes": "",
            "created_at": _instant(first_s) or "",
            "started_at": _instant(first_s),
            "finished_at": _instant(ended_s),
            "last_seq": last_seq,
            "queue_position": None,
            "is_simulated": started.is_simulated if started else False,
            "parent_id": None,
            "is_archived": False,
            "deleted_at": None,
            "summary": report,
        }

    def lines(self, kinds: Collection[str] | None = None) -> Iterator[list[bytes]]:
        left = self._num_bytes
        with (self._path / "events.jsonl").open("rb") as file:
            while data := file.read(min(BATCH_BYTES, left)):
                if not data.endswith(b"\n"):
                    data += file.readline()
                left -= len(data)
                some = data[:-1].split(b"\n")
                yield [codec.strict(line) for line in some if kinds is None or codec.kind_of(line) in kinds]

    def _read(self) -> Iterator[Batch]:
        path = self._path / "events.jsonl"
        if not path.is_file():
            raise ExportError(f"{str(self._path)!r} is not the directory of a run: events.jsonl is missing.")
        for batch in read_batches(path):
            yield batch
            if batch.damage:
                raise ExportError(f"The log cannot be read further: {batch.damage}")


def _read_spec(path: Path) -> dict[str, Any]:
    try:
        written = json.loads((path / "spec.json").read_text(encoding="utf-8"))
        return _as_written(to_data(read_run(written)), written)
    except OSError as error:
        raise ExportError(f"{str(path)!r} is not the directory of a run: spec.json: {error.strerror}.") from error
    except (SpecError, ValueError, RecursionError) as error:
        raise ExportError(f"The spec {str(path / 'spec.json')!r} cannot be used: {error}.") from error


def _in_force(spec: dict[str, Any], retunings: Sequence[Retuned]) -> dict[str, Any]:
    try:
        return to_data(retuned_spec(read_run(spec), retunings)) if retunings else spec
    except SpecError as error:
        raise ExportError(f"The log changes a setting that the run does not have: {error}.") from error


def _as_written(spec: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """Let what the file says go before the defaults of today; of a policy and the like it says everything."""
    merged = dict(spec)
    for name, value in written.items():
        is_part = isinstance(value, dict) and not {"name", "kind"} & value.keys()
        merged[name] = {**spec[name], **value} if is_part else value
    return merged


def _instant(unix_s: float | None) -> str | None:
    if unix_s is None:
        return None
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
