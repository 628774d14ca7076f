"""The short way through virtual time gives the figures of the engine, to the last digit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import SimulationError
from predictor.events import AggregateApplied, Stimulus, WorkerHeld, WorkerReleased
from predictor.forecasters import TimingParams
from predictor.gate import Gate
from predictor.policies import POLICIES
from predictor.policies.asp import AspParams
from predictor.policies.ssp import SspParams
from predictor.simulator import plain, simulate
from predictor.simulator.plain import NotPlainError, simulate_plainly
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from tests.predictor.checks import of, of_the_house, policies, record, scenarios
from tests.predictor.peers_driver import scenario

ALWAYS_WAIT = ("bsp", "asp", "ssp", "dssp", "dssp_literal", "rennala", "ringmaster")


@st.composite
def plain_scenarios(draw):
    """Draw any cluster whose messages always take the same time, also none."""
    given_one = draw(scenarios(st.sampled_from(ALWAYS_WAIT).flatmap(policies), has_deaths=False, max_iterations=20))
    transfer_s = draw(st.sampled_from([0.0, 0.25, 1.0, 7.0]))
    return replace(given_one, transfers=[Transfer(transfer_s, 0.0, one.worker, 1) for one in given_one.transfers])


def check_the_short_way_is_the_same(scenario):
    assert simulate_plainly(scenario) == record(scenario)[1]


@of_the_house
@given(plain_scenarios())
def test_the_figures_are_those_of_the_engine(scenario):
    check_the_short_way_is_the_same(scenario)


def test_who_arrives_at_the_same_moment_is_taken_in_the_engines_order(monkeypatch):
    """Workers of the same pace meet again and again; whose push comes first decides who is stale."""
    rows = [[1.0, 2.0, 1.0], [2.0, 1.0, 1.0], [0.5, 0.5, 1.0, 2.0], [1.0, 1.0, 2.0]]
    tied = [scenario(POLICIES[name](), rows, transfer_s=1.0, iterations=40) for name in ALWAYS_WAIT]
    for one in tied:
        check_the_short_way_is_the_same(one)
    monkeypatch.setattr(plain, "heappush", _push_in_another_order)
    assert any(simulate_plainly(one) != record(one)[1] for one in tied)


def _push_in_another_order(heap, entry):
    at_s, ended_s, begun_s, number, line = entry
    heap.append((at_s, -ended_s, -begun_s, -number, line))
    heap.sort(key=lambda one: one[:4])


def test_without_a_log_the_short_way_is_taken(monkeypatch):
    taken = []
    monkeypatch.setattr("predictor.simulator.entry.simulate_plainly", taken.append)
    wanted = scenario(SspParams(), [1.0, 2.0], iterations=3)
    simulate(wanted)
    assert taken == [wanted]
    simulate(wanted, [].append)
    assert taken == [wanted], "a log needs every event"


@pytest.mark.parametrize("name", sorted(POLICIES.keys() - set(ALWAYS_WAIT) - {"elastic_bsp"}))
def test_policies_whose_workers_train_on_need_the_engine(name):
    wanted = scenario(POLICIES[name](), [1.0, 2.5], transfer_s=0.5, iterations=12)
    with pytest.raises(NotPlainError):
        simulate_plainly(wanted)
    assert simulate(wanted) == record(wanted)[1]


@pytest.mark.parametrize(
    "change",
    [
        {"until_s": 3.0},
        {"deaths": {0: 1.5}},
        {"iterations": None, "until_s": 9.0},
        {"transfers": [Transfer(1.0, 0.5, worker, 1) for worker in range(2)]},
        {"transfers": [Transfer(float(worker), 0.0, worker, 1) for worker in range(2)]},
    ],
    ids=["time", "death", "only time", "jitter", "unlike links"],
)
def test_what_the_short_way_cannot_do_is_left_to_the_engine(change):
    wanted = replace(scenario(AspParams(), [1.0, 2.0], iterations=4), **change)
    with pytest.raises(NotPlainError):
        simulate_plainly(wanted)
    assert simulate(wanted) == record(wanted)[1]


def test_an_iteration_without_a_length_is_explained_by_the_engine():
    broken = replace(scenario(AspParams(), [1.0], iterations=2), speeds=[Trace([float("inf")])])
    with pytest.raises(SimulationError, match="would take inf s"):
        simulate(broken)


def test_a_gate_without_a_log_says_only_what_changes_something_for_a_worker():
    events, _ = record(scenario(SspParams(threshold=0), [1.0, 3.0], iterations=3))
    quiet = Gate(SspParams(threshold=0), TimingParams(), is_logged=False)
    said = [one for stimulus in of(Stimulus, events) for one in quiet.handle(stimulus)]
    assert said == of(WorkerReleased, events)
    assert of(AggregateApplied, events)
    assert of(WorkerHeld, events)
