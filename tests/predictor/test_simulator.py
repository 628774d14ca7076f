"""The simulator against figures worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import SimulationError, SpecError
from predictor.events import (
    DeadlinePassed,
    Directive,
    ExchangeFinished,
    IterationFinished,
    IterationReported,
    PushArrived,
    PushDiscarded,
    RunFinished,
    RunStarted,
    WorkerJoined,
    WorkerLeft,
)
from predictor.policies import PredictiveParams
from predictor.policies.asp import AspParams
from predictor.policies.base import Verdict
from predictor.policies.bsp import BspParams
from predictor.policies.rennala import RennalaParams
from predictor.policies.ringmaster import RingmasterParams
from predictor.policies.ssp import SspParams
from predictor.simulator import Scenario, scenario_of, simulate
from predictor.spec import read_run
from predictor.speeds import Transfer
from predictor.speeds.native import Native
from predictor.speeds.trace import Trace
from predictor.summary import Summary
from tests.predictor.checks import of, of_the_house, record, scenarios


def scenario(policy, durations_s, transfer_s=0.0, **settings):
    speeds = [Trace(row if isinstance(row, list) else [row]) for row in durations_s]
    transfers = [Transfer(transfer_s, 0.0, worker, 1) for worker in range(len(speeds))]
    return Scenario(policy=policy, speeds=speeds, transfers=transfers, **settings)


def no_files(path):
    raise FileNotFoundError(2, "No such file or directory", path)


def test_one_worker_pays_half_the_transfer_for_its_last_push():
    result = simulate(scenario(AspParams(), [2.0], transfer_s=0.5, iterations=3))
    assert result.makespan_s == pytest.approx(3 * 2.0 + 2 * 0.5 + 0.25)
    (worker,) = result.workers
    assert (worker.compute_s, worker.wait_s, worker.num_iterations) == (6.0, 0.0, 3)
    assert worker.transfer_s == pytest.approx(1.25)
    assert result.utilisation == pytest.approx(6.0 / 7.25)
    assert (result.num_pushes, result.version, result.max_lead) == (3, 3, 0)


def test_bsp_takes_the_slowest_of_each_round():
    result = simulate(scenario(BspParams(), [[1.0, 3.0], [2.0, 1.0]], iterations=4))
    assert result.makespan_s == 2.0 + 3.0 + 2.0 + 3.0
    assert [worker.compute_s for worker in result.workers] == [8.0, 6.0]
    assert [worker.wait_s for worker in result.workers] == [2.0, 2.0]  # nobody waits after its last push
    assert [worker.wall_s for worker in result.workers] == [10.0, 8.0]
    assert (result.num_pushes, result.max_lead, result.version) == (8, 1, 4)


def test_the_wait_of_bsp_is_between_arrival_and_release():
    events, result = record(scenario(BspParams(), [1.0, 4.0], transfer_s=1.0, iterations=2))
    answer = next(one for one in of(ExchangeFinished, events) if one.worker == 0 and one.iteration == 1)
    assert (answer.sent_at_s, answer.arrived_at_s, answer.released_at_s, answer.at_s) == (1.0, 1.5, 4.5, 5.0)
    assert answer.blocked_from_s == 1.0
    assert (result.workers[0].wait_s, result.workers[0].transfer_s) == (3.0, 1.5)


def test_ssp_stops_the_fast_worker_at_its_threshold():
    events, result = record(scenario(SspParams(threshold=2), [1.0, 10.0], iterations=5))
    assert result.max_lead == 3
    arrivals = [event.at_s for event in of(PushArrived, events) if event.worker == 0]
    assert arrivals == [1.0, 2.0, 3.0, 11.0, 21.0]  # after 3 and 4 it waits for the other's 1 and 2


def test_a_policy_that_overlaps_trains_while_its_push_is_under_way():
    events, result = record(scenario(PredictiveParams(), [1.0, 1.0], transfer_s=0.7, iterations=20))
    steps = of(IterationFinished, events)
    assert any(0 < step.overlapped_s < step.compute_s for step in steps)  # the answer lands in mid-iteration
    assert steps[0].overlapped_s == 0
    assert all(step.overlapped_s <= step.compute_s for step in steps)
    assert [worker.wait_s for worker in result.workers] == [0.0, 0.0]
    assert [worker.compute_s for worker in result.workers] == [20.0, 20.0]
    assert result.makespan_s == pytest.approx(20.35)
    assert all(one.blocked_from_s is None for one in of(ExchangeFinished, events) if one.iteration > 0)


def test_a_push_names_the_version_that_its_last_iteration_computed_on():
    events, _ = record(scenario(PredictiveParams(), [1.0, 1.0], transfer_s=0.7, iterations=20))
    landed = [0.0]  # when version 0, 1, ... landed at worker 0
    landed += [one.at_s for one in of(ExchangeFinished, events) if one.worker == 0 and one.version > 0]
    pushes = [push for push in of(PushArrived, events) if push.worker == 0]
    assert len(pushes) > 5
    for push in pushes:
        assert landed[push.pulled_version] <= push.ended_at_s - push.compute_s
        assert all(at_s > push.ended_at_s - push.compute_s for at_s in landed[push.pulled_version + 1 :])


def test_reports_do_not_overtake_the_push_before_them():
    events, _ = record(scenario(PredictiveParams(max_local_iterations=10), [0.25, 0.25], transfer_s=2.0, iterations=12))
    for worker in (0, 1):
        seen = [e for e in events if isinstance(e, PushArrived | IterationReported) and e.worker == worker]
        assert [event.iteration for event in seen] == list(range(1, 13))
    late = [event for event in of(IterationReported, events) if event.at_s > event.ended_at_s]
    assert late, "some had to queue behind a push on the link"


def test_the_first_weights_are_there_at_time_0():
    events, _ = record(scenario(BspParams(), [1.0, 1.0], transfer_s=4.0, iterations=1))
    assert [step.started_at_s for step in of(IterationFinished, events)] == [0.0, 0.0]


def test_a_death_is_told_to_the_gate_and_drops_what_was_under_way():
    events, result = record(scenario(BspParams(), [1.0, 1.0, 5.0], transfer_s=1.0, iterations=3, deaths={1: 1.2, 2: 3}))
    assert [(one.at_s, one.worker, one.reason) for one in of(WorkerLeft, events)][:2] == [
        (1.2, 1, "died"),
        (3, 2, "died"),
    ]
    assert {push.worker for push in of(PushArrived, events)} == {0}
    assert [worker.num_iterations for worker in result.workers] == [3, 1, 0]
    assert result.workers[2].compute_s == 3.0
    assert result.workers[1].transfer_s == pytest.approx(0.2)
    assert (events[-1].outcome, events[-1].reason) == ("completed", "1 of 3 workers did 3 iterations")


def test_time_stops_those_who_still_train():
    events, result = record(scenario(AspParams(), [1.0, 0.8], until_s=10.5))
    assert {one.reason for one in of(WorkerLeft, events)} == {"stopped"}
    assert [worker.num_iterations for worker in result.workers] == [10, 13]
    assert [worker.compute_s for worker in result.workers] == [pytest.approx(10.5), pytest.approx(10.5)]
    assert result.makespan_s == pytest.approx(10.4)
    assert (events[-1].outcome, events[-1].reason) == ("completed", "10.5 s have passed")


def test_a_log_begins_with_its_start_and_is_marked_as_simulated():
    events = []
    simulate(
        scenario(BspParams(), [1.0], iterations=1),
        events.append,
        run_id="r",
        wall_time_s=7.0,
        versions={"foresync": "1"},
    )
    assert events[0] == RunStarted(0.0, 7.0, "r", True, {"foresync": "1"})
    assert isinstance(events[1], WorkerJoined)
    assert events[-1] == RunFinished(1.0, "completed", "all workers did 1 iterations")


def test_all_dead_is_a_failed_run():
    events, result = record(scenario(BspParams(), [1.0, 1.0], iterations=5, deaths={0: 0.5, 1: 0.6}))
    assert events[-1].outcome == "failed"
    assert (result.makespan_s, result.num_pushes) == (0.0, 0)


def test_the_real_step_is_a_lower_bound():
    assert simulate(scenario(AspParams(), [1.0], iterations=4, step_s=1.5)).makespan_s == 6.0


def test_no_duration_at_all_is_refused():
    native = Scenario(policy=AspParams(), speeds=[Native()], transfers=[Transfer(0, 0, 0, 1)], iterations=2)
    with pytest.raises(SimulationError, match="step_s"):
        simulate(native)


def test_a_scenario_needs_an_end():
    with pytest.raises(SpecError, match="iterations or seconds"):
        simulate(scenario(AspParams(), [1.0]))


class _Hold:
    """Releases nobody after the first weights; or wakes up for ever."""

    name, forecasts = "hold", False

    def __init__(self, wakes):
        self.wakes, self.params = wakes, None

    def build(self):
        return self

    def decide(self, cluster, stimulus):
        verdict = Verdict(wake_at_s=cluster.now_s if self.wakes else None)
        if isinstance(stimulus, WorkerJoined):
            verdict.release.append((stimulus.worker, Directive(1, 0, 0.0), "joined"))
        elif isinstance(stimulus, PushArrived):
            verdict.hold.append((stimulus.worker, (), "waits for nothing"))
        return verdict


def test_nobody_waits_where_an_answer_comes_at_once_though_it_is_without_the_push():
    events, result = record(scenario(RennalaParams(num_gradients=5), [1.0, 1.5], transfer_s=0.5, iterations=6))
    assert of(PushDiscarded, events) or any(one.iteration > 1 for one in of(ExchangeFinished, events))
    for one in result.workers:
        assert one.wait_s == pytest.approx(0.0, abs=1e-9)
        assert one.transfer_s == pytest.approx(5 * 0.5 + 0.25)  # nobody waits for the answer to its last push
    for answer in of(ExchangeFinished, events):
        if answer.iteration > 0:
            assert (answer.blocked_from_s, answer.released_at_s) == (answer.sent_at_s, answer.arrived_at_s)


def check_nobody_waits(scenario):
    """At the server, that is: where it answers every push at once."""
    assert all(one.wait_s <= 1e-9 * max(1.0, one.wall_s) for one in simulate(scenario).workers)


@of_the_house
@given(scenarios(st.sampled_from([AspParams(), RennalaParams(), RingmasterParams()])))
def test_a_policy_that_answers_at_once_lets_nobody_wait(scenario):
    check_nobody_waits(scenario)


class _News:
    """Its worker waits for news after each push; it gets some at the times that are given."""

    name, forecasts = "news", False

    def __init__(self, *times_s):
        self.times_s, self.params = list(times_s), None

    def build(self):
        return _News(*self.times_s)

    def decide(self, cluster, stimulus):
        verdict = Verdict(apply=list(cluster.pending), scale=1.0)
        if isinstance(stimulus, DeadlinePassed | WorkerJoined):
            directive = Directive(1, 3, 0.5, push_after="received", patience_s=0.25)
            verdict.release += [(worker, directive, "news") for worker in cluster.members]
            verdict.wake_at_s = self.times_s.pop(0) if self.times_s else None
        return verdict


@pytest.mark.parametrize(
    ("news_s", "wait_s", "transfer_s"),
    [
        (2.5, 1.0, 1.0),  # its push is at the server for a second before weights are sent
        (1.5, 0.0, 1.0),  # answered as it arrives
        (1.125, 0.125, 0.5),  # sent while its push is still on the way up
        (0.75, 0.0, 0.25),  # on their way before it pushes
        (0.5, 0.0, 0.0),  # landed just before: fresh enough to train on
    ],
)
def test_what_waits_for_any_news_waits_until_they_are_sent(news_s, wait_s, transfer_s):
    events, result = record(scenario(_News(news_s, 100.0), [[1.0, 2.0]], transfer_s=1.0, iterations=2))
    (worker,) = result.workers
    last_s = 0.5  # the way up of the last push
    assert (worker.wait_s, worker.transfer_s) == (wait_s, transfer_s + last_s)
    assert worker.compute_s + worker.wait_s + worker.transfer_s == worker.wall_s == 3.0 + wait_s + transfer_s + last_s
    summary = Summary()
    for event in events:
        summary.update(event)
    (told,) = summary.report()["workers"]
    assert (told["wait_s"], told["transfer_s"]) == (worker.wait_s, worker.transfer_s), "the log says the same"


def test_a_standstill_names_who_waits_since_when_and_why():
    with pytest.raises(SimulationError, match=r"hold lets workers \[0, 1\] wait .* from 2 s on: waits for nothing"):
        simulate(scenario(_Hold(wakes=False), [1.0, 2.0], iterations=3))


def test_a_standstill_is_seen_although_time_would_end_it():
    with pytest.raises(SimulationError, match="wait for ever"):
        simulate(scenario(_Hold(wakes=False), [1.0], iterations=3, until_s=50.0, deaths={0: 40.0}))


def test_a_policy_that_wakes_for_ever_is_stopped():
    with pytest.raises(SimulationError, match="no end in sight"):
        simulate(scenario(_Hold(wakes=True), [1.0], iterations=2))


class _Measures:
    """A trainer without weights: it only counts how often it is asked to measure."""

    def __init__(self):
        self.measured_s = []

    def compute(self, worker, iteration):
        return 0.0

    def push(self, worker, iteration):
        pass

    def apply(self, aggregate):
        pass

    def discard(self, worker, iteration):
        pass

    def release(self, worker):
        pass

    def land(self, worker, acknowledged, directive):
        pass

    def evaluate(self, at_s, version):
        self.measured_s.append(at_s)
        return []


def test_long_iterations_may_be_measured_any_number_of_times():
    trainer = _Measures()
    wanted = scenario(AspParams(), [25_000.0], iterations=1, evaluate_every_s=0.2)
    assert simulate(wanted, trainer=trainer).makespan_s == 25_000.0
    assert len(trainer.measured_s) > 120_000
    assert trainer.measured_s[:3] == [0.0, 0.2, 0.4]


def test_a_standstill_is_seen_although_measuring_would_go_on_for_ever():
    trainer = _Measures()
    with pytest.raises(SimulationError, match="wait for ever from 2 s on"):
        simulate(scenario(_Hold(wakes=False), [1.0, 2.0], iterations=3, evaluate_every_s=0.5), trainer=trainer)
    assert len(trainer.measured_s) <= 5


def test_only_the_newest_wish_is_kept():
    events, _ = record(scenario(PredictiveParams(), [[1.0, 1.0, 1.0, 9.0], 1.0], iterations=12))
    tokens = [event.token for event in of(DeadlinePassed, events)]
    assert tokens == sorted(set(tokens))


def test_a_run_spec_becomes_a_scenario():
    spec = read_run(
        {
            "cluster": {"num_workers": 3},
            "policy": {"name": "ssp", "threshold": 1},
            "speed": {"kind": "lognormal", "base_s": 1.0, "factors": [1, 1, 4], "cv": 0.0},
            "transfer": {"transfer_s": 0.5},
            "stop": {"iterations": 10, "seconds": None},
        }
    )
    result = simulate(scenario_of(spec, no_files))
    assert result.workers[2].compute_s == pytest.approx(40.0)
    assert result.max_lead == 2
    targeted = read_run({"stop": {"seconds": None, "target": {"metric": "test_loss", "value": 0.1}}})
    with pytest.raises(SpecError, match="iterations or seconds"):
        scenario_of(targeted, no_files)
