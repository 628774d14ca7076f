"""What every transport must do: one scripted server, and members that call it.

A `Stage` is one way to carry the calls, in one process or in several. Each scenario is a function of a connected
`WorkerTransport`; it runs where the stage wants it to, and what it returns comes back to the test.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import torch

from predictor.events import Directive
from workers.transport.base import (
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    Reply,
    ReportHeader,
    SnapshotAnswer,
    WorkerTransport,
    split,
)

NUM_PARAMETERS = 700_000  # three pieces, the last one shorter
TIMEOUT_S = 60.0
DIRECTIVE = Directive(push_at=7, max_ahead=3, alpha=0.25)

Scenario = Callable[[WorkerTransport], Any]


class ScriptedServer:
    """Handlers with simple rules, so that a scenario knows what must come back.

    push        adds the delta to the weights and answers with the number of pushes so far as `arrived_at_s`
    pull        is held; `report` of iteration k releases all held pulls with the weights and version k
    push_pull   is a push and a held pull
    a pull of iteration -1 gets a directive only; a push of iteration 404 is an error
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._weights = torch.zeros(NUM_PARAMETERS)
        self._buffers: dict[int, torch.Tensor] = {}
        self._held: list[tuple[int, Reply[PullAnswer]]] = []
        self._num_pushes = 0

    def on_push(self, header: PushHeader, delta: Pieces, reply: Reply[PushAnswer]) -> None:
        if header.iteration == 404:
            raise ValueError("iteration 404 cannot be pushed")
        reply.complete(PushAnswer(self._add(delta)))

    def on_push_pull(self, header: PushHeader, delta: Pieces, reply: Reply[PullAnswer]) -> None:
        self._add(delta)
        with self._lock:
            self._held.append((header.worker, reply))

    def on_pull(self, header: PullHeader, reply: Reply[PullAnswer]) -> None:
        if header.iteration == -1:
            reply.complete(PullAnswer(DIRECTIVE, 0, 0, 0.0, 0.0))
            return
        with self._lock:
            self._held.append((header.worker, reply))

    def on_report(self, header: ReportHeader) -> None:
        with self._lock:
            held, self._held = self._held, []
            for worker, _ in held:
                self._buffers[worker] = self._weights.clone()
        for worker, reply in held:
            answer = PullAnswer(DIRECTIVE, header.iteration, 2, 3.0, 4.0)
            reply.complete(answer, split(self._buffers[worker]))

    def on_snapshot(self, newer_than: int, reply: Reply[SnapshotAnswer]) -> None:
        with self._lock:
            version, copy = self._num_pushes, self._weights.clone()
        reply.complete(SnapshotAnswer(version, 1.5), split(copy) if version > newer_than else ())

    def _add(self, delta: Pieces) -> float:
        with self._lock:
            self._weights.add_(torch.cat(list(delta)))
            self._num_pushes += 1
            return float(self._num_pushes)


def push_header(worker: int = 0, iteration: int = 1, is_blocking: bool = False) -> PushHeader:
    return PushHeader(worker, 0, 0, iteration, 1, 0.5, 1.0, 0, is_blocking, is_last=False)


def report_header(worker: int = 0, iteration: int = 1) -> ReportHeader:
    return ReportHeader(worker, 0, 0, iteration, 0.5, 1.0, is_waiting=False)


def pull_header(worker: int = 0, iteration: int = 0) -> PullHeader:
    return PullHeader(worker, 0, iteration, is_joining=False)


def ramp(scale: float = 1.0) -> torch.Tensor:
    return torch.arange(NUM_PARAMETERS, dtype=torch.float32) * scale


def wait_done(futures: list[Future[Any]]) -> list[Any]:
    return [future.result(TIMEOUT_S) for future in futures]


# ---- scenarios ------------------------------------------------------------------------------------------------


