"""The figures of a run, folded event by event: what lists show, and what runs are compared by.

Events of several streams (gate, workers, evaluator) need not be sorted by `at_s`. O(number of workers) at a
push and O(1) at any other event; memory does not grow with the log.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from predictor.errors import LogError
from predictor.events import (
    AggregateApplied,
    EvaluationFinished,
    Event,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    PushArrived,
    RunFinished,
    RunResumed,
    RunStarted,
    SyncPlanned,
    TargetReached,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.worker_totals import WorkerTotals

_FORMAT = 2  # of `to_data`; another one is refused, so that the reader folds the log anew
_LOSS_WEIGHT = 0.05  # of the newest minibatch in the moving average of the training loss
_MISSED = 1.1  # an iteration this many times longer than asked for was not padded but slow by itself
_MAX_PLANS = 64  # versions ahead that are predicted at one time; policies plan one


@dataclass(slots=True)
class _Totals:
    """Everything that is not one worker's."""

    num_events: int = 0
    newest_s: float = 0.0
    version: int = 0
    train_loss: float | None = None
    test_loss: float | None = None
    test_accuracy: float | None = None
    best_accuracy: float | None = None
    final_accuracy: float | None = None
    final_loss: float | None = None
    time_to_target_s: float | None = None
    target: dict[str, Any] | None = None
    max_lead: int = 0
    staleness: int = 0  # sum over `num_contributions`
    num_contributions: int = 0
    num_workers_lost: int = 0
    num_missed_pads: int = 0
    num_windows: int = 0
    num_covered: int = 0
    error_s: float = 0.0  # sum over `num_windows`
    outcome: str | None = None
    reason: str | None = None
    plans: dict[int, tuple[float, float, float]] = field(default_factory=dict)  # version -> cut, low, high


