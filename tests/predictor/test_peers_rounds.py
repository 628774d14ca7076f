"""Policies that wait for all at some barrier: local SGD and its overlapped kin, and ElasticBSP."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.events import (
    AggregateApplied,
    Directive,
    DirectiveChanged,
    ExchangeFinished,
    PushArrived,
    PushDiscarded,
    Retuned,
    WorkerHeld,
    WorkerLeft,
    WorkerReleased,
)
from predictor.policies.bsp import BspParams
from predictor.policies.cocod import CocodParams
from predictor.policies.elastic_bsp import ElasticBspParams
from predictor.policies.local_sgd import LocalSgdParams
from predictor.policies.overlap_local_sgd import OverlapLocalSgdParams
from predictor.simulator import simulate
from tests.predictor.checks import of, of_the_house, record, release_times, scenarios
from tests.predictor.peers_driver import Hand, applied, released, scenario

LOCAL = [LocalSgdParams, CocodParams, OverlapLocalSgdParams]
ROUNDS = [*LOCAL, ElasticBspParams]

# ---- local SGD -------------------------------------------------------------------------------------------------


def test_local_sgd_waits_at_each_hth_iteration_and_takes_the_mean():
    events, result = record(scenario(LocalSgdParams(local_iterations=3), [1.0, 2.0], iterations=6))
    aggregates = of(AggregateApplied, events)
    assert [(one.at_s, one.scale) for one in aggregates] == [(6.0, 0.5), (12.0, 0.5)]
    assert [[c.num_iterations for c in one.contributions] for one in aggregates] == [[3, 3], [3, 3]]
    assert [one.wait_s for one in result.workers] == [3.0, 0.0]  # worker 0 from 3 to 6; its last push needs no answer
    (hold,) = [one for one in of(WorkerHeld, events) if one.at_s == 3.0]
    assert hold.reason == "waits at the barrier for worker 1: 1 of 2 arrived"


def test_local_sgd_tells_where_to_push_next():
    hand = Hand(LocalSgdParams(local_iterations=4), num_workers=1)
    assert hand.directive[0] == Directive(push_at=4, max_ahead=0, alpha=0.0)
    for at_s in (1.0, 2.0, 3.0):
        assert hand.report(at_s, 0) == []
    hand.push(4.0, 0, num=4)
    assert hand.directive[0].push_at == 8


@pytest.mark.parametrize(
    "params", [LocalSgdParams(local_iterations=1), ElasticBspParams(horizon=1)], ids=["local_sgd", "elastic_bsp"]
)
@of_the_house
@given(st.data())
def test_with_a_single_iteration_it_is_bsp(params, data):
    drawn = data.draw(scenarios(st.just(BspParams())))
    assert release_times(replace(drawn, policy=params)) == release_times(drawn)


# ---- overlapped ------------------------------------------------------------------------------------------------


def test_cocod_hides_the_transfer_and_local_sgd_does_not():
    durations_s, settings = [1.0, 1.0, 1.0], {"transfer_s": 3.0, "iterations": 40}
    hidden, result = record(scenario(CocodParams(local_iterations=4), durations_s, **settings))
    assert result.utilisation == pytest.approx(40 / 41.5)  # but for half a transfer after the end
    assert not [one for one in of(ExchangeFinished, hidden) if one.iteration and one.blocked_from_s is not None]
    blocked = simulate(scenario(LocalSgdParams(local_iterations=4), durations_s, **settings))
    assert blocked.utilisation == pytest.approx(40 / (40 + 9 * 3.0 + 1.5))


def test_cocod_waits_where_the_transfer_is_longer_than_its_iterations():
    result = simulate(scenario(CocodParams(local_iterations=2), [1.0, 1.0], transfer_s=6.0, iterations=20))
    assert result.utilisation < 0.6


def test_cocod_by_hand():
    hand = Hand(CocodParams(local_iterations=2), num_workers=2)
    assert hand.directive[0] == Directive(push_at=2, max_ahead=2, alpha=1.0)
    hand.report(1.0, 0)
    assert hand.push(2.0, 0, num=2, is_blocking=False) == []  # it goes on
    hand.report(3.0, 0)
    (hold,) = hand.report(4.0, 0, is_waiting=True)
    assert hold.waits_for == (1,)
    hand.report(4.5, 1)
    said = hand.push(5.0, 1, num=2, is_blocking=False)
    assert (applied(said), released(said)) == ([([0, 1], 0.5)], [0, 1])
    assert [one.directive.push_at for one in of(WorkerReleased, said)] == [4, 4]  # worker 0: at its next boundary
    assert [one.acknowledged for one in of(WorkerReleased, said)] == [2, 2]


def test_overlap_local_sgd_moves_the_anchor_with_momentum_and_pulls_the_workers_to_it():
    hand = Hand(OverlapLocalSgdParams(local_iterations=2, pull=0.75, momentum=0.5), num_workers=2)
    assert hand.directive[0] == Directive(push_at=2, max_ahead=2, alpha=0.0, merge="anchor")  # it has no model yet
    hand.push(2.0, 0, is_blocking=False)
    said = hand.push(2.5, 1, is_blocking=False)
    (aggregate,) = of(AggregateApplied, said)
    assert (aggregate.scale, aggregate.momentum) == (0.5, 0.5)
    assert hand.directive[0] == Directive(push_at=3, max_ahead=2, alpha=0.25, merge="anchor")


def test_of_two_offsets_of_one_worker_the_newer_one_counts():
    hand = Hand(OverlapLocalSgdParams(local_iterations=1), num_workers=2)
    hand.push(1.0, 0, is_blocking=False)
    hand.push(2.0, 0, is_blocking=False)  # its last one
    hand.take(WorkerLeft(2.0, 0, "finished"))
    said = hand.push(3.0, 1, is_blocking=False)
    (aggregate,) = of(AggregateApplied, said)
    assert [(c.worker, c.iteration) for c in aggregate.contributions] == [(0, 2), (1, 1)]
    assert aggregate.scale == 0.5
    (dropped,) = of(PushDiscarded, said)
    assert (dropped.iteration, dropped.reason) == (1, "worker 0 has pushed again since, at iteration 2")


def test_of_two_deltas_of_one_worker_both_count_and_its_share_stays():
    hand = Hand(CocodParams(local_iterations=1), num_workers=2)
    hand.push(1.0, 0, is_blocking=False)
    hand.push(2.0, 0, is_blocking=False)
    hand.take(WorkerLeft(2.0, 0, "finished"))
    assert applied(hand.push(3.0, 1, is_blocking=False)) == [([0, 0, 1], 0.5)]


# ---- ElasticBSP ------------------------------------------------------------------------------------------------


def test_elastic_bsp_meets_where_the_ends_lie_closest_together():
    # Round 1 is one iteration, since nothing is known. Then 13 x 1 and 9 x 1.45 lie 0.05 s apart (test_peers_zipline).
    events, _ = record(scenario(ElasticBspParams(), [1.0, 1.45], iterations=27))
    first, second = of(AggregateApplied, events)[:2]
    assert first.at_s == 1.45
    assert second.at_s == pytest.approx(1.45 + 9 * 1.45)
    assert [(c.worker, c.num_iterations) for c in second.contributions] == [(0, 13), (1, 9)]
    assert second.scale == 0.5
    (held,) = [one for one in of(WorkerHeld, events) if one.at_s == pytest.approx(1.45 + 13)]
    assert (held.worker, held.waits_for) == (0, (1,))
    releases = [one for one in of(WorkerReleased, events) if one.worker == 0]
    assert releases[1].reason.startswith("next barrier at its iteration 14: the forecast ends lie within 0.050 s")


def test_elastic_bsp_falls_back_to_bsp_where_workers_are_alike():
    elastic = scenario(ElasticBspParams(), [1.0, 1.0, 1.0], iterations=8)
    assert release_times(elastic) == release_times(replace(elastic, policy=BspParams()))


def test_elastic_bsp_forecasts_with_the_last_interval_only():
    hand = Hand(ElasticBspParams(horizon=4), num_workers=2)
    hand.push(1.0, 0, compute_s=1.0)
    hand.push(9.0, 1, compute_s=9.0)
    assert [hand.directive[worker].push_at for worker in (0, 1)] == [5, 2]
    for at_s in (10.0, 11.0, 12.0):
        hand.report(at_s, 0)
    hand.push(13.0, 0, num=4, compute_s=1.0)
    hand.push(18.0, 1, compute_s=2.0)
    assert [hand.directive[worker].push_at for worker in (0, 1)] == [7, 3]  # 2 x 1 s meets 1 x 2 s


# ---- all of them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ROUNDS)
def test_a_barrier_does_not_wait_for_the_dead(kind):
    hand = Hand(kind(), num_workers=3)
    hand.push(1.0, 0)
    held = hand.push(2.0, 1)
    assert [one.waits_for for one in of(WorkerHeld, held)] == [(2,)]
    said = hand.take(WorkerLeft(3.0, 2, "died"))
    assert (applied(said), released(said)) == ([([0, 1], 0.5)], [0, 1])


@pytest.mark.parametrize("kind", ROUNDS)
def test_a_push_of_an_earlier_life_does_not_stand_for_the_present_one(kind):
    hand = Hand(kind(), num_workers=2)
    hand.push(1.0, 0)
    hand.take(WorkerLeft(1.5, 0, "died"))
    assert released(hand.join(2.0, 0, iteration=1)) == [0]
    assert applied(hand.push(3.0, 1)) == []  # worker 0 trains
    said = hand.push(4.0, 0)
    assert len(of(AggregateApplied, said)) == 1
    assert set(released(said)) == {0, 1}


@pytest.mark.parametrize("kind", ROUNDS)
def test_who_joins_in_the_midst_gets_weights_and_is_waited_for(kind):
    hand = Hand(kind(), num_workers=2)
    hand.push(1.0, 0)
    said = hand.join(1.5, 2)
    assert released(said) == [2]
    assert [one.waits_for for one in of(WorkerHeld, said)] == [(1, 2)]
    assert applied(hand.push(2.0, 1)) == []
    assert [workers for workers, _ in applied(hand.push(3.0, 2))] == [[0, 1, 2]]


@pytest.mark.parametrize("kind", LOCAL)
def test_a_retuned_number_of_iterations_counts_in_the_running_round(kind):
    hand = Hand(kind(local_iterations=100), num_workers=2)
    for at_s in (1.0, 2.0, 3.0):
        hand.report(at_s, 0)
    said = hand.take(Retuned(3.5, {"local_iterations": 2}))
    assert [one.directive.push_at for one in of(DirectiveChanged, said)] == [2, 2]  # past it: at the next boundary
    assert {one.reason for one in of(DirectiveChanged, said)} == {"retuned: pushes at iteration 2"}
    hand.push(4.0, 0, num=4)
    hand.push(4.0, 1, num=1)
    assert [hand.directive[worker].push_at for worker in (0, 1)] == [6, 3]


@pytest.mark.parametrize("kind", LOCAL)
@of_the_house
@given(st.integers(1, 5), st.data())
def test_pushes_sum_up_as_many_iterations_as_wished(kind, num, data):
    drawn = data.draw(scenarios(st.just(kind(local_iterations=num)), has_deaths=False, max_iterations=25))
    events, _ = record(drawn)
    for worker in range(len(drawn.speeds)):
        pushes = [push for push in of(PushArrived, events) if push.worker == worker]
        if kind is LocalSgdParams:
            assert all(push.num_iterations == num for push in pushes[:-1])
        else:  # one that had to wait pushes at its next boundary; the last push takes what is left
            assert all(num <= push.num_iterations <= num + 1 for push in pushes[:-1])
        assert pushes[-1].num_iterations <= num + 1
