"""Workers that join late, die, and come back in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.churn import Absence
from predictor.errors import SpecError
from predictor.events import ExchangeFinished, PushArrived, WorkerJoined, WorkerLeft
from predictor.policies import POLICIES
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.ssp import SspParams
from predictor.simulator import Scenario, simulate
from predictor.simulator.plain import NotPlainError, simulate_plainly
from predictor.spec import read_run
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from predictor.what_if import record as record_run
from predictor.what_if import what_if
from tests.predictor import checks
from tests.predictor.checks import of, of_the_house, policies, record, scenarios


def cluster(policy, durations_s, *churn, transfer_s=0.0, **settings):
    speeds = [Trace([one]) for one in durations_s]
    transfers = [Transfer(transfer_s, 0.0, worker, 1) for worker in range(len(speeds))]
    return Scenario(policy, speeds, transfers, churn=churn, **settings)


@st.composite
def churning(draw, policy):
    """Draw any cluster whose workers come and go."""
    scenario = draw(scenarios(policy, has_deaths=False, max_iterations=20))
    churn = []
    for worker in range(len(scenario.speeds)):
        at_s, is_first = 0.0, True
        for _ in range(draw(st.integers(0, 2))):
            leaves_s = None if is_first and draw(st.booleans()) else at_s + draw(st.sampled_from([0.5, 1.0, 3.7]))
            joins_s = (leaves_s or at_s) + draw(st.sampled_from([0.5, 1.0, 8.3]))
            churn.append(Absence(worker, leaves_s, joins_s))
            at_s, is_first = joins_s, False
        if draw(st.integers(0, 4)) == 0:
            churn.append(Absence(worker, at_s + 2.0))
    line_s, until_s = draw(st.sampled_from([0.0, 0.0, 0.3])), draw(st.one_of(st.none(), st.floats(1.0, 40.0)))
    return replace(scenario, churn=tuple(churn), server_message_s=line_s, until_s=until_s)


@pytest.mark.parametrize("name", POLICIES)
@settings(of_the_house, max_examples=12)
@given(data=st.data())
def test_every_policy_keeps_its_properties_when_workers_come_and_go(name, data):
    scenario = data.draw(churning(policies(name)))
    events, result = record(scenario)  # raises where it stands still
    reasons = {event.worker: event.reason for event in of(WorkerLeft, events)}
    for event in of(PushArrived, events):
        assert 1 <= event.num_iterations <= event.iteration
    if scenario.until_s is None:
        for_good = {one.worker for one in scenario.churn if one.joins_at_s is None}
        others = set(range(len(scenario.speeds))) - for_good
        assert all(reasons[worker] == "finished" for worker in others), "whoever comes back does the rest"
    assert result == simulate(scenario)
    for one in result.workers:
        assert one.compute_s + one.wait_s + one.transfer_s == pytest.approx(one.wall_s, abs=1e-9)
    pushed = [(one.worker, one.iteration) for one in of(PushArrived, events)]
    assert len(set(pushed)) == len(pushed), "a worker that comes back repeats no iteration that it has pushed"
    checks.check_replays(scenario)


def test_a_worker_comes_back_with_the_newest_weights_and_the_clock_of_the_slowest():
    away = Absence(1, leaves_at_s=2.5, joins_at_s=10.0)
    events, result = record(cluster(AspParams(), [1.0, 1.0, 2.0], away, transfer_s=0.5, iterations=20))
    first, second = [one for one in of(WorkerJoined, events) if one.worker == 1]
    assert (first.at_s, first.incarnation, first.iteration) == (0.0, 0, 0)
    clock = max(one.iteration for one in of(PushArrived, events) if one.worker == 2 and one.at_s <= 10.0)
    assert (second.at_s, second.incarnation, second.iteration) == (10.0, 1, clock)
    welcome = next(one for one in of(ExchangeFinished, events) if one.worker == 1 and one.at_s > 10.0)
    assert (welcome.iteration, welcome.arrived_at_s, welcome.at_s) == (0, 10.0, 10.25), "its first weights travel"
    assert welcome.version > 5
    pushes = [one.iteration for one in of(PushArrived, events) if one.worker == 1]
    assert pushes == [1, *range(clock + 1, 21)], "its second push was lost on its way, or in the making"
    me = result.workers[1]
    assert me.num_iterations == 1 + 20 - clock
    assert me.wall_s == pytest.approx(2.5 + (max(one.at_s for one in of(WorkerLeft, events) if one.worker == 1) - 10))


def test_nobody_waits_until_a_newcomer_has_caught_up():
    late = Absence(2, joins_at_s=50.0)
    events, result = record(cluster(SspParams(threshold=2), [1.0, 1.0, 1.0], late, iterations=80))
    assert next(one.iteration for one in of(WorkerJoined, events) if one.worker == 2) == 49
    assert result.makespan_s <= 82.0
    assert sum(one.wait_s for one in result.workers) <= 4.0
    assert result.workers[2].wall_s < 33.0


def test_a_barrier_counts_those_who_are_there():
    away = Absence(1, leaves_at_s=0.5, joins_at_s=4.5)
    events, _ = record(cluster(BspParams(), [1.0, 3.0], away, iterations=8))
    arrivals = [one.at_s for one in of(PushArrived, events) if one.worker == 0]
    assert arrivals[:4] == [1.0, 2.0, 3.0, 4.0], "alone it waits for nobody"
    assert arrivals[5] - arrivals[4] == pytest.approx(3.0, abs=0.5)


def test_a_run_goes_on_while_nobody_is_there():
    gone = (Absence(0, 1.5, 7.0), Absence(1, 2.5, 9.0))
    result = simulate(cluster(AspParams(), [1.0, 1.0], *gone, iterations=5))
    assert result.makespan_s == 12.0
    assert [one.num_iterations for one in result.workers] == [1 + 4, 2 + 3]


def test_who_is_stopped_does_not_come_back():
    gone = (Absence(0, 1.5, 7.0), Absence(1, 2.5, 30.0))
    events, _ = record(cluster(AspParams(), [1.0, 1.0], *gone, until_s=10.0))
    assert [one.at_s for one in of(WorkerJoined, events)] == [0.0, 0.0, 7.0]
    assert events[-1].reason == "10 s have passed"


def test_the_short_way_leaves_it_to_the_engine():
    churning_one = cluster(AspParams(), [1.0, 2.0], Absence(0, 1.5, 4.0), iterations=6)
    with pytest.raises(NotPlainError):
        simulate_plainly(churning_one)


def test_what_if_lets_the_same_workers_come_and_go():
    churn = (Absence(1, leaves_at_s=4.5, joins_at_s=20.0), Absence(2, joins_at_s=12.0))
    asp = cluster(AspParams(), [1.0, 1.5, 2.0, 2.0], *churn, transfer_s=0.5, iterations=40)
    recording = record_run(enumerate(record(asp)[0], 1))
    assert recording.deaths() == {}
    for policy in (AspParams(), BspParams()):
        truth = simulate(replace(asp, policy=policy))
        told = what_if(recording, policy, asp.forecaster)
        assert told.predicted.makespan_s == pytest.approx(truth.makespan_s)
        assert told.predicted.num_iterations == sum(one.num_iterations for one in truth.workers)
        assert "join late or come back at the recorded times: 1, 2;" in " ".join(told.notes)


@pytest.mark.parametrize(
    ("churn", "sentence"),
    [
        ([{"worker": 9, "leaves_at_s": 1}], "cluster.churn.0.worker must be <= 3"),
        ([{"worker": 1}], "cluster.churn.0 needs leaves_at_s, joins_at_s or both"),
        ([{"worker": 1, "leaves_at_s": 5, "joins_at_s": 5}], "joins_at_s must be later than leaves_at_s, which is 5"),
        ([{"worker": 1, "leaves_at_s": 5}, {"worker": 1, "leaves_at_s": 9}], "must not be one that has left for good"),
        ([{"worker": 1, "joins_at_s": 5}, {"worker": 1, "joins_at_s": 9}], "cluster.churn.1.leaves_at_s is required"),
        (
            [{"worker": 1, "joins_at_s": 5}, {"worker": 1, "leaves_at_s": 4}],
            "cluster.churn.1.leaves_at_s must be later than 5, when this worker joins, got 4",
        ),
        ([{"worker": 1, "leaves_at_s": -1}], "leaves_at_s"),
        ([{"worker": 1, "leaves": 1}], "is not a known key"),
    ],
)
def test_absences_that_cannot_be_are_refused(churn, sentence):
    with pytest.raises(SpecError, match=sentence):
        read_run({"cluster": {"launcher": "virtual", "churn": churn}})


def test_real_processes_are_refused_in_one_sentence():
    with pytest.raises(SpecError, match=r"cluster.churn must be empty where the launcher is processes"):
        read_run({"cluster": {"churn": [{"worker": 1, "leaves_at_s": 5}]}})
