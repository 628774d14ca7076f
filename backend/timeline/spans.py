"""What the workers did, and when: columns drawn from events, as the page draws its spans from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.events import (
    AggregateApplied,
    CheckpointWritten,
    EvaluationFinished,
    Event,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    MessageLogged,
    NodeStarted,
    ProcessExited,
    PushArrived,
    Retuned,
    RunFinished,
    RunResumed,
    RunStarted,
    TargetReached,
    WorkerJoined,
    WorkerLeft,
)
from predictor.worker_totals import WARM_UP

COMPUTE, OVERLAPPED, UP, WAIT, DOWN = range(5)  # as `Kind` of frontend/src/store/spans.ts
KIND_NAMES = ("compute", "overlapped", "up", "wait", "down")
NUM_KINDS = len(KIND_NAMES)
LATE, EARLY = NUM_KINDS, NUM_KINDS + 1  # beside those: an iteration that ended after its predicted window, or before
MISS_NAMES = ("late", "early")
NUM_LAYERS = NUM_KINDS + len(MISS_NAMES)

ITERATIONS, LOSSES, LOSS_SUM, BYTES, UPDATES = range(5)  # counted for all workers together
FIGURE_NAMES = ("iterations", "losses", "loss_sum", "bytes", "updates")
NUM_FIGURES = len(FIGURE_NAMES)

LANDMARKS: tuple[type[Event], ...] = (  # rare, and needed of the whole run
    RunStarted,
    NodeStarted,
    WorkerJoined,
    WorkerLeft,
    Retuned,
    CheckpointWritten,
    EvaluationFinished,
    TargetReached,
    ProcessExited,
    MessageLogged,
    RunResumed,
    RunFinished,
)
LANDMARK_KINDS = frozenset(kind.__name__ for kind in LANDMARKS)
MAX_WORKER = 2**16 - 1  # a tile names its workers in two bytes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spans:
    """Columns: `worker` did `kind` from `start_s` to `end_s`, or missed its window in that time."""

    worker: Integers
    kind: Integers
    start_s: Floats
    end_s: Floats

    def __len__(self) -> int:
        return len(self.worker)

    def take(self, which: NDArray[np.bool_]) -> Spans:
        """Give some of them."""
        return Spans(self.worker[which], self.kind[which], self.start_s[which], self.end_s[which])


@dataclass(frozen=True, slots=True)
class Marks:
    """Columns: `value` is to be added to `figure` at `at_s`."""

    figure: Integers
    at_s: Floats
    value: Floats


@dataclass(slots=True)
class Collector:
    """Takes events in any order of time; O(1) and about a microsecond for each.

    A forecast and the end of its iteration stand in the order in which the gate said and heard them.
    """

    spans: list[tuple[int, int, float, float]] = field(default_factory=list)
    marks: list[tuple[int, float, float]] = field(default_factory=list)
    forecasts: dict[int, ForecastUpdated] = field(default_factory=dict)  # of running iterations, by worker
    judged_from: dict[int, int] = field(default_factory=dict)  # first iteration of the present life that is judged

    def successor(self) -> Collector:
        """Give the one for what follows."""
        return Collector(forecasts=self.forecasts, judged_from=self.judged_from)

    def take(self, event: Event) -> None:
        """Take one event."""
        handle = _HANDLERS.get(type(event))
        if handle:
            handle(self, event)

    def columns(self) -> tuple[Spans, Marks]:
        """Give what was taken; spans that are empty, endless or of no possible worker are left out."""
        rows = np.nan_to_num(np.array(self.spans, np.float64), nan=-1.0, posinf=-1.0, neginf=-1.0).reshape(-1, 4)
        worker, kind, start_s, end_s = rows.T
        start_s = np.maximum(start_s, 0.0)
        is_good = (end_s > start_s) & (worker >= 0) & (worker <= MAX_WORKER)
        found = Spans(worker.astype(np.int64), kind.astype(np.int64), start_s, end_s).take(is_good)
        marks = np.array(self.marks, np.float64).reshape(-1, 3)
        marks = marks[np.isfinite(marks).all(axis=1) & (marks[:, 1] >= 0)]
        return found, Marks(marks[:, 0].astype(np.int64), marks[:, 1], marks[:, 2])

    def _iterated(self, event: IterationFinished) -> None:
        end_s, start_s = event.at_s, event.started_at_s
        landed_s = min(start_s + event.overlapped_s, end_s)  # the push was in flight up to here
        if landed_s > start_s:
            self.spans.append((event.worker, OVERLAPPED, start_s, landed_s))
        if end_s > landed_s:
            self.spans.append((event.worker, COMPUTE, landed_s, end_s))
        self.marks.append((ITERATIONS, end_s, 1.0))
        loss = event.loss
        if event.num_samples > 0 and loss is not None and math.isfinite(loss):  # a simulated iteration has none
            self.marks.append((LOSSES, end_s, 1.0))
            self.marks.append((LOSS_SUM, end_s, loss))

    def _exchanged(self, event: ExchangeFinished) -> None:
        at_s, worker = event.at_s, event.worker
        self.marks.append((BYTES, at_s, float(event.sent_bytes + event.received_bytes)))
        from_s = event.blocked_from_s
        if from_s is None:
            return
        arrived_s = min(max(from_s, event.arrived_at_s), at_s)
        released_s = min(max(arrived_s, event.released_at_s), at_s)
        if arrived_s > from_s:
            self.spans.append((worker, UP, from_s, arrived_s))
        if released_s > arrived_s:
            self.spans.append((worker, WAIT, arrived_s, released_s))
        if at_s > released_s:
            self.spans.append((worker, DOWN, released_s, at_s))

    def _joined(self, event: WorkerJoined) -> None:
        self.forecasts.pop(event.worker, None)
        self.judged_from[event.worker] = event.iteration + WARM_UP + 1

    def _forecast(self, event: ForecastUpdated) -> None:
        self.forecasts[event.worker] = event

    def _ended(self, event: PushArrived | IterationReported) -> None:
        forecast = self.forecasts.pop(event.worker, None)
        is_judged = event.iteration >= self.judged_from.get(event.worker, 0)
        if forecast is None or forecast.iteration != event.iteration or not is_judged:
            return
        if event.ended_at_s > forecast.high_at_s:
            self.spans.append((event.worker, LATE, forecast.started_at_s, event.ended_at_s))
        elif event.ended_at_s < forecast.low_at_s:
            self.spans.append((event.worker, EARLY, forecast.started_at_s, event.ended_at_s))

    def _applied(self, event: AggregateApplied) -> None:
        self.marks.append((UPDATES, event.at_s, 1.0))


_HANDLERS: dict[type[Event], Callable[[Collector, Any], None]] = {
    IterationFinished: Collector._iterated,
    ExchangeFinished: Collector._exchanged,
    AggregateApplied: Collector._applied,
    WorkerJoined: Collector._joined,
    ForecastUpdated: Collector._forecast,
    PushArrived: Collector._ended,
    IterationReported: Collector._ended,
}


def began_s(events: Sequence[Event]) -> float:
    """Give when the earliest of what these events tell of began."""
    earliest_s = min(event.at_s for event in events)
    for event in events:
        if isinstance(event, IterationFinished):
            earliest_s = min(earliest_s, event.started_at_s)
        elif isinstance(event, ExchangeFinished) and event.blocked_from_s is not None:
            earliest_s = min(earliest_s, event.blocked_from_s)
    return earliest_s
