"""A run's log as tables: what a row stands for, its columns, and the fold that makes the rows.

Every fold gives its rows while it reads, and holds no more than a bounded part of what it has read. Columns whose
names begin with `predicted_` were said beforehand by the run's own forecaster or plan; all others were measured, or,
of a simulated run, computed.
"""

from __future__ import annotations

import dataclasses
import typing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from backend.export.columns import Column, ColumnType, Row, columns
from predictor.events import EVENTS

MAX_PLANS = 64  # versions ahead that are predicted at one time; policies plan one
MAX_REMEMBERED_VERSIONS = 200_000  # between two evaluations

Events = Iterable[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of one run."""

    name: str
    meaning: str  # what a row is
    kinds: tuple[str, ...]  # of events that it is made of
    columns: tuple[Column, ...]
    rows: Callable[[Events], Iterator[Row]]


# ---- iterations ------------------------------------------------------------------------------------------

_ITERATION = ("worker", "iteration", "epoch", "started_at_s", "at_s", "compute_s", "target_s", "overlapped_s")
_PREDICTED = ("expected_at_s", "low_at_s", "high_at_s")


def _iterations(events: Events) -> Iterator[Row]:
    forecasts: dict[int, dict[int, list[float]]] = {}  # worker -> iteration -> what was said of its end
    for event in events:
        worker = event["worker"]
        if event["kind"] == "ForecastUpdated":
            held = forecasts.setdefault(worker, {})
            held[event["iteration"]] = [event[name] for name in _PREDICTED]
            while len(held) > MAX_PLANS:
                del held[next(iter(held))]
            continue
        predicted = forecasts.get(worker, {}).pop(event["iteration"], None)
        is_real = event["num_samples"] > 0  # a simulation without gradients has no loss
        values = [event[name] for name in _ITERATION]
        loss = event["loss"] if is_real else None
        yield [event["seq"], *values, loss, event["num_samples"], *_held(predicted, event["at_s"])]


def _held(predicted: list[float] | None, at_s: float) -> list[Any]:
    if predicted is None:
        return [None, None, None, None]
    return [*predicted, predicted[1] <= at_s <= predicted[2]]


ITERATIONS = Table(
    "iterations",
    "one iteration of one worker, in the order of the log",
    ("IterationFinished", "ForecastUpdated"),
    (
        *columns(
            "integer",
            seq="place in the log",
            worker="number of the worker",
            iteration="how many it has completed with this one",
            epoch="pass over its share of the data",
        ),
        *columns(
            "number",
            started_at_s="its start, seconds since the start of the run",
            at_s="its end",
            compute_s="time of its computation, the emulated slowness included",
            target_s="what the speed model asked for; 0: the machine's own speed",
            overlapped_s="part of it, from its start on, that trained while a push was in flight",
            loss="training loss of the minibatch; empty where it was not a finite number or nothing was trained",
        ),
        *columns("integer", num_samples="samples of the minibatch"),
        *columns(
            "number",
            predicted_at_s="its end as forecast at its start; empty where the policy does not forecast",
            predicted_low_at_s="5% quantile of that forecast",
            predicted_high_at_s="95% quantile",
        ),
        *columns("boolean", is_covered="whether it ended inside that window"),
    ),
    _iterations,
)


# ---- synchronisations ------------------------------------------------------------------------------------


def _synchronisations(events: Events) -> Iterator[Row]:
    plans: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["kind"] == "SyncPlanned":
            plans[event["version"]] = event
            if len(plans) > MAX_PLANS:
                del plans[min(plans)]
            continue
        parts = event["contributions"]
        plan = plans.get(event["version"])
        for version in [version for version in plans if version <= event["version"]]:
            del plans[version]
        stalenesses = [part["staleness"] for part in parts]
        predicted: list[Any] = [None] * 6
        if plan:
            low_s, high_s = plan["low_at_s"], plan["high_at_s"]
            is_covered = low_s <= event["at_s"] <= high_s
            predicted = [plan["at_s"], plan["cut_at_s"], low_s, high_s, is_covered, event["at_s"] - plan["cut_at_s"]]
        yield [
            event["seq"],
            event["version"],
            len(parts),
            sum(part["num_iterations"] for part in parts),
            max(stalenesses, default=None),
            event["at_s"],
            sum(stalenesses) / len(stalenesses) if stalenesses else None,
            event["scale"],
            event.get("momentum", 0.0),
            *predicted,
            " ".join(str(part["worker"]) for part in parts),
            event["reason"],
        ]


SYNCHRONISATIONS = Table(
    "synchronisations",
    "one update of the global weights",
    ("AggregateApplied", "SyncPlanned"),
    (
        *columns(
            "integer",
            seq="place in the log",
            version="of the global weights, which this made",
            num_pushes="deltas that it holds",
            num_iterations="iterations that those sum up",
            max_staleness="updates applied between the pull and the push of a delta",
        ),
        *columns(
            "number",
            at_s="when, seconds since the start of the run",
            mean_staleness="mean of the same",
            scale="weight of each delta",
            momentum="share of the last movement that is repeated",
            plan_at_s="when the newest plan of it was made; empty where the policy does not plan",
            predicted_at_s="when it was planned for",
            predicted_low_at_s="5% quantile",
            predicted_high_at_s="95% quantile",
        ),
        *columns("boolean", is_covered="whether it happened inside that window"),
        *columns("number", error_s="how much later than planned it happened"),
        *columns("text", workers="whose deltas, by number", reason="in the policy's own words"),
    ),
    _synchronisations,
)


# ---- evaluations and nodes -------------------------------------------------------------------------------


def _evaluations(events: Events) -> Iterator[Row]:
    num_applied = 0
    versions: deque[tuple[int, int]] = deque([(0, 0)], maxlen=MAX_REMEMBERED_VERSIONS)
    for event in events:
        if event["kind"] == "RunResumed":
            num_applied = sum(event["clocks"].values())
            versions.clear()
            versions.append((event["version"], num_applied))
        elif event["kind"] == "AggregateApplied":
            num_applied += sum(part["num_iterations"] for part in event["contributions"])
            versions.append((event["version"], num_applied))
        else:
            version = event["version"]
            while len(versions) > 1 and versions[1][0] <= version:
                versions.popleft()
            yield [
                event["seq"], version, versions[0][1], event["num_samples"], event["snapshot_at_s"], event["at_s"],
                event["loss"], event["accuracy"], event["is_final"],
            ]  # fmt: skip


EVALUATIONS = Table(
    "evaluations",
    "one look at the held-back set",
    ("EvaluationFinished", "AggregateApplied", "RunResumed"),
    (
        *columns(
            "integer",
            seq="place in the log",
            version="of the global weights that were looked at",
            num_iterations="iterations of all workers that those weights hold",
            num_samples="samples of the held-back set",
        ),
        *columns(
            "number",
            snapshot_at_s="when the weights were taken, seconds since the start of the run",
            at_s="when the figures were there",
            loss="on the held-back set; empty where it was not a finite number",
            accuracy="share of 1",
        ),
        *columns("boolean", is_final="of the last weights of the run"),
    ),
    _evaluations,
)


def _plainly(columns: tuple[Column, ...]) -> Callable[[Events], Iterator[Row]]:
    """Give the fold of a table whose rows are events as they are; parts that are no plain value become JSON."""
    names = [column.name for column in columns]
    texts = [column.type == "text" for column in columns]

    def rows(events: Events) -> Iterator[Row]:
        for event in events:
            values = [event.get(name) for name in names]
            yield [
                value if not is_text or value is None or isinstance(value, str) else orjson.dumps(value).decode()
                for value, is_text in zip(values, texts, strict=True)
            ]

    return rows


_NODE_COLUMNS = (
    *columns("integer", seq="place in the log"),
    *columns("text", node='"server", "worker-3", "evaluator"'),
    *columns("number", at_s="when, seconds since the start of the run", cpu_share="CPU seconds used per second"),
    *columns(
        "integer",
        memory_bytes="resident memory",
        sent_bytes="payload sent so far",
        received_bytes="payload received so far",
    ),
)

NODES = Table(
    "nodes",
    "gauges of one process, about once a second",
    ("NodeSampled",),
    _NODE_COLUMNS,
    _plainly(_NODE_COLUMNS),
)

TABLES = {table.name: table for table in (ITERATIONS, SYNCHRONISATIONS, EVALUATIONS, NODES)}


# ---- the events of one kind ------------------------------------------------------------------------------

_PLAIN: dict[Any, ColumnType] = {int: "integer", float: "number", bool: "boolean", str: "text"}


def table_of_kind(kind: str) -> Table:
    """Give the table of the events of one kind: its fields, those with parts as JSON text."""
    hints = typing.get_type_hints(EVENTS[kind])
    found = [
        Column("seq", "integer"),
        *(Column(field.name, _type_of(hints[field.name])) for field in dataclasses.fields(EVENTS[kind])),
    ]
    return Table(kind, f"one event {kind}", (kind,), tuple(found), _plainly(tuple(found)))


def _type_of(hint: Any) -> ColumnType:
    some = [one for one in typing.get_args(hint) or (hint,) if one is not type(None)]
    return _PLAIN.get(some[0], "text") if len(some) == 1 else "text"
