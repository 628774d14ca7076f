"""What is special to `predictive`; its general properties are tested over the simulator."""

from __future__ import annotations

import itertools

import pytest

from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    DirectiveChanged,
    IterationReported,
    PushArrived,
    Retuned,
    SyncPlanned,
    WakeAt,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams, build_adversarial
from predictor.gate import Gate
from predictor.policies import PredictiveParams
from predictor.policies.asp import AspParams
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer
from predictor.speeds.trace import Trace
from tests.predictor import checks


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


# ---- in the simulator, with links that take time ---------------------------------------------------------------


def jittery(num_workers, seed=1):
    params = LognormalParams(base_s=1.0, cv=0.1)
    return [params.build(worker, num_workers, seed, None) for worker in range(num_workers)]


def simulated(speeds, transfer_s, until_s, **params):
    """Give the log of a run and its figures."""
    log = []
    scenario = Scenario(
        policy=PredictiveParams(**params),
        speeds=speeds,
        transfers=[Transfer(transfer_s, 0.0, worker, 1) for worker in range(len(speeds))],
        until_s=until_s,
    )
    return log, simulate(scenario, log.append)


def covered(log, which, skip=20):
    """Give the share of rounds whose opening (0) or newest (-1) plan held the moment of the synchronisation."""
    plans, hits, num_rounds = {}, [], 0
    for one in log:
        if isinstance(one, SyncPlanned):
            assert one.low_at_s <= one.cut_at_s <= one.high_at_s
            plans.setdefault(one.version, []).append(one)
        elif isinstance(one, AggregateApplied):
            num_rounds += 1
            if num_rounds > skip:
                plan = plans[one.version][which]
                hits.append(plan.low_at_s - 1e-9 <= one.at_s <= plan.high_at_s + 1e-9)
    return sum(hits) / len(hits)


@pytest.mark.parametrize("transfer_s", [0.05, 0.5, 3.0])
def test_the_window_of_the_cut_holds_about_nine_of_ten_cuts(transfer_s):
    log, _ = simulated(jittery(6), transfer_s, 1500.0)
    assert 0.84 <= covered(log, 0) <= 0.96
    assert 0.84 <= covered(log, -1) <= 0.99


@pytest.mark.parametrize("transfer_s", [0.5, 3.0])
def test_nobody_is_called_late_only_because_weights_and_pushes_travel(transfer_s):
    log, _ = simulated(jittery(6), transfer_s, 400.0)
    rounds = of(AggregateApplied, log)[10:]
    assert sum("overdue" in one.reason for one in rounds) < 0.3 * len(rounds)
    pushed = [len(one.contributions) for one in rounds]
    assert sum(pushed) / len(pushed) > 5.5


def test_a_stall_of_a_hundred_iterations_on_a_slow_link_stops_nobody():
    speeds = [*jittery(5), Trace([1.0] * 30 + [100.0] + [1.0] * 300)]
    log, result = simulated(speeds, 3.0, 300.0)
    rounds = [one for one in of(AggregateApplied, log) if 45.0 < one.at_s < 120.0]
    assert len(rounds) >= 8
    assert all({c.worker for c in one.contributions} <= {0, 1, 2, 3, 4} for one in rounds)
    assert all(times.wait_s < 30.0 for times in result.workers[:5])
    late = [one for one in of(AggregateApplied, log) if one.at_s > 150.0]
    assert sum(5 in {c.worker for c in one.contributions} for one in late) > 0.7 * len(late)  # it is one of them again


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_nobody_goes_further_past_its_push_than_the_limit(limit):
    speeds = [*jittery(3), Trace([1.0] * 20 + [100.0] + [1.0] * 300)]
    log, _ = simulated(speeds, 3.0, 250.0, max_local_iterations=limit)
    pushed = {}
    for one in log:
        if isinstance(one, PushArrived):
            pushed[one.worker] = one.iteration
        elif isinstance(one, IterationReported) and one.is_waiting:
            assert one.iteration <= pushed[one.worker] + limit
    assert len(of(AggregateApplied, log)) > 20


def test_a_wake_up_that_is_rounded_does_not_come_again_and_again():
    speeds = [Trace([1 / 3, 0.7, 0.1]), Trace([0.9, 1 / 7]), Trace([5.0])]
    log, _ = simulated(speeds, 0.3, 200.0)
    assert len(of(WakeAt, log)) < 4 * len(of(PushArrived, log)) + len(of(IterationReported, log))


