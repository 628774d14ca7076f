"""Peers on the same terms: the momentum and the bound of `foresync`, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from predictor.events import AggregateApplied, Event, WorkerReleased
from predictor.policies import POLICIES, PolicyParams
from predictor.simulator import Scenario, simulate
from predictor.speeds import Transfer
from predictor.speeds.lognormal import LognormalParams
from workers.bench.peers import PEERS, grid_of
from workers.bench.same_terms import SameTerms

_NUM_WORKERS = 4


def events_of(policy: PolicyParams) -> Iterator[Event]:
    events: list[Event] = []
    speed = LognormalParams(factors=(1.0, 1.0, 2.0, 4.0))
    workers = range(_NUM_WORKERS)
    scenario = Scenario(
        policy=policy,
        speeds=[speed.build(worker, _NUM_WORKERS, 0, str) for worker in workers],
        transfers=[Transfer(0.5, 0.0, worker, 0) for worker in workers],
        iterations=12,
    )
    simulate(scenario, events.append)
    yield from events


def aggregates(policy: PolicyParams) -> list[AggregateApplied]:
    return [event for event in events_of(policy) if isinstance(event, AggregateApplied)]


def test_asp_repeats_what_it_applies_as_foresync_does() -> None:
    def repeats(policy: PolicyParams) -> set[tuple[float, float]]:
        full = [one for one in aggregates(policy) if one.scale == 1 / _NUM_WORKERS]  # while nobody has left
        return {(one.momentum, one.velocity_share) for one in full}

    assert repeats(SameTerms(POLICIES["asp"]())) == repeats(POLICIES["foresync"]())


def test_a_round_of_a_barrier_is_one_aggregate() -> None:
    found = next(iter(aggregates(SameTerms(POLICIES["bsp"](), momentum=0.5, momentum_rounds=10))))
    assert len(found.contributions) == _NUM_WORKERS
    assert found.momentum == pytest.approx(0.9)
    assert found.velocity_share * 9 == pytest.approx(1.0)  # decay + decay^2 + ... = 9: once more in all


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_keeps_its_decisions_and_gets_the_bound(name: str) -> None:
    def decisions(policy: PolicyParams) -> list[tuple[float, int, int]]:
        released = (event for event in events_of(policy) if isinstance(event, WorkerReleased))
        return [(event.at_s, event.worker, event.version) for event in released]

    [plain, *_], [same, *_] = grid_of(name), grid_of(name, has_same_terms=True)
    assert decisions(same) == decisions(plain)
    told = [event.directive.is_bounded for event in events_of(same) if isinstance(event, WorkerReleased)]
    assert told
    assert all(told)
    if name == "overlap_local_sgd":
        assert {one.momentum for one in aggregates(same)} == {0.7}


def test_ours_is_left_as_it_is() -> None:
    assert grid_of("foresync", has_same_terms=True) == grid_of("foresync")
