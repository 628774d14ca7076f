"""A worker's end of the wire: what is outstanding, what has landed and when.

Landings arrive in threads of the transport; they are stamped there and wait for the worker's next boundary.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from predictor.events import ExchangeFinished
from workers.clock import RunClock
from workers.telemetry import Traffic
from workers.transport.base import (
    Answer,
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    ReportHeader,
    WorkerTransport,
    num_bytes,
    split,
)
from workers.worker.own_steps import OwnSteps


@dataclass(frozen=True, slots=True)
class Step:
    """The iteration that a message to the server is about."""

    iteration: int
    compute_s: float
    ended_at_s: float


@dataclass(frozen=True, slots=True)
class Landing:
    """An answer of the server: new weights, or (no pieces) a directive only."""

    at_s: float
    header: PullAnswer
    pieces: Pieces


class Link:
    """One push on its way up and one pull outstanding, at most. Called by one thread, the worker's main thread.

    A push has left the uplink when its answer has come; weights that include it may land much later, and other pushes
    may follow it meanwhile.
    """

    def __init__(self, transport: WorkerTransport, clock: RunClock, traffic: Traffic, worker: int, incarnation: int):
        self._transport, self._clock, self._traffic = transport, clock, traffic
        self._worker, self._incarnation = worker, incarnation
        self._changed = threading.Condition()
        self._landings: list[Landing] = []
        self._is_pulling = False
        self._is_leaving = False
        self._error: BaseException | None = None
        self._pushing: Future[Answer[PushAnswer]] | None = None
        self._num_messages = 0
        self._iteration = 0  # completed
        self._sent: dict[int, tuple[float, int]] = {}  # iteration of a push -> (when it was sent, bytes)
        self._answered: tuple[int, float, float] | None = None  # push that was answered last: sent and arrived when
        self._hello_at_s = 0.0
        self._down_s = 0.0  # how long the weights travelled that were taken since the last message

    @property
    def is_uplink_free(self) -> bool:
        """Tell whether the server has the last push, so that another one can be sent without waiting."""
        return self._pushing is None or self._pushing.done()

    # ---- what the worker sends --------------------------------------------------------------------------

    def join(self, iteration: int) -> None:
        """Say hello; the first weights land when the gate releases them."""
        self._iteration = iteration
        self._hello_at_s = self._clock.now_s()
        self._pull(is_joining=True)

    def keep_pulling(self) -> None:
        """See to it that a pull is outstanding, so that weights and directives reach a worker that trains on."""
        if not self._is_pulling:
            self._pull()

    def push(self, step: Step, own: OwnSteps, version: int, *, is_blocking: bool, is_last: bool = False) -> None:
        """Push the own steps since the last push.

        Args:
            step: the iteration that has just ended.
            own: gives the delta.
            version: of the weights that the worker computed on.
            is_blocking: it goes on only when it is released.
            is_last: it has done all its iterations; nothing comes back.
        """
        self._await_uplink()
        delta, num_iterations = own.cut(step.iteration)
        header = PushHeader(
            self._worker,
            self._incarnation,
            self._next_ordinal(),
            step.iteration,
            num_iterations,
            step.compute_s,
            step.ended_at_s,
            version,
            is_blocking,
            is_last,
            self._told_down_s(),
        )
        self._iteration = step.iteration
        pieces = split(delta)
        self._sent[step.iteration] = self._clock.now_s(), num_bytes(pieces)
        self._traffic.sent_bytes += num_bytes(pieces)
        if is_blocking and not self._is_pulling:
            self._is_pulling = True
            self._transport.push_pull(header, pieces).add_done_callback(self._land)
        else:
            self._pushing = self._transport.push(header, pieces)
            self._pushing.add_done_callback(self._note_failure)

    def report(self, step: Step, *, is_waiting: bool) -> None:
        """Tell of a boundary without a push."""
        self._iteration = step.iteration
        header = ReportHeader(
            self._worker,
            self._incarnation,
            self._next_ordinal(),
            step.iteration,
            step.compute_s,
            step.ended_at_s,
            is_waiting,
            self._told_down_s(),
        )
        self._transport.report(header).add_done_callback(self._note_failure)

    def leave(self) -> None:
        """Wait until the last push is taken; what lands later is of no interest."""
        self._await_uplink()
        self._is_leaving = True

    # ---- what lands -------------------------------------------------------------------------------------

    def take(self) -> list[Landing]:
        """Give what has landed since the last call, oldest first.

        Raises:
            TransportError: the server is lost.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            landings, self._landings = self._landings, []
        for landing in landings:
            if landing.pieces:
                self._down_s = max(0.0, landing.at_s - landing.header.released_at_s)
        return landings

    def wait(self, is_interrupted: Callable[[], bool]) -> list[Landing]:
        """Wait until something has landed and give it, as `take`; nothing when `is_interrupted` came first."""
        with self._changed:
            self._changed.wait_for(lambda: self._landings or self._error is not None or is_interrupted())
        return self.take()

    def interrupt(self) -> None:
        """Let a waiting worker look around; from any thread."""
        with self._changed:
            self._changed.notify_all()

    def exchange(self, landing: Landing, blocked_from_s: float | None) -> ExchangeFinished:
        """Say of new weights which push they answer and what the way there and back took.

        Where they answer none, the one that was answered last stands there.
        """
        if blocked_from_s is not None:  # the landing may have been stamped while its iteration was
            blocked_from_s = min(blocked_from_s, landing.at_s)
        header = landing.header
        if header.answers:
            self._answered = header.answers, self._sent[header.answers][0], header.arrived_at_s
        elif self._answered is None:
            self._answered = 0, self._hello_at_s, header.arrived_at_s
        settled = [iteration for iteration in self._sent if iteration <= header.acknowledged]
        sent_bytes = sum(self._sent.pop(iteration)[1] for iteration in settled)
        return ExchangeFinished(
            landing.at_s,
            self._worker,
            self._answered[0],
            header.version,
            *self._answered[1:],
            header.released_at_s,
            blocked_from_s,
            sent_bytes,
            num_bytes(landing.pieces),
        )

    # ---- inside -----------------------------------------------------------------------------------------

    def _pull(self, is_joining: bool = False) -> None:
        self._is_pulling = True
        header = PullHeader(self._worker, self._incarnation, self._iteration, is_joining)
        self._transport.pull(header).add_done_callback(self._land)

    def _land(self, answered: Future[Answer[PullAnswer]]) -> None:
        """Stamp an answer; where the worker trains on, ask again at once."""
        at_s = self._clock.now_s()
        if answered.exception() is not None:
            self._note_failure(answered)
            return
        answer = answered.result()
        self._traffic.received_bytes += num_bytes(answer.pieces)
        goes_on = answer.header.directive.max_ahead > 0 and not answer.header.is_over
        with self._changed:
            self._landings.append(Landing(at_s, answer.header, answer.pieces))
            self._is_pulling = goes_on
            self._changed.notify_all()
        if goes_on:  # outside of the lock and last: the next answer may land before the call returns
            self._pull()

    def _note_failure(self, answered: Future[Any]) -> None:
        error = answered.exception()
        if error is None or self._is_leaving:
            return
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def _await_uplink(self) -> None:
        """Wait until the push on its way is taken.

        Raises:
            TransportError: it was not.
        """
        if self._pushing is not None:
            self._pushing.result()
            self._pushing = None

    def _told_down_s(self) -> float:
        """Give how long the newest weights travelled, once."""
        down_s, self._down_s = self._down_s, 0.0
        return down_s

    def _next_ordinal(self) -> int:
        self._num_messages += 1
        return self._num_messages - 1
