"""Make very long runs for `benchmarks.timeline`: simulated, and written straight into a store. No program of its own.

The events are those of a real run, from the simulator around the real gate. Added are what a simulation without
gradients lacks: losses that fall, an evaluation now and then, a worker that is lost.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.store import events as event_store
from backend.store import experiments, progress, runs
from backend.store.database import Database
from backend.timeline.index import Indexer
from predictor import log
from predictor.events import EvaluationFinished, Event, IterationFinished, RunFinished, RunStarted
from predictor.policies.ssp import SspParams
from predictor.simulator import Scenario, simulate
from predictor.spec import read_experiment
from predictor.speeds import Transfer
from predictor.speeds.markov import MarkovParams
from predictor.summary import Summary

BATCH = 10_000  # events stored in one transaction
BASE_S = 0.05
TRANSFER_S = 0.006
EVALUATE_EVERY = 4_000  # iterations of all workers
SAMPLES = 32


@dataclass(frozen=True)
class LongRun:
    """What is made."""

    name: str
    num_workers: int
    iterations: int  # of each worker

    def scenario(self) -> Scenario:
        params = MarkovParams(base_s=BASE_S, mean_fast_s=40.0, mean_slow_s=8.0, slow=3.0)
        speeds = [params.build(worker, self.num_workers, 0, Path.read_text) for worker in range(self.num_workers)]
        transfers = [Transfer(TRANSFER_S, 0.3, worker, 0) for worker in range(self.num_workers)]
        deaths = {self.num_workers - 1: 0.6 * self.iterations * BASE_S}
        return Scenario(
            policy=SspParams(threshold=3),
            speeds=speeds,
            transfers=transfers,
            iterations=self.iterations,
            message_bytes=250_000,
            deaths=deaths,
        )


class _Recorder:
    """Stores the events of one run as they are made."""

    def __init__(self, database: Database, run_id: str, wished: LongRun) -> None:
        self._database, self._run_id, self._wished = database, run_id, wished
        self._indexer = Indexer(run_id, None)
        self._summary = Summary()
        self._lines: list[bytes] = []
        self._events: list[Event] = []
        self._seq, self._opened, self._num_iterations = 0, 1, 0

    def take(self, event: Event) -> None:
        if isinstance(event, IterationFinished):
            self._num_iterations += 1
            share = event.iteration / self._wished.iterations
            loss = 2.2 * math.exp(-4 * share) + 0.1 + 0.02 * math.sin(event.iteration + event.worker)
            event = replace(event, loss=loss, num_samples=SAMPLES)
        self._append(event)
        if isinstance(event, IterationFinished) and self._num_iterations % EVALUATE_EVERY == 0:
            share = event.iteration / self._wished.iterations
            at_s, accuracy = event.at_s, 0.95 - 0.85 * math.exp(-5 * share)
            self._append(EvaluationFinished(at_s + 0.2, at_s, self._num_iterations, 1 - accuracy, accuracy, 500, False))
        if len(self._lines) >= BATCH:
            self.store(is_last=False)

    def _append(self, event: Event) -> None:
        self._seq += 1
        self._lines.append(log.with_seq(log.encode(event), self._seq)[:-1])
        self._events.append(event)
        self._summary.update(event)

    def store(self, *, is_last: bool) -> None:
        first_seq = self._seq - len(self._lines) + 1
        with self._database.write() as session:
            progress.lock(session, self._run_id)
            self._opened = event_store.append(
                session, self._run_id, first_seq, self._lines, opened=self._opened, is_last=is_last
            )
            self._indexer.take(session, first_seq, self._events, self._lines, is_last=is_last)
            progress.change(session, self._run_id, self._values(is_last=is_last))
            if is_last:
                progress.save_fold(session, self._run_id, json.dumps(self._summary.to_data()).encode())
        self._lines, self._events = [], []

    def _values(self, *, is_last: bool) -> dict[str, Any]:
        now = datetime.now(UTC)
        values: dict[str, Any] = {"last_seq": self._seq, "log_offset": 1, "queue_place": None, "is_simulated": True}
        if is_last:
            report = self._summary.report()
            sorted_by = ("duration_s", "final_accuracy", "utilisation", "wait_share")
            values |= {"state": "completed", "reason": "All iterations are done.", "summary": report}
            values |= {"started_at": now, "finished_at": now, **{name: report[name] for name in sorted_by}}
        else:
            values |= {"state": "running"}
        return values


def make(database: Database, wished: LongRun) -> tuple[str, int]:
    """Write a run; give its id and its number of events."""
    spec = {"name": wished.name, "run": {"policy": {"name": "ssp"}, "cluster": {"launcher": "virtual"}}}
    with database.write() as session:
        experiment_id, _ = experiments.create(session, read_experiment(spec))
        (run_id,) = experiments.get(session, experiment_id).run_ids
        data = runs.get(session, run_id).spec
        data["cluster"]["num_workers"] = wished.num_workers  # more than a form of the dashboard lets one ask for
        progress.change(session, run_id, {"spec": data, "state": "running", "queue_place": None})
    recorder = _Recorder(database, run_id, wished)
    ending: list[Event] = []

    def take(event: Event) -> None:
        if isinstance(event, RunFinished):
            ending.append(event)
        elif isinstance(event, RunStarted):
            recorder.take(replace(event, run_id=run_id))
        else:
            recorder.take(event)

    simulate(wished.scenario(), take)
    recorder.take(ending[0])
    recorder.store(is_last=True)
    return run_id, recorder._seq
