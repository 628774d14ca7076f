"""What is special to `predictive`; its general properties are tested over the simulator."""

from __future__ import annotations

import itertools

from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    DirectiveChanged,
    IterationReported,
    PushArrived,
    SyncPlanned,
    WakeAt,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies import PredictiveParams


def of(kind, instructions):
    return [one for one in instructions if isinstance(one, kind)]


class Driver:
    """Workers of given speeds that follow their directives; transfers take no time."""

    def __init__(self, durations, params=None):
        self.gate = Gate(params or PredictiveParams(), EwmaParams())
        self.durations, self.log, self.waiting = durations, [], set()
        self.iteration = [0] * len(durations)
        self.pushed = [0] * len(durations)
        self.acknowledged = [0] * len(durations)
        self.directive = [None] * len(durations)
        self.ends = {}
        self.wake = None
        for worker in range(len(durations)):
            self.take(WorkerJoined(0.0, worker, 0, 0))
        for worker, duration in enumerate(durations):
            self.ends[worker] = duration

    def take(self, stimulus):
        instructions = self.gate.handle(stimulus)
        self.log += instructions
        for one in instructions:
            if isinstance(one, WorkerReleased):
                self.acknowledged[one.worker] = one.acknowledged
                if one.worker in self.waiting:
                    self.waiting.discard(one.worker)
                    self.ends[one.worker] = one.at_s + self.durations[one.worker]
            if isinstance(one, WorkerReleased | DirectiveChanged):
                self.directive[one.worker] = one.directive
            if isinstance(one, WakeAt):
                self.wake = (one.due_at_s, one.token)
        return instructions

    def step(self):
        """Go to the next boundary or wake-up."""
        worker = min(self.ends, key=lambda w: (self.ends[w], w))
        if self.wake and self.wake[0] <= self.ends[worker]:
            (at_s, token), self.wake = self.wake, None
            return self.take(DeadlinePassed(at_s, token))
        at_s = self.ends.pop(worker)
        self.iteration[worker] += 1
        iteration, directive = self.iteration[worker], self.directive[worker]
        if iteration >= directive.push_at > self.pushed[worker]:
            num = iteration - self.pushed[worker]
            self.pushed[worker] = iteration
            self.ends[worker] = at_s + self.durations[worker]
            return self.take(PushArrived(at_s, worker, iteration, num, self.durations[worker], at_s, 0, False))
        unmerged = self.pushed[worker] > self.acknowledged[worker]
        is_waiting = unmerged and iteration - self.pushed[worker] >= directive.max_ahead
        if is_waiting:
            self.waiting.add(worker)
        else:
            self.ends[worker] = at_s + self.durations[worker]
        return self.take(IterationReported(at_s, worker, iteration, self.durations[worker], at_s, is_waiting))

    def until(self, at_s):
        while self.gate.now_s < at_s:
            self.step()
        return self


def test_fast_workers_fill_the_round_of_a_slow_one_and_nobody_waits():
    driver = Driver([1.0, 1.0, 1.0, 4.0]).until(80.0)
    late = [one for one in driver.log if one.at_s > 20.0]
    assert not of(WorkerHeld, late)
    assert min(driver.iteration[:3]) >= 78
    aggregates = of(AggregateApplied, late)
    assert all({c.worker for c in one.contributions} == {0, 1, 2, 3} for one in aggregates)
    assert {c.num_iterations for one in aggregates for c in one.contributions if c.worker == 0} <= {4, 8}


def test_the_predicted_window_holds_the_actual_synchronisation_on_steady_workers():
    driver = Driver([1.0, 1.3, 2.1]).until(100.0)
    planned = {}
    for one in driver.log:
        if isinstance(one, SyncPlanned):
            planned[one.version] = one
        elif isinstance(one, AggregateApplied) and one.at_s > 30.0:
            plan = planned[one.version]
            assert plan.low_at_s - 1e-6 <= one.at_s <= plan.high_at_s + 1e-6


def test_a_stalled_worker_is_left_out_after_its_95_percent_quantile_and_joins_again():
    driver = Driver([1.0, 1.0, 1.0]).until(30.0)
    driver.durations[2] = 25.0
    driver.until(70.0)
    without = [one for one in of(AggregateApplied, driver.log) if 2 not in {c.worker for c in one.contributions}]
    assert without
    assert any("overdue: worker 2" in one.reason for one in without)
    assert min(driver.iteration[:2]) >= 60  # the stall of one froze nobody
    assert any(2 in {c.worker for c in one.contributions} for one in of(AggregateApplied, driver.log) if one.at_s > 52)


def test_a_worker_at_its_limit_waits_with_a_reason_and_is_released():
    driver = Driver([1.0, 30.0], PredictiveParams(max_local_iterations=2)).until(200.0)
    assert all("past its own, the limit" in held.reason for held in of(WorkerHeld, driver.log))
    assert driver.iteration[0] > 50


def test_rounds_close_although_every_boundary_plans_anew():
    driver = Driver([1.0, 1.37]).until(200.0)
    applied = [one.at_s for one in of(AggregateApplied, driver.log)]
    assert max(b - a for a, b in itertools.pairwise(applied)) <= 2 * 1.37 * 2


def test_a_push_keeps_its_weight_when_workers_leave_before_the_round_closes():
    driver = Driver([1.0, 1.0, 1.0, 4.0]).until(40.0)
    while len(driver.gate.pending) < 3:
        driver.step()
    applied = []
    for worker in range(4):
        applied += of(AggregateApplied, driver.take(WorkerLeft(driver.gate.now_s, worker, "stopped")))
    assert [(one.scale, len(one.contributions)) for one in applied] == [(0.25, 3)]
