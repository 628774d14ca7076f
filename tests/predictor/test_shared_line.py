"""A server whose line all messages share, against figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.errors import SpecError
from predictor.events import ExchangeFinished, IterationReported, PushArrived
from predictor.policies import POLICIES, ForesyncParams
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.simulator import Scenario, simulate
from predictor.simulator.plain import NotPlainError, simulate_plainly
from predictor.spec import read_run
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from predictor.what_if import record as record_run
from predictor.what_if import what_if
from tests.predictor import checks
from tests.predictor.checks import any_policy, of, of_the_house, record, scenarios


def cluster(policy, durations_s, transfer_s=0.0, line_s=1.0, **settings):
    speeds = [Trace([one]) for one in durations_s]
    transfers = [Transfer(transfer_s, 0.0, worker, 1) for worker in range(len(speeds))]
    return Scenario(policy, speeds, transfers, server_message_s=line_s, **settings)


def test_pushes_queue_in_the_order_in_which_they_come_and_weights_likewise():
    events, result = record(cluster(BspParams(), [2.0, 2.5, 9.0], transfer_s=0.5, iterations=2))
    pushes = [(one.worker, one.at_s) for one in of(PushArrived, events)][:3]
    # 2.25 at the line, through at 3.25; 2.75 at the line, waits, through at 4.25; 9.25, through at 10.25
    assert pushes == [(0, 3.25), (1, 4.25), (2, 10.25)]
    landed = sorted(one.at_s for one in of(ExchangeFinished, events) if one.iteration == 1)
    assert landed == [11.5, 12.5, 13.5]  # released at 10.25, one second of the line each, then the own half
    assert sum(one.transfer_s for one in result.workers) == pytest.approx(
        (1.25 + 1.75 + 1.25) + (1.25 + 2.25 + 3.25) + (1.25 + 1.25 + 1.25)
    )


def test_the_two_directions_do_not_wait_for_each_other():
    events, _ = record(cluster(AspParams(), [3.0, 4.0], iterations=2))
    assert [(one.worker, one.at_s) for one in of(PushArrived, events)][:2] == [(0, 4.0), (1, 5.0)]
    first = next(one for one in of(ExchangeFinished, events) if one.worker == 0 and one.iteration == 1)
    assert (first.arrived_at_s, first.at_s) == (4.0, 5.0), "its weights go down while the other's push comes up"


def test_reports_arrive_with_the_push_before_them():
    policy = POLICIES["cocod"](local_iterations=4)
    events, _ = record(cluster(policy, [1.0, 1.0, 1.0], transfer_s=1.0, line_s=2.0, iterations=12))
    for worker in range(3):
        told = [e for e in events if isinstance(e, PushArrived | IterationReported) and e.worker == worker]
        assert [one.iteration for one in told] == list(range(1, 13))
        assert all(one.at_s >= one.ended_at_s for one in told)
    assert any(one.at_s > one.ended_at_s for one in of(IterationReported, events))


def test_a_full_line_bounds_the_throughput():
    """Eight workers that push without pause fill the line; more than one push per occupation cannot arrive."""
    result = simulate(cluster(AspParams(), [1.0] * 8, line_s=0.5, iterations=50))
    assert result.makespan_s == pytest.approx(8 * 50 * 0.5, rel=0.02)
    idle = simulate(cluster(AspParams(), [1.0] * 8, line_s=0.0, iterations=50))
    assert idle.makespan_s == 50.0


def test_foresync_learns_how_long_its_weights_queue():
    """The weights still land before the boundary that they are sent for, though the way down is mostly queueing."""
    events, _ = record(cluster(ForesyncParams(), [1.0] * 4, transfer_s=0.1, line_s=0.1, iterations=60))
    assert all(one.blocked_from_s is None for one in of(ExchangeFinished, events) if one.iteration > 10)


@settings(of_the_house, max_examples=30)
@given(scenarios(any_policy), st.sampled_from([0.1, 1.0]))
def test_every_policy_keeps_its_properties_on_a_shared_line(scenario, line_s):
    shared = replace(scenario, server_message_s=line_s)
    checks.check_no_deadlock(shared)
    checks.check_the_log_is_in_order(shared)
    checks.check_every_push_counts_once(shared)
    checks.check_times_add_up(shared)
    checks.check_replays(shared)


def test_the_short_way_leaves_it_to_the_engine():
    shared = cluster(AspParams(), [1.0, 2.0], iterations=4)
    with pytest.raises(NotPlainError):
        simulate_plainly(shared)
    assert simulate(shared) == record(shared)[1]


def test_what_if_lets_messages_queue_anew():
    """A run under `asp` on a full line predicts `bsp` there exactly; its recorded travelling times would not."""
    asp = cluster(AspParams(), [1.0, 1.2, 1.5, 2.0], transfer_s=0.5, line_s=0.4, iterations=30)
    spec = read_run(
        {
            "cluster": {"launcher": "virtual"},
            "transfer": {"transfer_s": 0.5, "server_message_s": 0.4},
            "stop": {"iterations": 30},
        }
    )
    events = list(enumerate(record(asp)[0], 1))
    truth = simulate(replace(asp, policy=BspParams()))
    told = what_if(record_run(events, spec), BspParams(), asp.forecaster)
    assert told.predicted.makespan_s == pytest.approx(truth.makespan_s)
    assert told.predicted.wait_s == pytest.approx(sum(one.wait_s for one in truth.workers))
    assert "queue there anew" in " ".join(told.notes)
    untold = what_if(record_run(events), BspParams(), asp.forecaster)
    assert untold.predicted.makespan_s != pytest.approx(truth.makespan_s, rel=0.01)


def test_real_processes_are_refused_in_one_sentence():
    with pytest.raises(SpecError, match=r"transfer.server_message_s must be 0 where the launcher is processes.*0\.1"):
        read_run({"transfer": {"server_message_s": 0.1}})
    with pytest.raises(SpecError, match=r"transfer.server_message_s must be >= 0"):
        read_run({"transfer": {"server_message_s": -1}})
