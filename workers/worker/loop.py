"""The training loop of a worker. It knows no policy: it follows the directive that came with the last answer.

    at every boundary between two iterations
        take in what has landed: go on from it and from the own steps that are not in it (`own_steps.py`)
        push    at iteration >= directive.push_at, once the last push is acknowledged by what has landed
                (push_after "merged") or the server has it ("received"); neither is waited for
        report  otherwise
        wait    when the push is to be waited for (max_ahead = 0), or max_ahead iterations past a push in flight:
                for weights that include it, unless the next one is to follow once it is "received";
                or for newer weights where it pushes and the last ones landed more than patience_s ago

The stamps of a worker's life are gapless: an iteration starts when the one before it has ended, or when the weights
have landed that it waited for. So compute, wait and transfer add up to the wall time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from torch.nn import functional

from predictor.events import Directive, Event, IterationFinished
from predictor.speeds import SpeedModel
from workers.batches import Batches
from workers.clock import RunClock
from workers.flat import FlatModel
from workers.telemetry import Telemetry
from workers.worker.link import Landing, Link, Step
from workers.worker.optimizer import Optimizer
from workers.worker.own_steps import OwnSteps


@dataclass(slots=True)
class Worker:
    """What a worker trains with."""

    worker: int
    model: FlatModel
    batches: Batches
    speed: SpeedModel
    optimizer: Optimizer
    link: Link
    clock: RunClock
    telemetry: Telemetry
    stopping: threading.Event


def train(me: Worker, started_at_s: float, iteration: int, last_iteration: int | None) -> None:
    """Train until the last iteration is done or the run is over.

    Args:
        me: what to train with.
        started_at_s: begin of this life, from where its stamps are gapless.
        iteration: iterations that this worker has done in an earlier life.
        last_iteration: iterations to do in all; None: until it is told to stop.

    Raises:
        TransportError: the server is lost.
    """
    link, clock, gradient = me.link, me.clock, me.model.gradient
    own = OwnSteps(me.model.weights, iteration)
    state = _State(me, own)

    link.join(iteration)
    now_s = state.wait(started_at_s, iteration)  # for the first weights
    while not state.is_over:
        if state.directive.max_ahead > 0 or state.directive.push_at > iteration + 1:
            link.keep_pulling()  # weights or another directive may come while it trains

        # One step on the next minibatch, padded to the time that it shall take.
        started_s, version = now_s, state.version
        images, labels, epoch = me.batches.batch(iteration)
        gradient.zero_()
        loss = functional.cross_entropy(me.model.model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        own.add(me.optimizer.step(gradient))
        target_s = me.speed.duration_s(iteration, started_s)
        if me.stopping.wait(max(0.0, started_s + target_s - clock.now_s())):
            break
        iteration += 1
        now_s = clock.now_s()
        compute_s = now_s - started_s

        landings = link.take()
        busy = compute_s, target_s, loss.item(), len(labels), _in_flight_s(own, landings, started_s, now_s)
        me.telemetry.emit(IterationFinished(now_s, me.worker, iteration, epoch, started_s, *busy))

        # The boundary.
        state.take(landings)
        directive = state.directive
        done = Step(iteration, compute_s, now_s)
        if iteration == last_iteration:
            link.push(done, own, version, is_blocking=False, is_last=True)
            link.leave()
            break
        may_push = link.is_uplink_free if directive.push_after == "received" else not own.is_in_flight
        if iteration >= directive.push_at and may_push:
            is_waiting = directive.max_ahead == 0 or state.is_impatient(now_s)
            link.push(done, own, version, is_blocking=is_waiting)
        else:
            is_waiting = own.is_in_flight and iteration - own.pushed_at >= directive.max_ahead
            link.report(done, is_waiting=is_waiting)
        if is_waiting:
            now_s = state.wait(now_s, iteration)


def _in_flight_s(own: OwnSteps, landings: list[Landing], started_s: float, ended_s: float) -> float:
    """Give for how long of an iteration any push was in flight: from its start to the newest one's answer, or all."""
    if not own.is_in_flight:
        return 0.0
    answered_s = [one.at_s for one in landings if one.pieces and one.header.acknowledged >= own.pushed_at]
    return max(0.0, min([ended_s, *answered_s]) - started_s)


class _State:
    """What the last answers of the server left behind: the directive, the version, the merged weights."""

    def __init__(self, me: Worker, own: OwnSteps) -> None:
        self._me, self._own = me, own
        self.directive = Directive(push_at=0, max_ahead=0, alpha=0.0)  # none was given yet
        self.version = 0  # of the pulled weights
        self.landed_at_s = 0.0  # when they landed
        self.is_over = False

    def is_impatient(self, now_s: float) -> bool:
        """Tell whether the weights are so old that it is better to wait for others."""
        patience_s = self.directive.patience_s
        return patience_s is not None and now_s - self.landed_at_s > patience_s

    def take(self, landings: list[Landing], blocked_from_s: float | None = None) -> float | None:
        """Merge what has landed, oldest first.

        Returns:
            When the last weights landed; None: there were none.
        """
        landed_at_s = None
        for landing in landings:
            self.is_over = self.is_over or landing.header.is_over
            if self.is_over:
                break
            self.directive = landing.header.directive
            if landing.pieces:
                self._merge(landing)
                self._emit(self._me.link.exchange(landing, blocked_from_s))
                blocked_from_s = None if blocked_from_s is None else landing.at_s
                landed_at_s = landing.at_s
        return landed_at_s

    def wait(self, blocked_from_s: float, iteration: int) -> float:
        """Wait for new weights or the end of the run; return when they landed, or now.

        Args:
            blocked_from_s: since when it waits.
            iteration: completed count.
        """
        me = self._me
        while not self.is_over:
            me.link.keep_pulling()  # the last pull may have brought a directive, or weights without its push
            landed_at_s = self.take(me.link.wait(me.stopping.is_set), blocked_from_s)
            if landed_at_s is not None:
                if not self._is_at_cap(iteration):
                    return landed_at_s
                blocked_from_s = landed_at_s  # they crossed its push; what comes up to here was counted
            self.is_over = self.is_over or me.stopping.is_set()
        return me.clock.now_s()

    def _is_at_cap(self, iteration: int) -> bool:
        """Tell whether it may not go on before weights land that include its newest push."""
        own, directive = self._own, self.directive
        if directive.push_after == "received" or not own.is_in_flight:
            return False
        return iteration - own.pushed_at >= directive.max_ahead

    def _merge(self, landing: Landing) -> None:
        self._own.merge(landing.pieces, landing.header.acknowledged, self.directive)
        self.version = landing.header.version
        self.landed_at_s = landing.at_s

    def _emit(self, event: Event) -> None:
        self._me.telemetry.emit(event)