class Summary:
    """The fold. Its state can be kept between batches: `from_data(to_data())` goes on where it stood."""

    def __init__(self) -> None:
        self._totals = _Totals()
        self._workers: dict[int, WorkerTotals] = {}
        self._floor = 0  # no clock lies below it; saves looking through all of them at each push

    @property
    def num_events(self) -> int:
        """How many events were taken in: the seq of the last one."""
        return self._totals.num_events

    def update(self, event: Event) -> None:
        """Take in the next event of the log."""
        take = _TAKE.get(type(event))
        if take:
            take(self, event)
        self._totals.num_events += 1
        self._totals.newest_s = max(self._totals.newest_s, event.at_s)

    def to_data(self) -> dict[str, Any]:
        """Give the whole state as plain data."""
        totals = {name: getattr(self._totals, name) for name in _TOTALS_FIELDS}
        totals["plans"] = [[version, *plan] for version, plan in self._totals.plans.items()]
        totals["target"] = None if self._totals.target is None else dict(self._totals.target)
        workers = [_copy_of(worker) for worker in self._workers.values()]
        return {"format": _FORMAT, "totals": totals, "workers": workers}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Summary:
        """Go on from what `to_data` gave.

        Raises:
            LogError: it was written by another version of this module; fold the log from its start.
        """
        if data.get("format") != _FORMAT:
            raise LogError(f"the state of a summary must have format {_FORMAT}, got {data.get('format')!r}")
        summary = cls()
        plans = {version: (cut_s, low_s, high_s) for version, cut_s, low_s, high_s in data["totals"]["plans"]}
        summary._totals = _Totals(**{**data["totals"], "plans": plans})
        summary._workers = {fields["worker"]: WorkerTotals(**fields) for fields in data["workers"]}
        return summary

    def report(self) -> dict[str, Any]:
        """Give the figures so far, as REST shows them (`RunSummary`)."""
        totals, newest_s = self._totals, self._totals.newest_s
        min_clock = self._min_clock()
        rows = [self._worker_row(worker, min_clock) for _, worker in sorted(self._workers.items())]
        num_iterations = sum(row["num_iterations"] for row in rows)
        wall_s = sum(row["wall_s"] for row in rows)
        return {
            "duration_s": newest_s,
            "num_events": totals.num_events,
            "num_iterations": num_iterations,
            "iterations_per_s": _ratio(num_iterations, newest_s),
            "version": totals.version,
            "utilisation": _ratio(sum(row["compute_s"] for row in rows), wall_s),
            "wait_share": _ratio(sum(row["wait_s"] for row in rows), wall_s),
            "transfer_share": _ratio(sum(row["transfer_s"] for row in rows), wall_s),
            "wait_s": sum(row["wait_s"] for row in rows),
            "bytes": sum(row["sent_bytes"] + row["received_bytes"] for row in rows),
            "train_loss": totals.train_loss,
            "test_loss": totals.test_loss,
            "test_accuracy": totals.test_accuracy,
            "best_accuracy": totals.best_accuracy,
            "final_accuracy": totals.final_accuracy,
            "final_loss": totals.final_loss,
            "time_to_target_s": totals.time_to_target_s,
            "target": totals.target,
            "max_lead": totals.max_lead,
            "mean_staleness": _ratio(totals.staleness, totals.num_contributions),
            "num_workers_lost": totals.num_workers_lost,
            "num_missed_pads": totals.num_missed_pads,
            "windows": {
                "num": totals.num_windows,
                "num_covered": totals.num_covered,
                "mean_error_s": _ratio(totals.error_s, totals.num_windows),
            },
            "forecasts": self._forecasts(),
            "outcome": totals.outcome,
            "reason": totals.reason,
            "workers": rows,
        }

    def _forecasts(self) -> dict[str, Any] | None:
        """Give how the forecasts of single iterations held, over all workers; None where none was judged."""
        workers = [worker for _, worker in sorted(self._workers.items())]
        num = sum(worker.num_forecasts for worker in workers)
        if num == 0:
            return None
        return {
            "num": num,
            "coverage": sum(worker.num_covered for worker in workers) / num,
            "mean_error_share": sum(worker.error_share for worker in workers) / num,
            "mean_width_share": sum(worker.width_share for worker in workers) / num,
        }

    def _worker_row(self, worker: WorkerTotals, min_clock: int) -> dict[str, Any]:
        wall_s = worker.wall_s(self._totals.newest_s)
        is_member = worker.joined_at_s is not None
        return {
            "worker": worker.worker,
            "num_iterations": worker.num_iterations,
            "compute_s": worker.compute_s,
            "overlapped_s": worker.overlapped_s,
            "wait_s": worker.wait_s + worker.open_wait_s(self._totals.newest_s),
            "transfer_s": worker.transfer_s,
            "wall_s": wall_s,
            "utilisation": _ratio(worker.compute_s, wall_s),
            "sent_bytes": worker.sent_bytes,
            "received_bytes": worker.received_bytes,
            "mean_interval_s": _ratio(worker.interval_s, worker.num_intervals),
            "lead": worker.clock - min_clock if is_member else 0,
        }

    # ---- one method for each kind of event that counts ----------------------------------------------------

    def _worker(self, worker: int) -> WorkerTotals:
        if worker not in self._workers:
            self._workers[worker] = WorkerTotals(worker)
        return self._workers[worker]

    def _min_clock(self) -> int:
        return min((one.clock for one in self._workers.values() if one.joined_at_s is not None), default=0)

    def _note_lead(self, clock: int) -> None:
        """Keep the largest lead; the clocks are compared only where the one that has moved may lead by more."""
        self._floor = min(self._floor, clock)
        if clock - self._floor > self._totals.max_lead:
            self._floor = self._min_clock()
            self._totals.max_lead = max(self._totals.max_lead, clock - self._floor)

    def _end_lives(self) -> None:
        """End what the log does not say to have ended: whoever would have written it is dead."""
        self._floor = 0
        for worker in self._workers.values():
            worker.leave(self._totals.newest_s)

    def _run_started(self, event: RunStarted) -> None:
        self._end_lives()
        totals = self._totals
        totals.outcome = totals.reason = totals.final_accuracy = totals.final_loss = None
        totals.plans.clear()

    def _run_resumed(self, event: RunResumed) -> None:
        self._end_lives()
        self._totals.version = event.version
        self._totals.plans.clear()

    def _run_finished(self, event: RunFinished) -> None:
        self._end_lives()
        self._totals.outcome, self._totals.reason = event.outcome, event.reason

    def _worker_joined(self, event: WorkerJoined) -> None:
        self._worker(event.worker).join(event)
        self._floor = 0

    def _worker_left(self, event: WorkerLeft) -> None:
        self._totals.num_workers_lost += event.reason == "died"
        self._floor = 0
        self._worker(event.worker).leave(event.at_s, has_finished=event.reason == "finished")

    def _worker_released(self, event: WorkerReleased) -> None:
        worker = self._worker(event.worker)
        worker.released_at_s = event.at_s
        if worker.waits_from_s is not None and worker.waits_until_s is None:
            worker.waits_until_s = event.at_s

    def _push_arrived(self, event: PushArrived) -> None:
        worker = self._worker(event.worker)
        worker.judge(event)
        if worker.released_at_s is not None:
            worker.interval_s += max(0.0, event.at_s - worker.released_at_s)
            worker.num_intervals += 1
            worker.released_at_s = None
        worker.clock = event.iteration
        worker.push_ended_at_s = event.ended_at_s
        self._note_lead(event.iteration)
        worker.waits_from_s, worker.waits_until_s = (event.at_s if event.is_blocking else None), None

    def _iteration_reported(self, event: IterationReported) -> None:
        worker = self._worker(event.worker)
        worker.judge(event)
        worker.waits_from_s, worker.waits_until_s = (event.ended_at_s if event.is_waiting else None), None

    def _aggregate_applied(self, event: AggregateApplied) -> None:
        totals = self._totals
        totals.version = event.version
        for contribution in event.contributions:
            totals.staleness += contribution.staleness
            totals.num_contributions += 1
        plan = totals.plans.get(event.version)
        if plan:
            cut_at_s, low_at_s, high_at_s = plan
            totals.num_windows += 1
            totals.num_covered += low_at_s <= event.at_s <= high_at_s
            totals.error_s += abs(event.at_s - cut_at_s)
        for version in [version for version in totals.plans if version <= event.version]:
            del totals.plans[version]

    def _sync_planned(self, event: SyncPlanned) -> None:
        plans = self._totals.plans
        plans[event.version] = (event.cut_at_s, event.low_at_s, event.high_at_s)
        if len(plans) > _MAX_PLANS:
            del plans[min(plans)]

    def _forecast_updated(self, event: ForecastUpdated) -> None:
        self._worker(event.worker).expect(event)

    def _iteration_finished(self, event: IterationFinished) -> None:
        totals = self._totals
        self._worker(event.worker).compute(event)
        totals.num_missed_pads += 0 < event.target_s * _MISSED < event.compute_s
        if event.num_samples == 0:
            return  # simulated: there is no loss
        if totals.train_loss is None or not math.isfinite(event.loss):
            totals.train_loss = _finite(event.loss)
        else:
            totals.train_loss += _LOSS_WEIGHT * (event.loss - totals.train_loss)

    def _exchange_finished(self, event: ExchangeFinished) -> None:
        self._worker(event.worker).exchange(event)

    def _evaluation_finished(self, event: EvaluationFinished) -> None:
        totals = self._totals
        totals.test_loss, totals.test_accuracy = _finite(event.loss), event.accuracy
        totals.best_accuracy = max(event.accuracy, totals.best_accuracy or 0.0)
        if event.is_final:
            totals.final_loss, totals.final_accuracy = totals.test_loss, event.accuracy

    def _target_reached(self, event: TargetReached) -> None:
        if self._totals.time_to_target_s is None:
            self._totals.time_to_target_s = event.at_s
            self._totals.target = {"metric": event.metric, "value": event.value}


