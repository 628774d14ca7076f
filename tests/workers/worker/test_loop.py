"""The training loop over the in-process transport: real models and a real gate, in threads, without processes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from predictor.events import AggregateApplied, Event, ExchangeFinished, IterationFinished, PushArrived
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies import POLICIES
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.predictive import PredictiveParams
from predictor.speeds import LognormalParams, SpeedModel, Transfer
from predictor.speeds.native import Native
from tests.workers.live import wait_until
from workers.batches import Batches
from workers.clock import RunClock
from workers.datasets.base import Split
from workers.flat import FlatModel
from workers.models import build
from workers.server.live_gate import LiveGate
from workers.server.weights import Weights
from workers.telemetry import Traffic
from workers.transport.base import Pieces, PushHeader, WorkerTransport
from workers.transport.delayed import DelayedTransport
from workers.transport.in_process import InProcessTransport
from workers.worker.link import Link
from workers.worker.loop import Worker, train

LEARNING_RATE = 0.2
BATCH_SIZE = 8
TIMEOUT_S = 60.0


@dataclass
class Log:
    """What a process would tell its coordinator."""

    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def emit_now(self, events: Sequence[Event]) -> None:
        self.events += events

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def data() -> Split:
    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 200)
    samples = random.normal(size=(200, 6)).astype(np.float32) + labels[:, None].astype(np.float32)
    return Split(samples, labels.astype(np.int64))


def model() -> FlatModel:
    return FlatModel(build("mlp", (6,), 4, seed=1))


class Stalling:
    """A slow worker that stalls now and again, so that rounds are closed without it."""

    def duration_s(self, iteration: int, at_s: float) -> float:
        return 0.08 if iteration % 10 == 7 else 0.012


class Recording(InProcessTransport):
    """Keeps all deltas that were sent, as they were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.deltas: dict[tuple[int, int], torch.Tensor] = {}
        self.numbers: dict[tuple[int, int], int] = {}

    def connect(self, address: str, member: int) -> Any:
        inner, outer = super().connect(address, member), self

        class Sender:
            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

            def push(self, header: PushHeader, delta: Pieces) -> Any:
                outer.note(header, delta)
                return inner.push(header, delta)

            def push_pull(self, header: PushHeader, delta: Pieces) -> Any:
                outer.note(header, delta)
                return inner.push_pull(header, delta)

        return Sender()

    def note(self, header: PushHeader, delta: Pieces) -> None:
        self.deltas[header.worker, header.iteration] = torch.cat(list(delta)).clone()
        self.numbers[header.worker, header.iteration] = header.num_iterations


class Cluster:
    """A server and workers in threads."""

    def __init__(self, policy: Any, num_workers: int, transfer_s: float = 0.0) -> None:
        self.clock, self.server_log, self.traffic = RunClock(), Log(), Traffic()
        self.weights = Weights(model().weights)
        self.first = self.weights.flat.clone()
        self.transport = Recording()
        self.live_gate = LiveGate(
            Gate(policy, EwmaParams()),
            self.weights,
            self.clock,
            emit=self.server_log.emit_now,
            traffic=self.traffic,
            expected=range(num_workers),
            on_fault=lambda error: None,
        )
        address = self.transport.serve(self.live_gate)
        self.logs = [Log() for _ in range(num_workers)]
        self.workers = [self._worker(worker, num_workers, address, transfer_s) for worker in range(num_workers)]

    def _worker(self, worker: int, num_workers: int, address: str, transfer_s: float) -> Worker:
        split = data()
        transport: WorkerTransport = self.transport.connect(address, worker)
        if transfer_s:
            transport = DelayedTransport(transport, Transfer(transfer_s, 0.3, worker, seed=1))
        shard = np.arange(len(split))[worker::num_workers]
        return Worker(
            worker=worker,
            model=model(),
            batches=Batches(split, shard, BATCH_SIZE, 1, worker),
            speed=self._speed(worker, num_workers),
            learning_rate=LEARNING_RATE,
            link=Link(transport, self.clock, Traffic(), worker, 0),
            clock=self.clock,
            telemetry=self.logs[worker],  # type: ignore[arg-type]
            stopping=threading.Event(),
        )

    def _speed(self, worker: int, num_workers: int) -> SpeedModel:
        if num_workers == 1:
            return Native()
        if worker == 2:
            return Stalling()
        params = LognormalParams(base_s=0.004, factors=(1.0, 2.0, 3.0)[:num_workers])
        return params.build(worker, num_workers, 1, lambda path: path)

    def train(self, iterations: int | None) -> None:
        threads = [
            threading.Thread(target=train, args=(worker, self.clock.now_s(), 0, iterations)) for worker in self.workers
        ]
        for thread in threads:
            thread.start()
        self.threads = threads

    def join(self) -> None:
        for thread in self.threads:
            thread.join(TIMEOUT_S)
            assert not thread.is_alive(), "a worker waits for ever"


def test_one_worker_is_plain_sgd() -> None:
    cluster = Cluster(BspParams(), num_workers=1)
    cluster.train(12)
    cluster.join()

    alone = model()
    batches = cluster.workers[0].batches
    for iteration in range(12):
        images, labels, _ = batches.batch(iteration)
        alone.gradient.zero_()
        functional.cross_entropy(alone.model(images), labels).backward()  # type: ignore[no-untyped-call]
        alone.weights.sub_(alone.gradient, alpha=LEARNING_RATE)
    torch.testing.assert_close(cluster.weights.flat, alone.weights)
    assert cluster.weights.version == 12