def test_the_same_expectations_are_kept_and_still_follow_every_boundary():
    log, _ = simulated([Trace([1.0]), Trace([1.0] * 20 + [3.0] * 200)], 0.05, 300.0)
    late = [one for one in of(SyncPlanned, log) if one.at_s > 200.0]
    assert all(push.expected_at_s >= one.at_s - 0.1 for one in late for push in one.pushes)


# ---- forecasts that are not trusted, and rounds that are not worth it ---------------------------------------------


def of_wrong_forecasts(name, transfer_s=0.5, until_s=60.0, **params):
    """Give the log of a run of unlike workers whose forecasts are wrong on purpose."""
    log = []
    speeds = [LognormalParams(base_s=1.0 + worker, cv=0.1).build(worker, 4, 1, None) for worker in range(4)]
    links = [Transfer(transfer_s, 0.0, worker, 1) for worker in range(4)]
    policy = PredictiveParams(**params)
    simulate(Scenario(policy, speeds, links, until_s=until_s, forecaster=build_adversarial(name)), log.append)
    return log


def test_while_forecasts_are_not_trusted_each_push_is_answered_at_once_and_nothing_is_planned():
    log = of_wrong_forecasts("random")
    late = [one for one in log if one.at_s > 20.0]
    assert not of(SyncPlanned, late) + of(WorkerHeld, late)
    pushes = [(one.at_s, one.worker) for one in of(PushArrived, late) if one.at_s < 60.0]
    released = of(WorkerReleased, late)
    assert pushes == [(one.at_s, one.worker) for one in released]
    assert all("forecasts are not trusted, they missed by" in one.reason for one in released)
    assert all(len(one.contributions) == 1 for one in of(AggregateApplied, late))


def test_rounds_come_back_with_a_forecaster_that_is_right():
    driver = Driver([1.0, 1.3, 2.1])
    driver.gate = Gate(PredictiveParams(), build_adversarial("random"))
    for worker in range(3):
        driver.take(WorkerJoined(0.0, worker, 0, 0))
    driver.until(30.0)
    assert not of(SyncPlanned, [one for one in driver.log if one.at_s > 15.0])
    driver.take(Retuned(driver.gate.now_s, {}, {"name": "ewma"}))
    driver.until(120.0)
    late = [one for one in driver.log if one.at_s > 90.0]
    assert of(SyncPlanned, late)
    assert all({c.worker for c in one.contributions} == {0, 1, 2} for one in of(AggregateApplied, late))


def test_honest_forecasts_are_trusted_all_along():
    log, _ = simulated(jittery(6), 0.5, 200.0)
    assert not [one for one in of(WorkerReleased, log) if "not trusted" in one.reason]


def test_where_the_way_is_short_rounds_are_not_worth_it_and_the_workers_behave_as_under_asp():
    log, result = simulated(jittery(4), 0.02, 40.0, rounds="if_worth")
    assert not of(SyncPlanned, log)
    assert all(one.is_blocking for one in of(PushArrived, log) if one.at_s < 40.0)
    plain = Scenario(AspParams(), jittery(4), [Transfer(0.02, 0.0, one, 1) for one in range(4)], until_s=40.0)
    assert simulate(plain).num_pushes == result.num_pushes
    assert any("(0.02 s) is short beside iterations of" in one.reason for one in of(WorkerReleased, log))


def test_where_the_way_is_long_rounds_are_worth_it_and_nobody_waits_for_the_first_one():
    log, result = simulated(jittery(4), 2.0, 100.0, rounds="if_worth")
    assert len(of(SyncPlanned, log)) > 20
    assert [one.worker for one in of(WorkerReleased, log) if one.reason == "goes on until the cut"]
    assert sum(len(one.contributions) for one in of(AggregateApplied, log)) > 3 * len(of(AggregateApplied, log))
    assert result.utilisation > 0.9


@pytest.mark.parametrize("rounds", ["always", "if_worth"])
@pytest.mark.parametrize("name", ["inverted", "random", "frozen"])
@pytest.mark.parametrize("limit", [0, 2])
def test_wrong_forecasts_deadlock_nobody(name, rounds, limit):
    speeds = [Trace([0.5, 3.0, 0.5, 0.5]), Trace([2.0]), Trace([1.0, 1.0, 30.0, 1.0, 1.0])]
    for transfer_s in (0.0, 0.3, 7.0):
        checks.check_no_deadlock(
            Scenario(
                policy=PredictiveParams(max_local_iterations=limit, rounds=rounds),
                speeds=speeds,
                transfers=[Transfer(transfer_s, 0.0, worker, 1) for worker in range(3)],
                iterations=30,
                forecaster=build_adversarial(name),
                deaths={1: 9.0},
            )
        )
