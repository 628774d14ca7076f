"""Properties of every policy, as functions that raise AssertionError; and the scenarios on which they are tried.

`test_properties.py` applies them to the policies, `test_planted_faults.py` sees each of them fail.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from predictor import log
from predictor.errors import SimulationError
from predictor.events import (
    AggregateApplied,
    Event,
    ExchangeFinished,
    IterationFinished,
    PushArrived,
    PushDiscarded,
    RunFinished,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.policies import POLICIES
from predictor.policies.bsp import BspParams
from predictor.policies.cocod import CocodParams
from predictor.policies.dssp import DsspParams
from predictor.policies.dssp_literal import DsspLiteralParams
from predictor.policies.elastic_bsp import ElasticBspParams
from predictor.policies.fsp import FspParams
from predictor.policies.local_sgd import LocalSgdParams
from predictor.policies.overlap_local_sgd import OverlapLocalSgdParams
from predictor.policies.predictive import PredictiveParams
from predictor.policies.rennala import RennalaParams
from predictor.policies.ringmaster import RingmasterParams
from predictor.policies.ssp import SspParams
from predictor.replay import replay
from predictor.simulator import Scenario, SimulationResult, simulate
from predictor.spec import RunSpec
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace

of_the_house = settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

# ---- scenarios ---------------------------------------------------------------------------------------------

_PARAMS = {
    "ssp": st.builds(SspParams, threshold=st.integers(0, 5)),
    "predictive": st.builds(
        PredictiveParams,
        max_local_iterations=st.integers(0, 4),
        alpha=st.just(0.5),
        horizon=st.floats(1.0, 4.0),
        rounds=st.sampled_from(["always", "if_worth"]),
    ),
    "dssp": st.builds(DsspParams, threshold_low=st.integers(0, 3), threshold_high=st.integers(0, 6)),
    "dssp_literal": st.builds(DsspLiteralParams, threshold_low=st.integers(0, 3), threshold_high=st.integers(0, 6)),
    "elastic_bsp": st.builds(ElasticBspParams, horizon=st.integers(1, 15)),
    "fsp": st.builds(FspParams, deadline_s=st.one_of(st.none(), st.floats(0.01, 20.0))),
    "local_sgd": st.builds(LocalSgdParams, local_iterations=st.integers(1, 6)),
    "cocod": st.builds(CocodParams, local_iterations=st.integers(1, 6)),
    "overlap_local_sgd": st.builds(OverlapLocalSgdParams, local_iterations=st.integers(1, 6)),
    "rennala": st.builds(RennalaParams, num_gradients=st.integers(1, 7)),
    "ringmaster": st.builds(RingmasterParams, max_staleness=st.integers(1, 6)),
}
# Few different values make ties; the floats make everything else.
_durations_s = st.one_of(st.sampled_from([0.5, 1.0, 2.0, 30.0]), st.floats(0.01, 10.0))


def policies(name: str) -> st.SearchStrategy:
    """Draw parameters of a policy; one that is not known here is taken with its defaults."""
    return _PARAMS.get(name, st.builds(POLICIES[name]))


any_policy = st.sampled_from(sorted(POLICIES)).flatmap(policies)


@st.composite
def scenarios(draw, policy=any_policy, has_deaths=True, max_iterations=10) -> Scenario:
    """Draw any cluster: speeds that change at each iteration, transfers with jitter, workers that die."""
    num_workers = draw(st.integers(1, 5))
    workers = range(num_workers)
    transfer_s, cv = draw(st.sampled_from([0.0, 0.2, 1.0, 7.0])), draw(st.sampled_from([0.0, 0.6]))
    deaths = {}
    if has_deaths:
        deaths = draw(st.dictionaries(st.integers(0, num_workers - 1), st.floats(0.0, 30.0), max_size=3))
    return Scenario(
        policy=draw(policy),
        speeds=[Trace(draw(st.lists(_durations_s, min_size=1, max_size=6))) for _ in workers],
        transfers=[Transfer(transfer_s, cv, worker, draw(st.integers(0, 9))) for worker in workers],
        iterations=draw(st.integers(1, max_iterations)),
        until_s=draw(st.one_of(st.none(), st.floats(0.0, 60.0))) if has_deaths else None,
        message_bytes=1000,
        deaths=deaths,
    )


def record(scenario: Scenario) -> tuple[list[Event], SimulationResult]:
    events: list[Event] = []
    result = simulate(scenario, events.append)
    return events, result


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


# ---- properties --------------------------------------------------------------------------------------------


def check_no_deadlock(scenario: Scenario) -> None:
    """Whoever does not die or is not stopped does all its iterations and leaves."""
    try:
        events, result = record(scenario)
    except SimulationError as error:
        raise AssertionError(str(error)) from error
    reasons = {event.worker: event.reason for event in of(WorkerLeft, events)}
    assert reasons.keys() == set(range(len(scenario.speeds))), "everybody leaves, once"
    for times in result.workers:
        if reasons[times.worker] == "finished":
            assert times.num_iterations == scenario.iterations
        else:
            assert times.worker in scenario.deaths or scenario.until_s is not None
    assert isinstance(events[-1], RunFinished)


def check_bounded_lead(scenario: Scenario, threshold: int) -> None:
    """Nobody is ever more than one iteration beyond the threshold (METHOD section 8); BSP promises 1."""
    assert simulate(scenario).max_lead <= threshold + 1


def check_bsp_is_ssp_0(scenario: Scenario, bsp=None, ssp=None) -> None:
    """BSP and SSP(0) release every worker for every iteration at the same time."""
    assert release_times(replace(scenario, policy=bsp or BspParams())) == release_times(
        replace(scenario, policy=ssp or SspParams(threshold=0))
    )


def release_times(scenario: Scenario) -> list[tuple[int, int, float]]:
    """Give (worker, its iterations, when it was released), without the one after its last."""
    clocks: dict[int, int] = defaultdict(int)
    found = []
    for event in record(scenario)[0]:
        if isinstance(event, PushArrived):
            clocks[event.worker] = event.iteration
        elif isinstance(event, WorkerReleased) and clocks[event.worker] < (scenario.iterations or 0):
            found.append((event.worker, clocks[event.worker], event.at_s))
    return sorted(found)


def check_times_add_up(scenario: Scenario) -> None:
    """Compute, wait and transfer are the whole life of each worker, and none is negative."""
    for one in simulate(scenario).workers:
        assert min(one.compute_s, one.wait_s, one.transfer_s) >= 0
        assert abs(one.compute_s + one.wait_s + one.transfer_s - one.wall_s) <= 1e-9 * max(1.0, one.wall_s)


def check_every_push_counts_once(scenario: Scenario) -> None:
    """Each push is applied or discarded at most once; of a run in which nobody dies, exactly once."""
    events, result = record(scenario)
    pushed = [(push.worker, push.iteration, push.num_iterations) for push in of(PushArrived, events)]
    assert len(set(pushed)) == len(pushed) == result.num_pushes
    settled = [
        (one.worker, one.iteration, one.num_iterations)
        for aggregate in of(AggregateApplied, events)
        for one in aggregate.contributions
    ]
    by_iteration = {(worker, iteration): num for worker, iteration, num in pushed}
    settled += [
        (one.worker, one.iteration, by_iteration[one.worker, one.iteration]) for one in of(PushDiscarded, events)
    ]
    assert len(set(settled)) == len(settled)
    assert set(settled) <= set(pushed)
    if not scenario.deaths and scenario.until_s is None:
        assert set(settled) == set(pushed)
        for worker in range(len(scenario.speeds)):
            assert sum(num for who, _, num in pushed if who == worker) == scenario.iterations


def check_the_log_is_in_order(scenario: Scenario) -> None:
    """Time never goes back, versions count up by one, staleness is not negative, only members are released."""
    version, at_s, members = 0, 0.0, set()
    for event in record(scenario)[0]:
        assert event.at_s >= at_s
        at_s = event.at_s
        if isinstance(event, WorkerJoined):
            members.add(event.worker)
        elif isinstance(event, WorkerLeft):
            members.remove(event.worker)
        elif isinstance(event, PushArrived):
            assert event.pulled_version <= version
        elif isinstance(event, WorkerReleased):
            assert event.worker in members
            assert event.version == version
        elif isinstance(event, AggregateApplied):
            version += 1
            assert event.version == version
            assert all(one.staleness >= 0 for one in event.contributions)


def check_deterministic(scenario: Scenario) -> None:
    """The same scenario gives the same log, byte by byte; and the same figures without a log."""
    first, with_log = record(scenario)
    second, _ = record(scenario)
    assert [log.encode(event) for event in first] == [log.encode(event) for event in second]
    assert simulate(scenario) == with_log


def check_replays(scenario: Scenario) -> None:
    """The recorded stimuli give a fresh gate exactly the recorded instructions, also from the lines of a log."""
    events, _ = record(scenario)
    lines = [log.with_seq(log.encode(event), seq) for seq, event in enumerate(events, 1)]
    spec = RunSpec(policy=scenario.policy, forecaster=scenario.forecaster)
    report = replay(map(log.decode, lines), spec)
    assert report.is_same, report.difference
    assert report.num_stimuli > 0
    assert report.num_instructions > 0


def check_the_cap_holds(scenario: Scenario, cap: int) -> None:
    """Nobody does more than `cap` iterations past a push before weights have landed that include it.

    With a cap of 0 the next iteration begins only when they have.
    """
    events, _ = record(scenario)
    settled: dict[tuple[int, int], int] = {}  # worker, version -> own iterations up to this one are in that release
    for event in of(WorkerReleased, events):
        settled[event.worker, event.version] = event.acknowledged
    for worker in range(len(scenario.speeds)):
        merged = [
            (one.at_s, settled[worker, one.version]) for one in of(ExchangeFinished, events) if one.worker == worker
        ]
        pushes = [(one.ended_at_s, one.iteration) for one in of(PushArrived, events) if one.worker == worker]
        for step in of(IterationFinished, events):
            if step.worker != worker:
                continue
            known = max((up_to for at_s, up_to in merged if at_s <= step.started_at_s), default=0)
            sent = max((number for at_s, number in pushes if at_s <= step.started_at_s), default=0)
            if sent > known:
                assert step.iteration - sent <= cap, f"worker {worker}, iteration {step.iteration}, push {sent}"
