"""Contract of `foresync`: METHOD section 5, and what docs/decisions/short-ways-are-waited-for.md adds."""

import pytest

from predictor.events import (
    NEVER_WAITS,
    AggregateApplied,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    PushArrived,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import ADVERSARIAL, build_adversarial
from predictor.policies.foresync import ForesyncParams
from predictor.simulator import simulate
from tests.predictor.checks import of
from tests.predictor.peers_driver import Hand, scenario

JUST_BEFORE_S = 0.002
SHORT_S, LONG_S = 0.1, 3.0  # transfers that are worth waiting for, and that are not, beside iterations of 1 s


def run(durations_s, transfer_s, policy=None, **settings):
    events = []
    result = simulate(scenario(policy or ForesyncParams(), durations_s, transfer_s, **settings), events.append)
    return events, result


def ages(events, worker):
    """Give, for each iteration, how old the weights were at its start that it computed on: now minus their release."""
    landed = [one for one in of(ExchangeFinished, events) if one.worker == worker]
    found = []
    for step in of(IterationFinished, events):
        before = [one for one in landed if one.at_s <= step.started_at_s + 1e-9]
        if step.worker == worker and before:
            found.append(step.started_at_s - max(one.released_at_s for one in before))
    return found


def test_newcomers_push_whenever_the_uplink_is_free_and_merge_by_agreement():
    (released,) = of(WorkerReleased, Hand(ForesyncParams()).join(0.0, 0))
    assert (released.directive.push_at, released.directive.max_ahead) == (1, NEVER_WAITS)
    assert (released.directive.push_after, released.directive.merge) == ("received", "agreement")


@pytest.mark.parametrize(("bound", "is_bounded"), [("usual", True), ("none", False)])
@pytest.mark.parametrize("alpha", [None, 0.5])
def test_workers_are_told_whether_their_pushes_are_bounded(bound, is_bounded, alpha):
    (released,) = of(WorkerReleased, Hand(ForesyncParams(bound=bound, alpha=alpha)).join(0.0, 0))
    assert released.directive.is_bounded == is_bounded


def test_the_floor_of_alpha_is_one_share_of_the_members():
    hand = Hand(ForesyncParams(), num_workers=4)
    assert hand.directive[3].alpha == 1 / 4
    hand.take(WorkerLeft(0.5, 3, "died"))
    hand.push(1.0, 0)
    assert hand.directive[0].alpha == 1 / 3


def test_each_delta_is_added_at_its_arrival_with_the_weight_of_one_member():
    events, result = run([1.0, 1.7, 2.3], SHORT_S, iterations=20)
    aggregates = of(AggregateApplied, events)
    assert [len(one.contributions) for one in aggregates] == [1] * 60
    assert [one.at_s for one in aggregates] == [one.at_s for one in of(PushArrived, events)]
    left = [one.at_s for one in of(WorkerLeft, events)]
    assert all(one.scale == 1 / (3 - sum(at_s < one.at_s for at_s in left)) for one in aggregates)
    assert result.num_pushes == 60


@pytest.mark.parametrize("num_members", [1, 3, 64])
@pytest.mark.parametrize(("momentum", "num_times"), [(0.5, 1), (0.75, 3), (0.9, 9)])
def test_a_delta_is_repeated_as_often_as_by_the_usual_momentum_and_over_many_rounds(momentum, num_times, num_members):
    hand = Hand(ForesyncParams(momentum=momentum, momentum_rounds=16.0), num_members)
    (aggregate,) = of(AggregateApplied, hand.push(1.0, 0))
    decay, share = aggregate.momentum, aggregate.velocity_share
    assert share * decay / (1 - decay) == pytest.approx(num_times)
    within = share * decay * (1 - decay ** (16 * num_members)) / (1 - decay)
    assert within / num_times == pytest.approx(1 - 1 / 2.718, abs=0.02)  # of what is repeated, in the 16 rounds


def test_without_momentum_the_weights_move_by_the_deltas_alone():
    (aggregate,) = of(AggregateApplied, Hand(ForesyncParams(momentum=0.0), 3).push(1.0, 0))
    assert (aggregate.momentum, aggregate.velocity_share) == (0.0, 1.0)


def test_a_high_momentum_over_few_rounds_is_never_more_than_the_usual_one():
    (aggregate,) = of(AggregateApplied, Hand(ForesyncParams(momentum=0.99, momentum_rounds=2.0), 1).push(1.0, 0))
    assert (aggregate.momentum, aggregate.velocity_share) == (0.5, 1.0)


def test_weights_land_just_before_the_boundary():
    events, _ = run([1.0, 1.0, 1.0], LONG_S / 10, iterations=30)
    ends_s = [step.at_s for step in of(IterationFinished, events) if step.worker == 0]
    landed_s = [one.at_s for one in of(ExchangeFinished, events) if one.worker == 0 and 5 < one.at_s < 28]
    assert len(landed_s) >= 22
    for at_s in landed_s:
        assert 0 < min(end_s for end_s in ends_s if end_s > at_s) - at_s < JUST_BEFORE_S


@pytest.mark.parametrize("transfer_s", [0.05, 0.2])
def test_weights_are_as_old_as_after_a_blocking_pull(transfer_s):
    events, result = run([1.0, 1.0, 1.0], transfer_s, iterations=40)
    assert max(ages(events, 0)[5:]) <= transfer_s / 2 + JUST_BEFORE_S  # the way down
    idle_s = result.workers[0].wait_s + result.workers[0].transfer_s
    assert idle_s == pytest.approx(2.5 * transfer_s)  # two answers at the start, and the last push


def test_answered_at_once_they_are_older():
    timed, _ = run([1.0, 1.0, 1.0], 0.3, iterations=40)
    at_once, _ = run([1.0, 1.0, 1.0], 0.3, ForesyncParams(answer="at_once", wait="never"), iterations=40)
    assert min(ages(at_once, 0)[5:]) > 2 * max(ages(timed, 0)[5:])


def test_a_long_way_is_not_waited_for_after_the_first_answer():
    events, result = run([1.0, 1.3, 1.1], LONG_S, iterations=40)
    blocked = [one for one in of(ExchangeFinished, events) if one.blocked_from_s is not None and one.version > 0]
    assert [one.iteration for one in blocked] == [1, 1, 1]
    assert len({one.worker for one in blocked}) == 3
    assert result.utilisation > 0.9


def test_a_busy_uplink_is_reported_over_not_waited_for():
    events, _ = run([1.0, 1.0], LONG_S, iterations=40)
    pushes = [one for one in of(PushArrived, events) if one.worker == 0]
    assert {one.num_iterations for one in pushes[2:-1]} == {2}  # 1.5 s up, boundaries every second
    assert sum(one.num_iterations for one in pushes) == 40
    assert of(IterationReported, events)


def test_a_boundary_before_its_weights_waits_where_the_way_is_short():
    durations_s = [1.0] * 10 + [0.6] + [1.0] * 9  # the eleventh is early
    events, result = run([durations_s, [1.0]], SHORT_S, iterations=20)
    early = [step for step in of(IterationFinished, events) if step.worker == 0 and step.compute_s == 0.6]
    (answer,) = [
        one
        for one in of(ExchangeFinished, events)
        if one.worker == 0 and one.blocked_from_s == pytest.approx(early[0].at_s)
    ]
    assert answer.at_s == pytest.approx(early[0].at_s + SHORT_S)
    assert max(ages(events, 0)[2:]) <= SHORT_S / 2 + JUST_BEFORE_S
    assert result.workers[0].wait_s + result.workers[0].transfer_s == pytest.approx(3.5 * SHORT_S)


def test_it_never_waits_where_that_is_switched_off():
    policy = ForesyncParams(wait="never")
    events, result = run([[1.0, 0.6, 1.7], [1.0]], SHORT_S, policy, iterations=30)
    assert all(one.blocked_from_s is None for one in of(ExchangeFinished, events) if one.version > 0)
    assert [worker.wait_s for worker in result.workers] == [0.0, 0.0]


def test_a_constant_alpha_replaces_the_agreement():
    hand = Hand(ForesyncParams(alpha=0.5), num_workers=2)
    assert (hand.directive[0].merge, hand.directive[0].alpha) == ("steps", 0.5)


def test_what_it_forecasts_stands_in_the_log_with_what_happened():
    events, _ = run([[1.0, 1.1, 0.9]], SHORT_S, iterations=60)
    ends = {step.iteration: step.at_s for step in of(IterationFinished, events)}
    forecasts = of(ForecastUpdated, events)
    assert len(forecasts) > 20
    for one in forecasts:
        assert one.started_at_s <= one.low_at_s <= one.expected_at_s <= one.high_at_s
        assert one.iteration in ends or one.iteration == 61


@pytest.mark.parametrize("name", sorted(ADVERSARIAL))
@pytest.mark.parametrize("transfer_s", [SHORT_S, LONG_S])
def test_forecasts_that_are_wrong_on_purpose_cost_no_more_than_an_iteration_of_age(name, transfer_s):
    durations_s = [[1.0, 3.0, 0.4, 1.2, 0.8], [2.0, 1.0]]
    events, result = run(durations_s, transfer_s, iterations=60, forecaster=build_adversarial(name))
    assert [worker.num_iterations for worker in result.workers] == [60, 60]
    longest_s = 3.0
    assert max(ages(events, 0)[3:]) <= 2 * longest_s + 2 * transfer_s
    assert max(ages(events, 1)[3:]) <= 2 * longest_s + 2 * transfer_s


def test_nothing_is_sent_to_those_who_left():
    events, _ = run([1.0, 1.0, 1.0], 0.3, iterations=30, deaths={1: 7.5})
    assert not [one for one in of(WorkerReleased, events) if one.worker == 1 and one.at_s > 7.5]
    assert {one.scale for one in of(AggregateApplied, events) if 8 < one.at_s < 29} == {1 / 2}
