"""The barriers that `elastic_bsp` and `fsp` predict: said in the log, and right where workers are steady."""

from __future__ import annotations

import pytest

from predictor.events import AggregateApplied, SyncPlanned, WorkerJoined
from predictor.policies.base import Plan
from predictor.policies.cut_forecast import CutForecast
from predictor.policies.elastic_bsp import ElasticBspParams
from predictor.policies.fsp import FspParams
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer
from predictor.summary import Summary
from tests.predictor.checks import of, record
from tests.predictor.peers_driver import Hand, scenario

POLICIES = [ElasticBspParams(), FspParams(), FspParams(deadline_s=2.9)]
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=["elastic_bsp", "fsp adaptive", "fsp deadline"])


def rounds(events):
    """Give (opening plan, moment) of each round that was planned."""
    plans = {}
    for plan in of(SyncPlanned, events):
        assert plan.low_at_s <= plan.cut_at_s <= plan.high_at_s
        plans.setdefault(plan.version, plan)
    return [(plans[one.version], one.at_s) for one in of(AggregateApplied, events) if one.version in plans]


@each_policy
def test_on_steady_workers_the_cut_comes_when_it_was_planned_for_also_where_messages_travel(policy):
    events, _ = record(scenario(policy, [1.0, 1.5, 2.5], transfer_s=1.0, iterations=300))
    known = [one for one in rounds(events)[8:] if one[1] < 300.0]  # later the fastest have left
    assert len(known) >= 10
    for plan, at_s in known:
        assert at_s == pytest.approx(plan.cut_at_s, abs=1e-6)
        assert plan.at_s < plan.cut_at_s


@each_policy
def test_the_window_holds_about_nine_of_ten_cuts(policy):
    speed = LognormalParams(base_s=1.0, factors=(1.0, 1.2, 1.7, 2.0), cv=0.15)
    events: list = []
    simulate(
        Scenario(
            policy=policy,
            speeds=[speed.build(worker, 4, 1, None) for worker in range(4)],
            transfers=[Transfer(0.5, 0.0, worker, 1) for worker in range(4)],
            until_s=2500.0,
        ),
        events.append,
    )
    held = [plan.low_at_s <= at_s <= plan.high_at_s for plan, at_s in rounds(events)[30:]]
    assert len(held) > 200
    assert 0.84 <= sum(held) / len(held) <= 0.97
    summary = Summary()
    for event in events:
        summary.update(event)
    assert summary.report()["windows"]["num"] > 200, "their error is judged"


def test_fsp_says_when_each_push_is_expected_and_elastic_bsp_which_ends_it_chose():
    events, _ = record(scenario(FspParams(deadline_s=2.9), [1.0, 2.5], iterations=9))
    plan = of(SyncPlanned, events)[0]
    assert [(one.worker, one.iteration, one.expected_at_s) for one in plan.pushes] == [(0, 6, 8.0), (1, 4, 10.0)]
    assert plan.idle_fraction == pytest.approx(2.0 / (2 * 5.0))
    assert plan.reason == "first ends after the deadline, 2.900 s after the round's start, idle share 20.0%"
    events, _ = record(scenario(ElasticBspParams(), [1.0, 2.0], iterations=9))
    plan = of(SyncPlanned, events)[0]
    assert plan.pushes == ()
    assert plan.reason == "the forecast ends lie within 0.000 s, idle share 0.0%"


def test_nothing_is_planned_while_nothing_is_known():
    hand = Hand(FspParams(deadline_s=2.0), num_workers=2)
    assert not of(SyncPlanned, hand.push(1.0, 0))
    assert of(SyncPlanned, hand.push(1.5, 1)), "both have told of an iteration"


def test_a_run_that_begins_late_is_planned_from_its_beginning():
    plans: list[Plan] = []
    for joined_at_s in (0.0, 500.0):
        cut = CutForecast()
        cut.learn(WorkerJoined(joined_at_s, 0, 0, 0))
        plans.append(cut.plan(joined_at_s, joined_at_s, {0: joined_at_s + 2.0}, why="tried"))
    first, late = plans
    assert [late.low_at_s - 500, late.high_at_s - 500] == pytest.approx([first.low_at_s, first.high_at_s])
