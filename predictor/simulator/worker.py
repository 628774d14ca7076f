"""A worker in virtual time: what `workers/worker/loop.py` keeps in mind, without weights."""

from __future__ import annotations

from collections import deque

from predictor.events import Directive, ExchangeFinished, IterationFinished, IterationReported, WorkerReleased
from predictor.simulator.scenario import WorkerTimes
from predictor.speeds import SpeedModel, Transfer


class Exchange:
    """One push on its way and its answer. Times in seconds on the virtual clock."""

    __slots__ = ("arrived_s", "iteration", "sent_s")

    def __init__(self, iteration: int, sent_s: float, arrived_s: float) -> None:
        self.iteration, self.sent_s, self.arrived_s = iteration, sent_s, arrived_s


class VirtualWorker:
    """State of one worker.

    A push is in flight from its sending until weights land that include it. Messages of one worker reach the
    server in the order in which they were sent: a report that follows a push on the link arrives with it.
    """

    __slots__ = (
        "answered",
        "behind",
        "blocked_from_s",
        "clock",
        "compute_s",
        "compute_started_s",
        "computed_version",
        "directive",
        "down_s",
        "duration_s",
        "has_weights",
        "hop_s",
        "in_flight",
        "incarnation",
        "is_alive",
        "is_pull_held",
        "iteration",
        "joined_s",
        "joined_with",
        "landed",
        "landed_s",
        "late_directive",
        "late_release",
        "num_done",
        "num_travelling",
        "overlapped_until_s",
        "pushed",
        "released_s",
        "settled",
        "transfer",
        "transfer_s",
        "uplink_free_s",
        "version",
        "wait_s",
        "wall_s",
        "worker",
    )

    def __init__(self, worker: int, speed: SpeedModel, transfer: Transfer) -> None:
        self.worker, self.duration_s, self.transfer = worker, speed.duration_s, transfer
        # One way of a message where it is always the same; None: the link is asked.
        self.hop_s = transfer.transfer_s / 2 if type(transfer) is Transfer and transfer.cv == 0 else None
        self.incarnation = 0  # of its newest life
        self.iteration = 0  # completed; a worker that joins in mid-run begins with the clock of the slowest
        self.clock = 0  # iterations whose pushes have arrived, at the end of its last life
        self.num_done = 0  # iterations of the lives that have ended
        self.has_weights = False
        self.compute_s = self.wait_s = self.transfer_s = 0.0
        self.wall_s = 0.0  # of the lives that have ended
        self._begin(0.0, 0)

    def _begin(self, at_s: float, iteration: int) -> None:
        """Begin a life that nothing of the one before enters."""
        self.is_alive = True
        self.joined_s, self.joined_with = at_s, iteration
        self.landed_s = at_s  # when weights landed last
        self.iteration = iteration
        self.settled = 0  # own iterations up to this one are in the server's weights, or discarded
        self.in_flight: deque[Exchange] = deque()  # pushes that weights have not answered yet, oldest first
        self.landed: list[tuple[WorkerReleased, int]] = []  # to merge at the next boundary, with what is settled
        self.down_s = 0.0  # how long the newest weights travelled that landed since its last message
        self.version = 0  # of the weights that landed last; they are merged at the next boundary
        self.computed_version = 0  # of the weights that the running iteration computes on
        self.directive = Directive(push_at=1, max_ahead=0, alpha=0.0)
        self.pushed = self.answered = Exchange(0, at_s, at_s)  # newest push; newest push that is acknowledged
        self.num_travelling = 0  # messages on their way to the server
        self.is_pull_held = True  # the server holds a pull of this worker
        self.late_release: WorkerReleased | None = None  # fell due while no pull was held
        self.late_directive: Directive | None = None
        self.released_s: float | None = None  # of weights on their way
        self.compute_started_s: float | None = None  # of the running iteration
        self.overlapped_until_s = 0.0  # the running iteration had a push in flight up to here
        self.blocked_from_s: float | None = at_s  # it does not compute; workers start without weights
        self.uplink_free_s = at_s  # its own half of the way up, where the other half is shared
        self.behind: list[IterationReported] = []  # reports that arrive with the newest push, it is not known when

    def stay_away(self) -> None:
        """Be absent from the start; its first life begins when it joins."""
        self.is_alive, self.incarnation = False, -1

    def join(self, at_s: float, clock: int) -> None:
        """Begin a life in mid-run, for which even the first weights travel."""
        self.incarnation += 1
        self._begin(at_s, clock)
        self.has_weights = True

    @property
    def is_pulling(self) -> bool:
        """Tell whether a pull is outstanding: held by the server, or answered with weights on their way."""
        return self.is_pull_held or self.released_s is not None

    @property
    def is_at_cap(self) -> bool:
        """Tell whether it may not go on before weights land that hold its newest push."""
        directive = self.directive
        if directive.push_after == "received" or not self.in_flight:
            return False
        return self.iteration - self.pushed.iteration >= directive.max_ahead

    def unblock(self, at_s: float, exchange: Exchange) -> None:
        """Count the time in which it did not compute: on the way up, at the server, on the way down."""
        if self.blocked_from_s is None:
            return
        from_s, arrived_s = self.blocked_from_s, exchange.arrived_s
        up_s = max(0.0, min(arrived_s, at_s) - from_s)
        down_s = 0.0 if self.released_s is None else max(0.0, at_s - max(self.released_s, arrived_s, from_s))
        self.transfer_s += up_s + down_s
        wait_s = at_s - from_s - up_s - down_s
        if wait_s > 0:
            self.wait_s += wait_s
        self.blocked_from_s = None

    def waits_with(self) -> Exchange:
        """Give the push whose answer it waits for, be it in those weights or not: the newest.

        Unless the weights were sent before that one arrived, as to a worker that waits for any news.
        """
        was_sent_before = self.released_s is not None and self.released_s < self.pushed.arrived_s
        return self.answered if was_sent_before else self.pushed

    def take_answers(self, settled: int) -> int:
        """Take note that weights have landed which settle own iterations; give how many pushes they answer."""
        num = 0
        while self.in_flight and self.in_flight[0].iteration <= settled:
            self.answered = self.in_flight.popleft()
            num += 1
        return num

    def leave(self, at_s: float, clock: int) -> None:
        """End its life, in which `clock` iterations were pushed; what it was doing is counted up to now."""
        if self.compute_started_s is not None:
            self.compute_s += at_s - self.compute_started_s
            self.compute_started_s = None
        self.unblock(at_s, self.pushed)
        self.is_alive, self.clock = False, clock
        self.num_done += self.iteration - self.joined_with
        self.wall_s += at_s - self.joined_s

    def overlapped_s(self, at_s: float) -> float:
        """Give for how long of the iteration that ends now a push was in flight, from its start on."""
        started_s = at_s if self.compute_started_s is None else self.compute_started_s
        return max(0.0, min(at_s, self.overlapped_until_s) - started_s)

    def iteration_finished(self, at_s: float, compute_s: float, loss: float, num_samples: int) -> IterationFinished:
        """Describe the iteration that ends now."""
        return IterationFinished(
            at_s=at_s,
            worker=self.worker,
            iteration=self.iteration,
            epoch=0,
            started_at_s=at_s if self.compute_started_s is None else self.compute_started_s,
            compute_s=compute_s,
            target_s=compute_s,
            loss=loss,
            num_samples=num_samples,
            overlapped_s=self.overlapped_s(at_s),
        )

    def exchange_finished(
        self, at_s: float, released: WorkerReleased, sent_bytes: int, received_bytes: int
    ) -> ExchangeFinished:
        """Describe new weights; where they answer no newer push, the one that was answered last stands there."""
        push = self.answered if self.blocked_from_s is None else self.waits_with()
        return ExchangeFinished(
            at_s=at_s,
            worker=self.worker,
            iteration=push.iteration,
            version=released.version,
            sent_at_s=push.sent_s,
            arrived_at_s=push.arrived_s,
            released_at_s=released.at_s,
            blocked_from_s=self.blocked_from_s,
            sent_bytes=sent_bytes,
            received_bytes=received_bytes,
        )

    def times(self) -> WorkerTimes:
        """Give the figures of its life."""
        return WorkerTimes(self.worker, self.num_done, self.compute_s, self.wait_s, self.transfer_s, self.wall_s)
