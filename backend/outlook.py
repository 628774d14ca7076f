"""When each run of the queue will start and end: a prediction, in seconds from now.

Each run's own duration comes from `backend.estimate`; what trains already has its elapsed time taken off. Places are
filled in the order of the queue, once with the shortest durations and once with the longest.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from backend.estimate import Range, ranges
from backend.spec_check import ReadCatalogue
from backend.store.records import RunRecord
from predictor.spec import read_run

MAX_LISTED = 500
BASIS = "predicted: from the durations that were predicted for the runs, in the order of the queue; not measured"
OVERDUE = "takes longer than was predicted"


def predict(
    listed: Sequence[RunRecord], read_catalogue: ReadCatalogue, concurrency: int, now: datetime | None = None
) -> list[dict[str, Any]]:
    """Give `queue_models.RunOutlook` for each run, as plain data.

    Args:
        listed: what trains, then what waits, in the order of the queue.
        read_catalogue: knows how long a real step takes.
        concurrency: runs that train at the same time.
        now: of the prediction; this moment by default.
    """
    at = now or datetime.now(UTC)
    found = ranges([read_run(run.spec_in_force) for run in listed], read_catalogue)
    left = [_left(run, one, at) for run, one in zip(listed, found, strict=True)]
    lows = _spans([low_s for low_s, _, _ in left], [run.state != "queued" for run in listed], concurrency)
    highs = _spans([high_s for _, high_s, _ in left], [run.state != "queued" for run in listed], concurrency)
    return [
        {
            "run_id": run.id,
            "name": run.name,
            "experiment_id": run.experiment_id,
            "experiment_name": run.experiment_name,
            "policy": run.spec_in_force["policy"],
            "policy_at_start": run.spec["policy"],
            "seed": run.spec["seed"],
            "is_running": run.state != "queued",
            "starts_low_s": low_s[0],
            "starts_high_s": _bounded(high_s[0]),
            "ends_low_s": low_s[1],
            "ends_high_s": _bounded(high_s[1]),
            "basis": basis,
        }
        for run, low_s, high_s, (_, _, basis) in zip(listed, lows, highs, left, strict=True)
    ]


def _left(run: RunRecord, predicted: Range, now: datetime) -> tuple[float, float, str]:
    """Give how long a run will still train, at the shortest and at the longest, and why."""
    high_s = math.inf if predicted.high_s is None else predicted.high_s
    if run.state == "queued":
        return predicted.low_s, high_s, predicted.basis
    elapsed_s = 0.0 if run.started_at is None else max(0.0, (now - run.started_at).total_seconds())
    if elapsed_s > high_s:
        return 0.0, elapsed_s, OVERDUE  # as long again, for want of anything better
    return max(0.0, predicted.low_s - elapsed_s), high_s - elapsed_s, predicted.basis


def _spans(durations_s: Sequence[float], is_running: Sequence[bool], concurrency: int) -> list[tuple[float, float]]:
    """Give start and end of each run, if each starts as soon as a place is free."""
    spans: list[tuple[float, float]] = []
    free_at_s: list[float] = []
    for duration_s, runs_already in zip(durations_s, is_running, strict=True):
        starts_s = 0.0
        while not runs_already and len(free_at_s) >= concurrency:  # more may train than there are places now
            starts_s = heapq.heappop(free_at_s)
        heapq.heappush(free_at_s, starts_s + duration_s)
        spans.append((starts_s, starts_s + duration_s))
    return spans


def _bounded(seconds: float) -> float | None:
    return None if math.isinf(seconds) else seconds