def pushes_and_snapshots(server: WorkerTransport) -> Any:
    """Push twice; look at what has become of the weights."""
    first = server.push(push_header(), split(ramp())).result(TIMEOUT_S)
    second = server.push(push_header(iteration=2), split(ramp())).result(TIMEOUT_S)
    snapshot = server.snapshot(newer_than=1).result(TIMEOUT_S)
    unchanged = server.snapshot(newer_than=2).result(TIMEOUT_S)
    return {
        "arrived": [first.header.arrived_at_s, second.header.arrived_at_s],
        "push answers carry weights": [len(first.pieces), len(second.pieces)],
        "snapshot": snapshot.header,
        "is the sum": bool(torch.equal(torch.cat(list(snapshot.pieces)), ramp(2.0))),
        "unchanged": (unchanged.header.version, len(unchanged.pieces)),
    }


def a_held_pull(server: WorkerTransport) -> Any:
    """Let a pull wait while other calls are served, then release it."""
    pulled = server.pull(pull_header())
    server.push(push_header(), split(ramp())).result(TIMEOUT_S)
    was_held = not pulled.done()
    server.report(report_header(iteration=9)).result(TIMEOUT_S)
    answer = pulled.result(TIMEOUT_S)
    return {
        "was held": was_held,
        "header": answer.header,
        "lengths": [piece.numel() for piece in answer.pieces],
        "weights": bool(torch.equal(torch.cat(list(answer.pieces)), ramp())),
    }


def a_blocking_push(server: WorkerTransport) -> Any:
    pulled = server.push_pull(push_header(is_blocking=True), split(ramp(3.0)))
    was_held = not pulled.done()
    while not pulled.done():  # the report may overtake the push, and then releases nobody
        server.report(report_header(iteration=4)).result(TIMEOUT_S)
        time.sleep(0.01)
    answer = pulled.result()
    return {
        "was held": was_held,
        "version": answer.header.version,
        "weights": bool(torch.equal(torch.cat(list(answer.pieces)), ramp(3.0))),
    }


def a_directive_only(server: WorkerTransport) -> Any:
    answer = server.pull(pull_header(iteration=-1)).result(TIMEOUT_S)
    return answer.header.directive, len(answer.pieces)


def a_refused_push(server: WorkerTransport) -> Any:
    error = server.push(push_header(iteration=404), split(ramp())).exception(TIMEOUT_S)
    alive = server.push(push_header(), split(ramp())).result(TIMEOUT_S)
    return type(error).__name__, str(error), alive.header.arrived_at_s


def callbacks(server: WorkerTransport) -> Any:
    """Call again from a callback, as a worker does that trains on."""
    landed: list[int] = []
    done = threading.Event()

    def land(answered: Future[Any]) -> None:
        landed.append(answered.result().header.directive.push_at)
        if len(landed) < 5:
            server.pull(pull_header(iteration=-1)).add_done_callback(land)
        else:
            done.set()

    server.pull(pull_header(iteration=-1)).add_done_callback(land)
    return done.wait(TIMEOUT_S), landed


def landed_weights_stay(server: WorkerTransport) -> Any:
    """Weights belong to who pulled them: later pushes and pulls do not change them."""
    pulled = server.pull(pull_header())
    server.report(report_header()).result(TIMEOUT_S)
    while not pulled.done():
        server.report(report_header()).result(TIMEOUT_S)
    first = list(pulled.result().pieces)
    server.push(push_header(), split(ramp())).result(TIMEOUT_S)
    again = server.pull(pull_header())
    while not again.done():
        server.report(report_header()).result(TIMEOUT_S)
    return float(torch.cat(first).abs().sum()), bool(torch.equal(torch.cat(list(again.result().pieces)), ramp()))


def wait_for_the_end(server: WorkerTransport) -> Any:
    """Hold a pull until the server dies, then call once more."""
    error = server.pull(pull_header()).exception(TIMEOUT_S)
    later = server.push(push_header(), split(ramp())).exception(TIMEOUT_S)
    return type(error).__name__, type(later).__name__


def hold_for_ever(server: WorkerTransport) -> Any:
    """Hold a pull; whoever runs this is killed."""
    server.push(push_header(worker=5), split(ramp())).result(TIMEOUT_S)
    server.pull(pull_header(worker=5))
    return "holding"


def joined_again(server: WorkerTransport) -> Any:
    """Release what the dead one has left, and go on in its place."""
    server.report(report_header(worker=5)).result(TIMEOUT_S)
    answer = server.push(push_header(worker=5), split(ramp())).result(TIMEOUT_S)
    return answer.header.arrived_at_s
