"""The gate under a live clock: a lock, the clock, and one held reply for each worker that waits.

    call of a worker -> stimulus, stamped under the lock -> Gate.handle -> log, weights, replies

1. The gate's events of one stimulus are in the coordinator's socket before any reply that they cause is sent, so
   that a release which a worker acts on is in the log even if this process dies a moment later.
2. Replies are completed outside of the lock: a transport may run callbacks at once, which may call again.
3. A worker has at most one pull outstanding. What falls due without one waits for the next: a release takes the
   weights of that moment, of several directives the newest is told. Several of its pushes may be unanswered: a
   release answers those up to `acknowledged`, all of which are settled.
4. Pushes and reports of a worker are handled in the order of their ordinals, whichever arrives first.
5. At the start nobody is a member until all have said hello (or died): the first one to come would otherwise
   train alone. Workers then join in the order of their numbers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    Directive,
    DirectiveChanged,
    Event,
    Instruction,
    IterationReported,
    LeaveReason,
    PushArrived,
    PushDiscarded,
    Retuned,
    RunResumed,
    Stimulus,
    WakeAt,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.gate import Gate
from workers.clock import RunClock
from workers.server.weights import Weights
from workers.telemetry import Traffic
from workers.timer import Timer
from workers.transport.base import (
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    Reply,
    ReportHeader,
    SnapshotAnswer,
    num_bytes,
)

_NOTHING = Directive(push_at=0, max_ahead=0, alpha=0.0)  # fills the answer that says the run is over


@dataclass(slots=True)
class _Client:
    """What the server keeps for one life of a worker."""

    incarnation: int
    buffer: torch.Tensor  # its snapshot; its next pull proves that the last one has arrived
    settled: int  # own iterations up to this one are all applied or discarded
    reply: Reply[PullAnswer] | None = None  # its outstanding pull
    pulled_at_s: float = 0.0
    waits_with: int = 0  # iteration of the blocking push for whose answer it waits; 0: it does not
    due: WorkerReleased | None = None  # fell due with no pull outstanding
    directive: Directive | None = None  # newest one that it was not told yet
    arrivals: dict[int, float] = field(default_factory=dict)  # iteration of an unanswered push -> when it arrived
    unsettled: deque[int] = field(default_factory=deque)  # iterations of pushes, from the first one that is pending
    settled_early: set[int] = field(default_factory=set)  # those of them that are not pending
    next_ordinal: int = 0
    early: dict[int, Callable[[], None]] = field(default_factory=dict)  # overtook another message, by ordinal


class LiveGate:
    """See the head of this module. The handlers of a transport (`workers.transport.base.Handlers`)."""

    def __init__(
        self,
        gate: Gate,
        weights: Weights,
        clock: RunClock,
        *,
        emit: Callable[[Sequence[Event]], None],
        traffic: Traffic,
        expected: Collection[int],
        on_fault: Callable[[Exception], None],
    ) -> None:
        """Wait for the workers.

        Args:
            gate: fresh; from now on only this object asks it.
            weights: the first weights.
            clock: of the run.
            emit: writes events to the coordinator and returns when they are in its socket; keeps their order.
            traffic: counts the payload.
            expected: workers that must have said hello, or be lost, before anybody starts.
            on_fault: told when a stimulus could not be handled, after which the state cannot be trusted.
        """
        self._gate, self._weights, self._clock, self._emit, self._traffic = gate, weights, clock, emit, traffic
        self._on_fault = on_fault
        self._lock = threading.Lock()
        self._clients: dict[int, _Client] = {}
        self._expected = set(expected)
        self._hellos: dict[int, tuple[PullHeader, Reply[PullAnswer], float]] = {}  # and when it came
        self._outbox: list[Callable[[], None]] = []  # replies to complete once the lock is free
        self._snapshot = torch.empty_like(weights.flat)  # for the evaluator, which asks for one at a time
        self._timer = Timer()
        self._token = 0  # of the newest WakeAt
        self._is_over = False
        self.num_decisions = 0
        self._decision_s = 0.0  # CPU time spent in Gate.handle, in all

    @property
    def mean_decision_s(self) -> float:
        return self._decision_s / max(self.num_decisions, 1)

    # ---- what the workers call --------------------------------------------------------------------------

    def on_push(self, header: PushHeader, delta: Pieces, reply: Reply[PushAnswer]) -> None:
        with self._open():
            self._in_order(header, partial(self._push, header, delta, reply, None), reply)

    def on_push_pull(self, header: PushHeader, delta: Pieces, reply: Reply[PullAnswer]) -> None:
        with self._open():
            self._in_order(header, partial(self._push, header, delta, None, reply), reply)

    def on_report(self, header: ReportHeader) -> None:
        with self._open():
            self._in_order(header, partial(self._report, header), None)

    def on_pull(self, header: PullHeader, reply: Reply[PullAnswer]) -> None:
        with self._open():
            client = self._clients.get(header.worker)
            if header.is_joining and not self._is_over:
                self._hellos[header.worker] = header, reply, self._clock.now_s()
                self._start_when_complete()
            elif client is None or client.incarnation != header.incarnation:
                self._dismiss(reply)
            else:
                self._hold(client, reply)

    def on_snapshot(self, newer_than: int, reply: Reply[SnapshotAnswer]) -> None:
        with self._open():
            answer = SnapshotAnswer(self._weights.version, self._clock.now_s())
            pieces = self._weights.copy_to(self._snapshot) if answer.version > newer_than else ()
            self._outbox.append(partial(reply.complete, answer, pieces))

    # ---- what the coordinator says ----------------------------------------------------------------------

    def resume(self, resumed: RunResumed, retuned: Mapping[str, Any], forecaster: Mapping[str, Any]) -> None:
        """Put the gate into the state of a checkpoint, before any worker joins."""
        with self._open():
            self._handle(replace(resumed, at_s=self._clock.now_s()))
            if retuned or forecaster:
                self._handle(Retuned(self._clock.now_s(), dict(retuned), dict(forecaster)))

    def retune(self, params: Mapping[str, Any], forecaster: Mapping[str, Any]) -> None:
        """Change parameters of the policy and of its forecaster; they were checked."""
        with self._open():
            self._handle(Retuned(self._clock.now_s(), dict(params), dict(forecaster)))

    def lose(self, worker: int) -> None:
        """Take note that a worker's process is dead."""
        with self._open():
            self._expected.discard(worker)
            self._hellos.pop(worker, None)
            self._leave(worker, "died")
            self._start_when_complete()

    def stop(self) -> None:
        """Send everybody away; from now on nothing reaches the gate."""
        with self._open():
            self._is_over = True
            for _, reply, _ in self._hellos.values():
                self._dismiss(reply)
            self._hellos.clear()
            for worker in sorted(self._clients):
                self._leave(worker, "stopped")

    def checkpoint(self) -> tuple[torch.Tensor, torch.Tensor | None, int, dict[int, int]]:
        """Give copies of weights and velocity, the version, and for each worker the iterations that are in them."""
        with self._lock:
            weights = self._weights
            velocity = None if weights.velocity is None else weights.velocity.clone()
            return weights.flat.clone(), velocity, weights.version, self._gate.clocks()

    # ---- under the lock ---------------------------------------------------------------------------------

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Take the lock; afterwards complete the replies that have fallen due."""
        try:
            with self._lock:
                yield
                outbox, self._outbox = self._outbox, []
        except Exception as error:
            self._on_fault(error)
            raise
        for complete in outbox:
            complete()

    def _handle(self, stimulus: Stimulus) -> None:
        """Ask the gate and carry out what it says. Everything that happens passes here."""
        started_s = time.thread_time()
        instructions = self._gate.handle(stimulus)
        self._decision_s += time.thread_time() - started_s
        self.num_decisions += 1
        self._emit([stimulus, *instructions])
        for instruction in instructions:
            self._carry_out(instruction)

    def _carry_out(self, instruction: Instruction) -> None:
        match instruction:
            case AggregateApplied():
                self._weights.apply(instruction)
                for contribution in instruction.contributions:
                    self._settle(contribution.worker, contribution.iteration)
            case PushDiscarded():
                self._weights.drop(instruction.worker, instruction.iteration)
                self._settle(instruction.worker, instruction.iteration)
            case WorkerReleased():
                if client := self._clients.get(instruction.worker):
                    client.due, client.directive = instruction, None
                    self._answer(client)
            case DirectiveChanged():
                if client := self._clients.get(instruction.worker):
                    client.directive = instruction.directive
                    self._answer(client)
            case WakeAt():
                self._token = instruction.token
                delay_s = max(0.0, instruction.due_at_s - self._clock.now_s())
                self._timer.call_after(delay_s, partial(self._wake, instruction.token))
            case _:
                pass  # for those who read the log

    def _wake(self, token: int) -> None:
        with self._open():
            if token == self._token and not self._is_over:
                self._handle(DeadlinePassed(self._clock.now_s(), token))

    def _settle(self, worker: int, iteration: int) -> None:
        """Take note that a push is applied or discarded; the gate may choose them in any order."""
        client = self._clients.get(worker)
        if client and iteration in client.unsettled:  # otherwise it is of an earlier life
            client.settled_early.add(iteration)
            while client.unsettled and client.unsettled[0] in client.settled_early:
                client.settled = client.unsettled.popleft()
                client.settled_early.remove(client.settled)

    def _answer(self, client: _Client) -> None:
        """Answer the outstanding pull, if there is one, with what has fallen due, if anything has."""
        reply = client.reply
        if reply is None or (client.due is None and client.directive is None):
            return
        now_s, due, directive = self._clock.now_s(), client.due, client.directive
        client.reply = client.due = client.directive = None
        if due is None:
            assert directive is not None
            told = PullAnswer(directive, self._weights.version, client.settled, client.pulled_at_s, now_s)
            self._outbox.append(partial(reply.complete, told))
            return
        answered = [iteration for iteration in client.arrivals if iteration <= client.settled]
        answers, client.waits_with = client.waits_with or max(answered, default=0), 0
        arrived_at_s = client.arrivals[answers] if answers else client.pulled_at_s
        for iteration in answered:
            del client.arrivals[iteration]
        released_at_s = max(due.at_s, client.pulled_at_s)  # it may have waited for this pull
        told = PullAnswer(
            directive or due.directive,
            self._weights.version,
            client.settled,
            arrived_at_s,
            released_at_s,
            answers=answers,
        )
        pieces = self._weights.copy_to(client.buffer)
        self._traffic.sent_bytes += num_bytes(pieces)
        self._outbox.append(partial(reply.complete, told, pieces))

    def _hold(self, client: _Client, reply: Reply[PullAnswer]) -> None:
        client.reply, client.pulled_at_s = reply, self._clock.now_s()
        self._answer(client)

    def _dismiss(self, reply: Reply[PullAnswer]) -> None:
        now_s = self._clock.now_s()
        self._outbox.append(partial(reply.complete, PullAnswer(_NOTHING, 0, 0, now_s, now_s, is_over=True)))

    # ---- stimuli ----------------------------------------------------------------------------------------

    def _start_when_complete(self) -> None:
        """Let those who said hello join, once nobody is missing."""
        if not self._expected <= self._hellos.keys():
            return
        self._expected.clear()
        for worker, (header, reply, said_at_s) in sorted(self._hellos.items()):
            client = _Client(header.incarnation, torch.empty_like(self._weights.flat), header.iteration)
            client.reply, client.pulled_at_s = reply, said_at_s
            self._clients[worker] = client
            self._handle(WorkerJoined(self._clock.now_s(), worker, header.incarnation, header.iteration))
        self._hellos.clear()

    def _in_order(
        self, header: PushHeader | ReportHeader, action: Callable[[], None], reply: Reply[Any] | None
    ) -> None:
        """Run the action when all earlier messages of that worker were handled: mostly at once."""
        client = self._clients.get(header.worker)
        if client is None or client.incarnation != header.incarnation:
            if isinstance(header, PushHeader) and reply is not None:
                self._refuse(reply, header)
            return
        client.early[header.ordinal] = action
        while (next_action := client.early.pop(client.next_ordinal, None)) is not None:
            client.next_ordinal += 1
            next_action()

    def _refuse(self, reply: Reply[Any], header: PushHeader) -> None:
        if header.is_blocking:
            self._dismiss(reply)
        else:
            self._outbox.append(partial(reply.complete, PushAnswer(self._clock.now_s(), is_over=True)))

    def _push(
        self,
        header: PushHeader,
        delta: Pieces,
        push_reply: Reply[PushAnswer] | None,
        pull_reply: Reply[PullAnswer] | None,
    ) -> None:
        client = self._clients[header.worker]
        arrived_at_s = self._clock.now_s()
        stimulus = PushArrived(
            arrived_at_s,
            header.worker,
            header.iteration,
            header.num_iterations,
            header.compute_s,
            header.ended_at_s,
            header.pulled_version,
            header.is_blocking,
            header.down_s,
        )
        self._traffic.received_bytes += num_bytes(delta)
        client.arrivals[header.iteration] = arrived_at_s
        client.waits_with = header.iteration if header.is_blocking else 0
        client.unsettled.append(header.iteration)
        if pull_reply is not None:
            client.reply, client.pulled_at_s = pull_reply, arrived_at_s
        if push_reply is not None:
            self._outbox.append(partial(push_reply.complete, PushAnswer(arrived_at_s)))
        self._weights.keep(header.worker, header.iteration, delta)
        self._handle(stimulus)
        if pull_reply is not None:
            self._answer(client)  # a release may have fallen due before this pull came
        if header.is_last:
            self._leave(header.worker, "finished")

    def _report(self, header: ReportHeader) -> None:
        self._handle(
            IterationReported(
                self._clock.now_s(),
                header.worker,
                header.iteration,
                header.compute_s,
                header.ended_at_s,
                header.is_waiting,
                header.down_s,
            )
        )

    def _leave(self, worker: int, reason: LeaveReason) -> None:
        """Forget a worker and tell the gate, unless it has left before."""
        client = self._clients.pop(worker, None)
        if client is None:
            return
        if client.reply is not None:
            self._dismiss(client.reply)
        self._handle(WorkerLeft(self._clock.now_s(), worker, reason))
