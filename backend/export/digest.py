"""A fold over a run's log that gathers what its report shows. Memory is bounded by the number of workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from backend.curves import KINDS as CURVE_KINDS
from backend.curves import CurveFold
from backend.export.lanes import KINDS as LANE_KINDS
from backend.export.lanes import Lanes
from predictor.worker_totals import WARM_UP

NUM_FIRST, NUM_LAST = 20, 80  # synchronisations that are listed
NUM_WARNINGS = 20
NUM_PARTS = 10  # of a predicted window, to tell where in it an iteration ended
KINDS = {
    *CURVE_KINDS,
    *LANE_KINDS,
    "RunStarted",
    "PushArrived",
    "IterationReported",
    "ForecastUpdated",
    "SyncPlanned",
    "MessageLogged",
}


class Digest:
    """The figures of a report. Feed it the events of one run in order."""

    def __init__(self) -> None:
        self.curves = CurveFold()
        self.lanes = Lanes()
        self.staleness: Counter[int] = Counter()
        self.lead: Counter[int] = Counter()  # at the arrival of pushes
        self.places: Counter[int] = Counter()  # in the window: -1 before it, 0 to NUM_PARTS - 1, NUM_PARTS after it
        self.coverage: dict[int, tuple[int, int]] = {}  # worker -> judged, covered
        self.versions: dict[str, str] = {}
        self.num_synchronisations = 0
        self.first: list[dict[str, Any]] = []
        self.last: deque[dict[str, Any]] = deque(maxlen=NUM_LAST)
        self.warnings: deque[str] = deque(maxlen=NUM_WARNINGS)
        self.num_warnings = 0
        self._clocks: dict[int, int] = {}  # of the workers that are there
        self._judged_from: dict[int, int] = {}
        self._forecasts: dict[int, dict[str, Any]] = {}
        self._plans: dict[int, dict[str, Any]] = {}

    def update(self, event: dict[str, Any]) -> None:
        self.curves.update(event)
        self.lanes.update(event)
        take = _TAKE.get(event["kind"])
        if take:
            take(self, event)

    def _started(self, event: dict[str, Any]) -> None:
        self.versions = event["versions"]
        self._clocks.clear()
        self._forecasts.clear()
        self._plans.clear()

    def _joined(self, event: dict[str, Any]) -> None:
        worker = event["worker"]
        self._clocks[worker] = event["iteration"]
        self._judged_from[worker] = event["iteration"] + WARM_UP + 1
        self._forecasts.pop(worker, None)

    def _left(self, event: dict[str, Any]) -> None:
        self._clocks.pop(event["worker"], None)

    def _pushed(self, event: dict[str, Any]) -> None:
        self._judge(event)
        self._clocks[event["worker"]] = event["iteration"]
        self.lead[event["iteration"] - min(self._clocks.values())] += 1

    def _judge(self, event: dict[str, Any]) -> None:
        """Hold the end of an iteration against its forecast, as the run's summary does."""
        worker = event["worker"]
        forecast = self._forecasts.pop(worker, None)
        if forecast is None or forecast["iteration"] != event["iteration"]:
            return
        if event["iteration"] < self._judged_from.get(worker, 0) or event["ended_at_s"] <= forecast["started_at_s"]:
            return
        ended_s, low_s, high_s = event["ended_at_s"], forecast["low_at_s"], forecast["high_at_s"]
        is_covered = low_s <= ended_s <= high_s
        num, num_covered = self.coverage.get(worker, (0, 0))
        self.coverage[worker] = (num + 1, num_covered + is_covered)
        if is_covered:
            share = (ended_s - low_s) / (high_s - low_s) if high_s > low_s else 0.5
            self.places[min(NUM_PARTS - 1, int(share * NUM_PARTS))] += 1
        else:
            self.places[-1 if ended_s < low_s else NUM_PARTS] += 1

    def _forecast(self, event: dict[str, Any]) -> None:
        self._forecasts[event["worker"]] = event

    def _planned(self, event: dict[str, Any]) -> None:
        self._plans[event["version"]] = event
        if len(self._plans) > NUM_LAST:
            del self._plans[min(self._plans)]

    def _applied(self, event: dict[str, Any]) -> None:
        self.staleness.update(part["staleness"] for part in event["contributions"])
        plan = self._plans.get(event["version"])
        for version in [version for version in self._plans if version <= event["version"]]:
            del self._plans[version]
        self.num_synchronisations += 1
        row = {"event": event, "plan": plan}
        if len(self.first) < NUM_FIRST:
            self.first.append(row)
        else:
            self.last.append(row)

    def _said(self, event: dict[str, Any]) -> None:
        if event["level"] != "info":
            self.num_warnings += 1
            self.warnings.append(f"{event['node']}: {event['text']}")


_TAKE: dict[str, Callable[[Digest, dict[str, Any]], None]] = {
    "RunStarted": Digest._started,
    "WorkerJoined": Digest._joined,
    "WorkerLeft": Digest._left,
    "PushArrived": Digest._pushed,
    "IterationReported": Digest._judge,
    "ForecastUpdated": Digest._forecast,
    "SyncPlanned": Digest._planned,
    "AggregateApplied": Digest._applied,
    "MessageLogged": Digest._said,
}
