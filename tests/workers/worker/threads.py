"""A server and workers in threads over the in-process transport: real models and a real gate, without processes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from predictor.events import Event
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.speeds import LognormalParams, SpeedModel, Transfer
from predictor.speeds.native import Native
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
from workers.worker.optimizer import Sgd

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

    def __init__(
        self, policy: Any, num_workers: int, transfer_s: float = 0.0, transport: Recording | None = None
    ) -> None:
        self.clock, self.server_log, self.traffic = RunClock(), Log(), Traffic()
        self.weights = Weights(model().weights)
        self.first = self.weights.flat.clone()
        self.transport = transport or Recording()
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
            optimizer=Sgd(LEARNING_RATE),
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