def test_bsp_is_sgd_on_the_mean_gradient() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.train(8)
    cluster.join()

    alone = model()
    for iteration in range(8):
        mean = torch.zeros_like(alone.weights)
        for worker in cluster.workers:
            images, labels, _ = worker.batches.batch(iteration)
            alone.gradient.zero_()
            functional.cross_entropy(alone.model(images), labels).backward()  # type: ignore[no-untyped-call]
            mean.add_(alone.gradient, alpha=1 / 3)
        alone.weights.sub_(mean, alpha=LEARNING_RATE)
    torch.testing.assert_close(cluster.weights.flat, alone.weights, rtol=1e-4, atol=1e-5)


ALL = {name: params() for name, params in POLICIES.items()} | {
    "predictive that blocks": PredictiveParams(max_local_iterations=0),
    "predictive with long rounds": PredictiveParams(max_local_iterations=1, horizon=6.0),
}


@pytest.mark.parametrize("policy", ALL.values(), ids=ALL.keys())
@pytest.mark.parametrize("transfer_s", [0.0, 0.01])
def test_first_weights_and_scaled_deltas_make_the_global_weights(policy: Any, transfer_s: float) -> None:
    cluster = Cluster(policy, num_workers=3, transfer_s=transfer_s)
    cluster.train(25)
    cluster.join()
    total = cluster.first.clone()
    applied: list[tuple[int, int]] = []
    for aggregate in cluster.server_log.of(AggregateApplied):
        for one in aggregate.contributions:
            total.add_(cluster.transport.deltas[one.worker, one.iteration], alpha=aggregate.scale)
            applied.append((one.worker, one.iteration))
    torch.testing.assert_close(cluster.weights.flat, total)
    assert sorted(applied) == sorted(cluster.transport.deltas)
    for worker in range(3):
        assert sum(num for (who, _), num in cluster.transport.numbers.items() if who == worker) == 25
        steps = cluster.logs[worker].of(IterationFinished)
        assert [step.iteration for step in steps] == list(range(1, 26))


def test_a_worker_trains_on_while_its_push_is_in_flight_and_not_further_than_it_may() -> None:
    cluster = Cluster(PredictiveParams(max_local_iterations=2), num_workers=3, transfer_s=0.03)
    cluster.train(30)
    cluster.join()
    steps = cluster.logs[0].of(IterationFinished)
    assert any(step.overlapped_s > 0 for step in steps)
    assert all(0 <= step.overlapped_s <= step.compute_s for step in steps)
    for worker, log in enumerate(cluster.logs):
        pushes = [p for p in cluster.server_log.of(PushArrived) if p.worker == worker]
        answered = {e.iteration: e.at_s for e in log.of(ExchangeFinished)}
        for push in pushes[:-2]:  # the last two may be on their way when it leaves
            landed_at_s = answered[push.iteration]
            ahead = [
                step
                for step in log.of(IterationFinished)
                if step.iteration > push.iteration and step.at_s <= landed_at_s
            ]
            # One more for each answer that left the push out: it frees a worker that waits.
            assert len(ahead) <= 2 + len(
                [e for e in log.of(ExchangeFinished) if push.ended_at_s < e.at_s < landed_at_s]
            )


def test_blocking_policies_never_overlap() -> None:
    cluster = Cluster(AspParams(), num_workers=3, transfer_s=0.01)
    cluster.train(10)
    cluster.join()
    for log in cluster.logs:
        assert not any(step.overlapped_s for step in log.of(IterationFinished))
        assert all(exchange.blocked_from_s is not None for exchange in log.of(ExchangeFinished))


def test_the_stamps_of_a_life_are_gapless() -> None:
    cluster = Cluster(PredictiveParams(), num_workers=3, transfer_s=0.02)
    cluster.train(30)
    cluster.join()
    for log in cluster.logs:
        spans = [(step.started_at_s, step.at_s) for step in log.of(IterationFinished)]
        spans += [(e.blocked_from_s, e.at_s) for e in log.of(ExchangeFinished) if e.blocked_from_s is not None]
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert start == end


def test_a_worker_that_is_told_to_stop_leaves_while_it_waits_or_computes() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.workers[2].stopping.set()  # it leaves before its first push, and the others wait for it
    cluster.train(None)
    wait_until(lambda: len(cluster.server_log.of(PushArrived)) == 2)
    for worker in cluster.workers[:2]:
        worker.stopping.set()
        worker.link.interrupt()
    cluster.join()
    assert len(cluster.server_log.of(PushArrived)) == 2

    computing = Cluster(AspParams(), num_workers=3)
    computing.train(None)
    wait_until(lambda: bool(computing.server_log.of(PushArrived)))
    for worker in computing.workers:
        worker.stopping.set()
        worker.link.interrupt()
    computing.join()


def test_the_end_of_the_run_frees_those_who_wait() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.workers[2].stopping.set()
    cluster.train(None)
    wait_until(lambda: len(cluster.server_log.of(PushArrived)) == 2)
    cluster.live_gate.stop()
    cluster.join()


def test_a_push_names_the_version_that_its_last_iteration_was_computed_on() -> None:
    cluster = Cluster(PredictiveParams(), num_workers=3, transfer_s=0.02)
    cluster.train(30)
    cluster.join()
    for worker, log in enumerate(cluster.logs):
        merged, computed_on = -1, {}
        for event in log.events:
            if isinstance(event, ExchangeFinished):
                merged = event.version
            elif isinstance(event, IterationFinished):
                computed_on[event.iteration] = merged
        pushes = [push for push in cluster.server_log.of(PushArrived) if push.worker == worker]
        assert pushes
        for push in pushes:
            assert push.pulled_version == computed_on[push.iteration]
