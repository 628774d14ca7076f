"""FSP: everybody trains until a common deadline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    DirectiveChanged,
    PushArrived,
    Retuned,
    WakeAt,
    WorkerLeft,
    WorkerReleased,
)
from predictor.policies.bsp import BspParams
from predictor.policies.fsp import FspParams, least_idle_deadline
from predictor.simulator import simulate
from tests.predictor.checks import of, of_the_house, record, release_times, scenarios
from tests.predictor.peers_driver import Hand, applied, released, scenario


def test_all_push_at_their_first_boundary_after_the_deadline_which_counts_from_the_rounds_start():
    events, result = record(scenario(FspParams(deadline_s=2.9), [1.0, 2.5], iterations=9))
    pushes = [(push.at_s, push.worker, push.num_iterations) for push in of(PushArrived, events)]
    # The second round starts at 5, its deadline is 7.9.
    assert pushes[:4] == [(3.0, 0, 3), (5.0, 1, 2), (8.0, 0, 3), (10.0, 1, 2)]
    assert [(one.at_s, one.scale) for one in of(AggregateApplied, events)][:2] == [(5.0, 0.5), (10.0, 0.5)]
    told = of(DirectiveChanged, events)[:2]
    assert [(one.at_s, one.worker, one.directive.push_at) for one in told] == [(2.9, 0, 3), (2.9, 1, 2)]
    assert told[0].reason == "the deadline, 2.900 s after the round's start, has passed"
    assert result.workers[0].wait_s == pytest.approx(2.0 + 2.0)  # its third push is its last


def test_everybody_adds_at_least_one_iteration_however_short_the_deadline():
    drawn = scenario(FspParams(deadline_s=1e-4), [1.0, 3.0], iterations=5)
    assert release_times(drawn) == release_times(replace(drawn, policy=BspParams()))


@of_the_house
@given(st.data())
def test_with_a_deadline_in_the_first_iteration_it_is_bsp(data):
    drawn = data.draw(scenarios(st.just(BspParams())))
    assert release_times(replace(drawn, policy=FspParams(deadline_s=1e-3))) == release_times(drawn)


def test_adaptive_rounds_end_where_the_workers_meet():
    # Nothing is known at first: one iteration each. Then 2 x 1 s meets 1 x 2 s, with the deadline midway before it.
    events, result = record(scenario(FspParams(), [1.0, 2.0], iterations=40))
    aggregates = of(AggregateApplied, events)
    assert [c.num_iterations for c in aggregates[0].contributions] == [1, 1]
    assert sorted((c.worker, c.num_iterations) for c in aggregates[1].contributions) == [(0, 2), (1, 1)]
    assert [one.due_at_s for one in of(WakeAt, events)][:2] == [2.0 + 1.5, 4.0 + 1.5]
    assert result.utilisation > 0.97
    assert simulate(scenario(BspParams(), [1.0, 2.0], iterations=40)).utilisation < 0.8


def test_the_least_idle_deadline_by_hand():
    assert least_idle_deadline([1.0]) == 0.5  # one end at 1, nobody else
    assert least_idle_deadline([1.0, 1.0, 1.0]) == 0.5
    assert least_idle_deadline([1.0, 2.0]) == 1.5  # in (1, 2] both end at 2
    # ends at 0.6, 1, 1.2, 1.8, 2: in (1.2, 1.8] they end at 1.8 and 2, which idles 0.2 of 4, and nothing idles less
    assert least_idle_deadline([0.6, 1.0]) == pytest.approx(1.5)


def idle_share(deadline_s, lengths_s):
    """Give the idle share by its definition: first ends not before the deadline."""
    ends = []
    for length_s in lengths_s:
        end_s = length_s
        while end_s < deadline_s:
            end_s += length_s
        ends.append(end_s)
    return sum(max(ends) - end_s for end_s in ends) / (len(ends) * max(ends))


@of_the_house
@given(st.lists(st.integers(2, 40), min_size=1, max_size=6))
def test_no_other_deadline_idles_less(lengths_s):
    chosen_s = least_idle_deadline(lengths_s)
    assert 0 < chosen_s <= 2 * max(lengths_s)
    others_s = [tick / 2 for tick in range(1, 4 * max(lengths_s) + 1)]  # between the ends, and at them
    assert idle_share(chosen_s, lengths_s) <= min(idle_share(one, lengths_s) for one in others_s) + 1e-5


def test_a_worker_a_thousand_times_faster_costs_no_thousand_candidates():
    assert 0 < least_idle_deadline([0.001, 1.0]) <= 2.0


def test_who_joins_before_the_deadline_trains_until_it_and_who_joins_after_it_pushes_at_once():
    hand = Hand(FspParams(deadline_s=10.0), num_workers=2)
    hand.join(5.0, 2)
    assert hand.directive[2].push_at > 10**6
    hand.take(DeadlinePassed(10.0, hand.wake.token))
    assert hand.directive[2].push_at == 1
    hand.join(11.0, 3)
    assert hand.directive[3].push_at == 1
    for worker in (0, 1, 2):
        assert applied(hand.push(12.0, worker)) == []
    said = hand.push(13.0, 3)
    assert applied(said) == [([0, 1, 2, 3], 0.25)]
    assert [one.directive.push_at > 10**6 for one in of(WorkerReleased, said)] == [True] * 4
    assert hand.wake.due_at_s == 23.0


def test_a_timer_that_fires_a_hair_early_is_the_deadline_all_the_same():
    hand = Hand(FspParams(deadline_s=10.0), num_workers=1)
    said = hand.take(DeadlinePassed(9.999, hand.wake.token))
    assert [one.directive.push_at for one in of(DirectiveChanged, said)] == [1]


def test_a_retuned_deadline_counts_in_the_running_round():
    hand = Hand(FspParams(deadline_s=100.0), num_workers=2)
    hand.report(3.0, 0)
    hand.take(Retuned(4.0, {"deadline_s": 6.0}))
    assert hand.wake.due_at_s == 6.0
    said = hand.take(Retuned(5.0, {"deadline_s": 2.0}))  # is over already
    assert [(one.worker, one.directive.push_at) for one in of(DirectiveChanged, said)] == [(0, 2), (1, 1)]


def test_a_round_that_everybody_has_left_is_not_continued():
    hand = Hand(FspParams(deadline_s=10.0), num_workers=1)
    hand.push(2.0, 0, is_blocking=False)
    hand.take(WorkerLeft(2.0, 0, "finished"))
    assert released(hand.join(50.0, 1)) == [1]
    assert hand.wake.due_at_s == 60.0