_TAKE: dict[type[Event], Callable[[Summary, Any], None]] = {
    RunStarted: Summary._run_started,
    RunResumed: Summary._run_resumed,
    RunFinished: Summary._run_finished,
    WorkerJoined: Summary._worker_joined,
    WorkerLeft: Summary._worker_left,
    WorkerReleased: Summary._worker_released,
    PushArrived: Summary._push_arrived,
    IterationReported: Summary._iteration_reported,
    AggregateApplied: Summary._aggregate_applied,
    SyncPlanned: Summary._sync_planned,
    ForecastUpdated: Summary._forecast_updated,
    IterationFinished: Summary._iteration_finished,
    ExchangeFinished: Summary._exchange_finished,
    EvaluationFinished: Summary._evaluation_finished,
    TargetReached: Summary._target_reached,
}


_TOTALS_FIELDS = tuple(one.name for one in dataclasses.fields(_Totals))
_WORKER_FIELDS = tuple(one.name for one in dataclasses.fields(WorkerTotals))


def _copy_of(worker: WorkerTotals) -> dict[str, Any]:
    """Give the fields as plain data; `dataclasses.asdict` does the same at ten times the cost."""
    fields = {name: getattr(worker, name) for name in _WORKER_FIELDS}
    fields["forecast"] = None if worker.forecast is None else list(worker.forecast)
    return fields


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _finite(value: float) -> float | None:
    """Give the value, or None: a training that diverges has a loss that JSON cannot hold."""
    return value if math.isfinite(value) else None
