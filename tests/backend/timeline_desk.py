"""A simulated run, and a desk at which a test stores its events in batches of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from backend.store import events as event_store
from backend.store import progress
from backend.store.database import Database
from backend.timeline import reader, store
from backend.timeline.index import Indexer
from backend.timeline.spans import KIND_NAMES, MISS_NAMES, NUM_LAYERS, Collector
from predictor import log
from predictor.events import (
    Event,
    ForecastUpdated,
    IterationFinished,
    PushArrived,
)
from predictor.policies.ssp import SspParams
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer
from tests.backend.checks import add_run

NUM_WORKERS = 4
STRAGGLER_S = 40.0


@lru_cache
def simulated(iterations: int = 900) -> tuple[Event, ...]:
    """Give a run of four workers, of which one is slow now and then; losses are added, which a simulation lacks."""
    params = LognormalParams(base_s=0.05, factors=(1.0, 1.2, 0.9, 2.0), cv=0.2)
    speeds = [params.build(worker, NUM_WORKERS, 0, Path.read_text) for worker in range(NUM_WORKERS)]
    transfers = [Transfer(0.01, 0.3, worker, 0) for worker in range(NUM_WORKERS)]
    made: list[Event] = []
    simulate(Scenario(SspParams(threshold=3), speeds, transfers, iterations, message_bytes=1_000), made.append)
    return tuple(
        replace(event, loss=1.0 + event.iteration / 1_000, num_samples=8)
        if isinstance(event, IterationFinished)
        else event
        for event in made
    )


@lru_cache
def forecast(iterations: int = 900) -> tuple[Event, ...]:
    """Give the same run with windows from 90 to 110 ms for all iterations but the first, said with the push before."""
    made: list[Event] = []
    said_at: dict[int, int] = {}  # place of a worker's last push
    windows: dict[int, ForecastUpdated] = {}  # by the place after which they are said
    for place, event in enumerate(simulated(iterations)):
        if isinstance(event, PushArrived):
            if event.worker in said_at:
                start_s = event.ended_at_s - event.compute_s
                times = (start_s, start_s + 0.1, start_s + 0.09, start_s + 0.11)
                windows[said_at[event.worker]] = ForecastUpdated(event.at_s, event.worker, event.iteration, *times)
            said_at[event.worker] = place
    for place, event in enumerate(simulated(iterations)):
        made.append(event)
        if place in windows:
            made.append(replace(windows[place], at_s=event.at_s))
    return tuple(made)


def lines_of(events: Sequence[Event], first_seq: int = 1) -> list[bytes]:
    return [log.with_seq(log.encode(event), seq)[:-1] for seq, event in enumerate(events, first_seq)]


class Desk:
    """A run whose events the test stores in batches of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.write() as session:
            self.run_id = add_run(session)
        self.num, self.opened = 0, 1
        self.restart()

    def restart(self) -> None:
        with self.database.read() as session:
            self.indexer = Indexer.load(session, self.run_id, self.num)

    def store(self, events: Sequence[Event], *, is_last: bool = False, is_indexed: bool = True) -> None:
        lines = lines_of(events, self.num + 1)
        with self.database.write() as session:
            first = self.num + 1
            self.opened = event_store.append(session, self.run_id, first, lines, opened=self.opened, is_last=is_last)
            if is_indexed:
                self.indexer.take(session, first, events, lines, is_last=is_last)
            self.num += len(events)
            state = "completed" if is_last else "running"
            progress.change(session, self.run_id, {"last_seq": self.num, "state": state, "queue_place": None})

    def state(self) -> store.State:
        with self.database.read() as session:
            state = store.load_state(session, self.run_id)
        assert state is not None
        return state

    def seconds(self, from_s: float, to_s: float, columns: int = 64) -> tuple[np.ndarray, dict[str, float], float]:
        """Give seconds by kind and worker, the figures' sums, and the width of a bin."""
        with self.database.read() as session:
            found = reader.overview(session, self.run_id, self.state(), (from_s, to_s), columns)
        layers = [*(found["seconds"][name] for name in KIND_NAMES), *(found["missed"][name] for name in MISS_NAMES)]
        by_kind = np.array(layers).sum(axis=2)
        return by_kind, {name: sum(values) for name, values in found["figures"].items()}, found["bin_s"]


def exact_seconds(events: Sequence[Event], from_s: float, to_s: float) -> np.ndarray:
    """Sum up what lies between two times, span by span."""
    collector = Collector()
    for event in events:
        collector.take(event)
    spans, _ = collector.columns()
    sums = np.zeros((NUM_LAYERS, NUM_WORKERS))
    for worker, kind, start_s, end_s in zip(spans.worker, spans.kind, spans.start_s, spans.end_s, strict=True):
        sums[kind, worker] += max(0.0, min(end_s, to_s) - max(start_s, from_s))
    return sums


def check_whole(desk: Desk, events: Sequence[Event]) -> None:
    state = desk.state()
    seconds, figures, _ = desk.seconds(0.0, state.to_s)
    wish = exact_seconds(events, 0.0, state.to_s + 1)
    assert np.allclose(seconds, wish, rtol=0.02, atol=0.05 * state.to_s / 100)
    iterations = [event for event in events if isinstance(event, IterationFinished)]
    assert figures["iterations"] == len(iterations) == figures["losses"]
    assert figures["loss_sum"] == pytest.approx(sum(event.loss for event in iterations), rel=1e-5)
