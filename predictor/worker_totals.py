"""Where one worker's time went, folded event by event; `predictor.summary` holds one for each worker.

A worker's time, from its joining to its leaving (or to the newest event, while it lives), is

* compute    its iterations,
* transfer   not computing while a message travels: before a push arrived, after a release, the last push,
* wait       not computing between the two,
* and what is left over, e.g. the part of the running iteration.

No moment counts twice. A wait that has no end yet counts up to the newest event.

Beside it, how the forecasts of its iterations held. The first `WARM_UP` iterations of each life are not judged: a
forecaster starts afresh with a life, and has yet to learn.
"""

from __future__ import annotations

from dataclasses import dataclass

from predictor.events import (
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    PushArrived,
    WorkerJoined,
)

WARM_UP = 20  # iterations of a life whose forecasts are not judged


@dataclass(slots=True)
class WorkerTotals:
    """Totals of one worker over all its lives, and where its present one stands."""

    worker: int
    num_iterations: int = 0
    compute_s: float = 0.0
    overlapped_s: float = 0.0
    wait_s: float = 0.0
    transfer_s: float = 0.0
    sent_bytes: int = 0
    received_bytes: int = 0
    interval_s: float = 0.0  # sum over `num_intervals`
    num_intervals: int = 0
    clock: int = 0
    lived_s: float = 0.0  # in lives that have ended
    joined_at_s: float | None = None  # of the present life
    left_at_s: float | None = None  # of the last life
    computed_until_s: float = 0.0  # what lies before was counted
    blocked_until_s: float = 0.0
    released_at_s: float | None = None  # the release that no push has followed yet
    push_ended_at_s: float = 0.0  # when the iteration of its newest push ended
    waits_from_s: float | None = None  # known to wait, by what the gate saw
    waits_until_s: float | None = None  # it was released since
    judged_from: int = WARM_UP + 1  # the first iteration of the present life whose forecast is judged
    forecast: list[float] | None = None  # of the running iteration: its number, start, expected end, low, high
    num_forecasts: int = 0  # judged
    num_covered: int = 0  # of them
    error_share: float = 0.0  # sum over `num_forecasts` of the error, as a share of how long the iteration took
    width_share: float = 0.0  # likewise of the width of the window

    def compute(self, event: IterationFinished) -> None:
        compute_s = min(event.compute_s, max(0.0, event.at_s - self.computed_until_s))
        self.num_iterations += 1
        self.compute_s += compute_s
        self.overlapped_s += min(event.overlapped_s, compute_s)
        self.computed_until_s = max(self.computed_until_s, event.at_s)
        self._extend(event.started_at_s, event.at_s)

    def exchange(self, event: ExchangeFinished) -> None:
        self.sent_bytes += event.sent_bytes
        self.received_bytes += event.received_bytes
        from_s = event.blocked_from_s
        if from_s is None:
            return
        is_before_life = self.joined_at_s is None and (self.left_at_s is None or from_s >= self.left_at_s)
        if is_before_life and event.iteration == 0:
            from_s = max(from_s, event.arrived_at_s)  # its joining, which this line of the log has overtaken
        self.block(from_s, event.arrived_at_s, event.released_at_s, event.at_s)
        self._extend(from_s, event.at_s)

    def _extend(self, from_s: float, until_s: float) -> None:
        """Let a life last to the end of what began in it, also where that is told after its leaving."""
        if self.joined_at_s is None and self.left_at_s is not None and from_s < self.left_at_s < until_s:
            self.lived_s += until_s - self.left_at_s
            self.left_at_s = until_s

    def block(self, from_s: float, arrived_at_s: float, released_at_s: float, until_s: float) -> None:
        """Count the time in which it did not compute, but for what was counted before."""
        from_s = max(from_s, self.blocked_until_s)
        if until_s <= from_s:
            return
        up_s = max(0.0, min(arrived_at_s, until_s) - from_s)
        down_s = max(0.0, until_s - max(released_at_s, arrived_at_s, from_s))
        self.transfer_s += up_s + down_s
        self.wait_s += max(0.0, until_s - from_s - up_s - down_s)
        self.blocked_until_s = until_s

    def open_wait_s(self, newest_s: float) -> float:
        """Give the wait whose end no `ExchangeFinished` has told yet."""
        if self.waits_from_s is None or self.waits_from_s < self.blocked_until_s:
            return 0.0
        return max(0.0, (newest_s if self.waits_until_s is None else self.waits_until_s) - self.waits_from_s)

    def expect(self, event: ForecastUpdated) -> None:
        """Keep what is forecast of the running iteration."""
        window = [event.started_at_s, event.expected_at_s, event.low_at_s, event.high_at_s]
        self.forecast = [event.iteration, *window]

    def judge(self, event: PushArrived | IterationReported) -> None:
        """Hold the end of an iteration against its forecast, if there is one."""
        forecast, self.forecast = self.forecast, None
        if forecast is None or forecast[0] != event.iteration or event.iteration < self.judged_from:
            return
        _, started_at_s, expected_at_s, low_at_s, high_at_s = forecast
        took_s = event.ended_at_s - started_at_s
        if took_s <= 0:
            return  # nothing to take a share of
        self.num_forecasts += 1
        self.num_covered += low_at_s <= event.ended_at_s <= high_at_s
        self.error_share += abs(event.ended_at_s - expected_at_s) / took_s
        self.width_share += (high_at_s - low_at_s) / took_s

    def join(self, event: WorkerJoined) -> None:
        at_s = event.at_s
        self.wait_s += self.open_wait_s(at_s)
        self.joined_at_s, self.clock, self.waits_from_s = at_s, event.iteration, None
        self.forecast, self.judged_from = None, event.iteration + WARM_UP + 1
        self.blocked_until_s = max(self.blocked_until_s, at_s)  # it may have waited for the others to come

    def leave(self, at_s: float, has_finished: bool = False) -> None:
        """End the present life. What ended in it but is told later still counts."""
        if self.joined_at_s is None:
            return
        if has_finished:
            self.transfer_s += max(0.0, at_s - max(self.push_ended_at_s, self.blocked_until_s))
        if self.waits_until_s is None:
            self.waits_until_s = at_s
        self.left_at_s = max(at_s, self.computed_until_s, self.blocked_until_s)
        self.lived_s += max(0.0, self.left_at_s - self.joined_at_s)
        self.joined_at_s = self.released_at_s = None

    def wall_s(self, newest_s: float) -> float:
        """Give the length of its lives, never less than what is known to have happened in them."""
        wall_s = self.lived_s
        if self.joined_at_s is not None:
            wall_s += max(0.0, newest_s - self.joined_at_s)
        return max(wall_s, self.compute_s + self.transfer_s + self.wait_s + self.open_wait_s(newest_s))
