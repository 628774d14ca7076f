"""A live gate with a policy written by the test, and workers that are plain calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch

from predictor.events import Directive, Event, PushArrived, Stimulus, WorkerJoined
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies.base import Cluster, Verdict
from workers.clock import RunClock
from workers.server.live_gate import LiveGate
from workers.server.weights import Weights
from workers.telemetry import Traffic
from workers.transport.base import Answer, Pieces, PullHeader, PushHeader, ReportHeader

NUM_PARAMETERS = 4
TIMEOUT_S = 30.0

Decide = Callable[[Cluster, Stimulus], Verdict]


def directive(push_at: int = 1) -> Directive:
    return Directive(push_at, max_ahead=2, alpha=0.5)


def welcome(cluster: Cluster, stimulus: Stimulus) -> Verdict:
    """Release who joins; nothing else."""
    verdict = Verdict()
    if isinstance(stimulus, WorkerJoined):
        verdict.release.append((stimulus.worker, directive(), "welcome"))
    return verdict


def apply_at_once(cluster: Cluster, stimulus: Stimulus) -> Verdict:
    """Apply each push with scale 1 and release its worker."""
    verdict = welcome(cluster, stimulus)
    if isinstance(stimulus, PushArrived):
        verdict.apply, verdict.scale, verdict.apply_reason = [cluster.pending[-1]], 1.0, "at once"
        verdict.release.append((stimulus.worker, directive(stimulus.iteration + 1), "released"))
    return verdict


@dataclass(frozen=True)
class ScriptedParams:
    """Parameters of a policy that does what a function says."""

    decide: Decide
    name: str = "scripted"

    def build(self) -> Scripted:
        return Scripted(self)


@dataclass
class Scripted:
    params: ScriptedParams
    forecasts = False

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        return self.params.decide(cluster, stimulus)


class FutureReply:
    """A reply whose keeping can be seen. It copies nothing: the server must leave alone what it has sent."""

    def __init__(self) -> None:
        self.future: Future[Any] = Future()

    def complete(self, header: Any, pieces: Pieces = ()) -> None:
        self.future.set_result(Answer(header, pieces))

    @property
    def is_kept(self) -> bool:
        return self.future.done()

    @property
    def header(self) -> Any:
        return self.future.result(TIMEOUT_S).header

    @property
    def weights(self) -> list[float]:
        pieces = self.future.result(TIMEOUT_S).pieces
        return torch.cat(list(pieces)).tolist() if pieces else []


@dataclass
class Server:
    """The live gate under test, and what it has said."""

    decide: Decide = apply_at_once
    expected: Collection[int] = (0,)
    events: list[Event] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    on_emit: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.weights = Weights(torch.zeros(NUM_PARAMETERS))
        self.traffic, self.clock = Traffic(), RunClock()
        self.ordinals: dict[int, int] = {}
        self.gate = LiveGate(
            Gate(ScriptedParams(self.decide), EwmaParams()),
            self.weights,
            self.clock,
            emit=self._emit,
            traffic=self.traffic,
            expected=self.expected,
            on_fault=self.faults.append,
        )

    def _emit(self, events: Sequence[Event]) -> None:
        self.on_emit()
        self.events += events

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def join(self, worker: int = 0, iteration: int = 0) -> FutureReply:
        return self.pull(worker, iteration, is_joining=True)

    def pull(self, worker: int = 0, iteration: int = 0, is_joining: bool = False) -> FutureReply:
        reply = FutureReply()
        self.gate.on_pull(PullHeader(worker, 0, iteration, is_joining), reply)
        return reply

    def push(
        self,
        iteration: int,
        value: float = 1.0,
        worker: int = 0,
        ordinal: int | None = None,
        is_last: bool = False,
        down_s: float = 0.0,
    ) -> FutureReply:
        reply = FutureReply()
        header = self._push_header(worker, iteration, ordinal, False, is_last, down_s)
        self.gate.on_push(header, delta_of(value), reply)
        return reply

    def push_pull(self, iteration: int, value: float = 1.0, worker: int = 0) -> FutureReply:
        reply = FutureReply()
        self.gate.on_push_pull(self._push_header(worker, iteration, None, True, False), delta_of(value), reply)
        return reply

    def report(self, iteration: int, worker: int = 0, ordinal: int | None = None, down_s: float = 0.0) -> None:
        ordinal = self._ordinal(worker, ordinal)
        self.gate.on_report(ReportHeader(worker, 0, ordinal, iteration, 0.1, 0.0, False, down_s))

    def _push_header(
        self,
        worker: int,
        iteration: int,
        ordinal: int | None,
        is_blocking: bool,
        is_last: bool,
        down_s: float = 0.0,
    ) -> PushHeader:
        ordinal = self._ordinal(worker, ordinal)
        return PushHeader(worker, 0, ordinal, iteration, 1, 0.1, 0.0, 0, is_blocking, is_last, down_s)

    def _ordinal(self, worker: int, ordinal: int | None) -> int:
        if ordinal is None:
            ordinal = self.ordinals.get(worker, 0)
            self.ordinals[worker] = ordinal + 1
        return ordinal


def delta_of(value: float) -> Pieces:
    return [torch.full((NUM_PARAMETERS,), value)]
