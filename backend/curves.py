"""A run's curves: a fold over its events that needs the same memory for a minute's run as for a week's.

Where points would grow past a limit, neighbours are merged: minibatch losses to their mean, waiting to the
mean share of the longer span; of evaluations the later one stays. So no curve skips the newest point.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

MAX_TRAINING_POINTS = 1_000
MAX_EVALUATION_POINTS = 1_000
MAX_WAITING_POINTS = 400
FIRST_WAITING_SPAN_S = 0.25
MAX_REMEMBERED_VERSIONS = 200_000  # between two evaluations

KINDS = (
    "RunStarted",
    "RunResumed",
    "WorkerJoined",
    "WorkerLeft",
    "AggregateApplied",
    "IterationFinished",
    "ExchangeFinished",
    "EvaluationFinished",
    "RunFinished",
)


class CurveFold:
    """Feed it the events of one run in order (as plain data), and read `to_data` whenever you like."""

    def __init__(self) -> None:
        self._training = _Buckets()
        self._evaluations: list[tuple[float, int, int, float | None, float | None]] = []
        self._stride, self.num_evaluations = 1, 0
        self._latest: tuple[float, int, int, float | None, float | None] | None = None
        self._num_applied = 0  # iterations whose updates are in the global weights
        self._versions: deque[tuple[int, int]] = deque([(0, 0)], maxlen=MAX_REMEMBERED_VERSIONS)
        self._waiting, self._alive = _Spans(), _Spans()
        self._counted_to: dict[int, float] = {}  # worker that is there -> until when its time is in `_alive`
        self._end_s = 0.0

    def update(self, event: dict[str, Any]) -> None:
        """Take the next event."""
        handle = _HANDLERS.get(event["kind"])
        if handle:
            handle(self, event)

    def to_data(self) -> dict[str, Any]:
        """Give the curves as `schemas.Curves` describes them."""
        for worker in self._counted_to:
            self._count_alive(worker, self._end_s)
        evaluations = list(self._evaluations)
        if self._latest and (not evaluations or evaluations[-1] != self._latest):
            evaluations.append(self._latest)
        at_s, version, iterations, loss, accuracy = ([row[i] for row in evaluations] for i in range(5))
        return {
            "evaluations": {
                "at_s": at_s, "version": version, "iterations": iterations, "loss": loss, "accuracy": accuracy
            },
            "training": self._training.to_data(),
            "waiting": self._share_waited(),
        }  # fmt: skip

    def _resumed(self, event: dict[str, Any]) -> None:
        self._num_applied = sum(event["clocks"].values())
        self._versions.clear()
        self._versions.append((event["version"], self._num_applied))

    def _joined(self, event: dict[str, Any]) -> None:
        self._counted_to[event["worker"]] = event["at_s"]
        self._end_s = max(self._end_s, event["at_s"])

    def _left(self, event: dict[str, Any]) -> None:
        self._end_s = max(self._end_s, event["at_s"])
        if event["worker"] in self._counted_to:
            self._count_alive(event["worker"], event["at_s"])
            del self._counted_to[event["worker"]]

    def _end_lives(self, _: dict[str, Any]) -> None:
        for worker in list(self._counted_to):
            self._left({"worker": worker, "at_s": self._end_s})

    def _applied(self, event: dict[str, Any]) -> None:
        self._num_applied += sum(one["num_iterations"] for one in event["contributions"])
        self._versions.append((event["version"], self._num_applied))

    def _iterated(self, event: dict[str, Any]) -> None:
        self._end_s = max(self._end_s, event["at_s"])
        if event["num_samples"]:  # a simulated iteration has no loss
            self._training.add(event["at_s"], event["loss"])

    def _exchanged(self, event: dict[str, Any]) -> None:
        self._end_s = max(self._end_s, event["at_s"])
        if event["blocked_from_s"] is not None:
            self._waiting.add(max(event["arrived_at_s"], event["blocked_from_s"]), event["released_at_s"])

    def _evaluated(self, event: dict[str, Any]) -> None:
        version = event["version"]
        while len(self._versions) > 1 and self._versions[1][0] <= version:
            self._versions.popleft()
        row = (
            event["snapshot_at_s"], version, self._versions[0][1], _finite(event["loss"]), _finite(event["accuracy"])
        )  # fmt: skip
        self._latest = row
        self.num_evaluations += 1
        if (self.num_evaluations - 1) % self._stride == 0:  # the first one stays
            self._evaluations.append(row)
        if len(self._evaluations) >= MAX_EVALUATION_POINTS:
            self._evaluations = self._evaluations[::2]
            self._stride *= 2

    def _count_alive(self, worker: int, to_s: float) -> None:
        self._alive.add(self._counted_to[worker], to_s)
        self._counted_to[worker] = max(to_s, self._counted_to[worker])

    def _share_waited(self) -> dict[str, list[float]]:
        span_s = max(self._waiting.span_s, self._alive.span_s)
        waited, alive = self._waiting.merged(span_s), self._alive.merged(span_s)
        points = [
            ((place + 1) * span_s, min(1.0, waited[place] / alive_s if place < len(waited) else 0.0))
            for place, alive_s in enumerate(alive)
            if alive_s > 0
        ]
        return {"at_s": [min(at_s, self._end_s) for at_s, _ in points], "share": [share for _, share in points]}


_HANDLERS = {
    "RunStarted": CurveFold._end_lives,  # again after a resume
    "RunResumed": CurveFold._resumed,
    "WorkerJoined": CurveFold._joined,
    "WorkerLeft": CurveFold._left,
    "AggregateApplied": CurveFold._applied,
    "IterationFinished": CurveFold._iterated,
    "ExchangeFinished": CurveFold._exchanged,
    "EvaluationFinished": CurveFold._evaluated,
    "RunFinished": CurveFold._end_lives,
}


class _Buckets:
    """Means of equally many losses; the number of losses in a bucket doubles when there are too many buckets."""

    def __init__(self) -> None:
        self._size = 1  # losses in a full bucket
        self._full: list[tuple[float, int, float, int]] = []  # at_s of the end, iterations so far, sum, finite losses
        self._num, self._at_s, self._sum, self._num_finite, self._num_open = 0, 0.0, 0.0, 0, 0

    def add(self, at_s: float, loss: float | None) -> None:
        self._num += 1
        self._num_open += 1
        self._at_s = max(self._at_s, at_s)
        if loss is not None and math.isfinite(loss):
            self._sum += loss
            self._num_finite += 1
        if self._num_open < self._size:
            return
        self._full.append(self._open())
        self._sum, self._num_finite, self._num_open = 0.0, 0, 0
        if len(self._full) == MAX_TRAINING_POINTS:
            pairs = zip(self._full[::2], self._full[1::2], strict=True)
            self._full = [(b[0], b[1], a[2] + b[2], a[3] + b[3]) for a, b in pairs]
            self._size *= 2

    def to_data(self) -> dict[str, list[Any]]:
        rows = [*self._full, self._open()] if self._num_open else self._full
        return {
            "at_s": [row[0] for row in rows],
            "iterations": [row[1] for row in rows],
            "loss": [row[2] / row[3] if row[3] else None for row in rows],
        }

    def _open(self) -> tuple[float, int, float, int]:
        return self._at_s, self._num, self._sum, self._num_finite


class _Spans:
    """Seconds spent in equal spans of time from 0; the spans' length doubles when there are too many."""

    def __init__(self) -> None:
        self.span_s = FIRST_WAITING_SPAN_S
        self._spent_s: list[float] = []

    def add(self, from_s: float, to_s: float) -> None:
        """Spread the seconds from `from_s` to `to_s` over the spans."""
        from_s = max(from_s, 0.0)
        if not from_s < to_s < math.inf:
            return
        while to_s >= self.span_s * MAX_WAITING_POINTS:
            self._spent_s = self.merged(2 * self.span_s)
            self.span_s *= 2
        first, last = int(from_s // self.span_s), int(to_s // self.span_s)
        self._spent_s.extend([0.0] * (last + 1 - len(self._spent_s)))
        for place in range(first, last + 1):
            low_s, high_s = place * self.span_s, (place + 1) * self.span_s
            self._spent_s[place] += max(0.0, min(to_s, high_s) - max(from_s, low_s))

    def merged(self, span_s: float) -> list[float]:
        """Give the seconds in spans of `span_s`, a multiple of the present length by a power of two."""
        num = round(span_s / self.span_s)
        return [sum(self._spent_s[i : i + num]) for i in range(0, len(self._spent_s), num)]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
