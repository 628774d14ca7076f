"""A test that cannot fail says nothing: every property is seen to fail on a fault that is planted for it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from predictor.events import PushArrived, SyncPlanned, WorkerLeft
from predictor.gate import Gate
from predictor.policies.asp import Asp, AspParams
from predictor.policies.base import Policy, blocking
from predictor.policies.bsp import Bsp, BspParams
from predictor.policies.predictive import Predictive, PredictiveParams
from predictor.policies.rennala import RennalaParams
from predictor.policies.ssp import Ssp, SspParams
from predictor.simulator.worker import VirtualWorker
from predictor.summary import _TAKE, Summary
from predictor.worker_totals import WorkerTotals
from tests.predictor import checks, summary_checks
from tests.predictor.checks import scenarios
from tests.predictor.test_gate import check_slowest
from tests.predictor.test_simulator import check_nobody_waits

seeds = st.integers(0, 1000)
_search = settings(
    deadline=None,
    max_examples=200,
    derandomize=True,
    database=None,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def assert_seen(check: Callable[..., None], *drawn: st.SearchStrategy) -> None:
    """See the check fail for something that is drawn."""

    @_search
    @given(st.tuples(*drawn))
    def property_holds(values):
        check(*values)

    with pytest.raises(AssertionError):
        property_holds()


@dataclass(frozen=True)
class Planted:
    """Parameters that build a faulty policy."""

    build: Callable[[], Policy]
    name: str = "planted"


def planted(build: Callable[[], Policy], **settings) -> st.SearchStrategy:
    return scenarios(st.just(Planted(build)), **settings)


# ---- faulty policies -------------------------------------------------------------------------------------------


class ForgetfulBsp(Bsp):
    """Forgets to release one worker at the barrier."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if verdict.apply:
            verdict.release = verdict.release[:-1]
        return verdict


class EagerBsp(Bsp):
    """Releases the first to come without waiting for the others."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if isinstance(stimulus, PushArrived) and not verdict.apply and len(cluster.pending) == 1:
            # A directive that says "merged" would let the worker wait for the weights that hold its push.
            directive = replace(blocking(stimulus.iteration), push_after="received")
            verdict.release.append((stimulus.worker, directive, "too early"))
            verdict.hold.clear()
        return verdict


class LazyBsp(Bsp):
    """Releases half a second after the barrier was complete."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if isinstance(stimulus, PushArrived) and verdict.apply:
            self.late, verdict.release = verdict.release, []
            verdict.wake_at_s = cluster.now_s + 0.5
        elif not isinstance(stimulus, PushArrived) and hasattr(self, "late"):
            verdict.release += [one for one in self.late if one[0] in cluster.members]
            del self.late
        return verdict


class DeafBsp(Bsp):
    """Does not notice that somebody leaves."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if isinstance(stimulus, WorkerLeft) and stimulus.reason == "died":
            verdict.apply, verdict.release = (), []
        return verdict


class LossyBsp(Bsp):
    """Leaves one push of each round out of the mean, for the next one."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        verdict.apply = list(verdict.apply)[1:]
        return verdict


class GenerousSsp(Ssp):
    """Lets everybody go one iteration further than the threshold."""

    def decide(self, cluster, stimulus):
        promised = self.params
        self.params = replace(promised, threshold=promised.threshold + 1)
        verdict = super().decide(cluster, stimulus)
        self.params = promised
        return verdict


class MourningSsp(Ssp):
    """Goes on counting the clocks of those who left."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if not hasattr(self, "clocks"):
            self.clocks = {}
        self.clocks.update({member.worker: member.clock for member in cluster.members.values()})
        slowest = min(self.clocks.values())
        verdict.release = [one for one in verdict.release if self.clocks[one[0]] - slowest <= self.params.threshold]
        return verdict


class DeafPredictive(Predictive):
    """Waits for the push of workers that are gone, and knows no late rule."""

    def _is_late(self, cluster, member, outlook):
        return False

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if not hasattr(self, "everybody"):
            self.everybody = set()
        self.everybody |= cluster.members.keys()
        if verdict.apply and {push.worker for push in verdict.apply} != self.everybody:
            verdict.apply, verdict.release, verdict.wake_at_s, verdict.plan = (), [], None, None
        return verdict


class MoodyAsp(Asp):
    """Remembers earlier runs."""

    moods = itertools.count()

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        verdict.release = [(who, directive, f"mood {next(self.moods)}") for who, directive, _ in verdict.release]
        return verdict


@pytest.mark.parametrize(
    "build",
    [
        lambda: ForgetfulBsp(BspParams()),
        lambda: DeafBsp(BspParams()),
        lambda: MourningSsp(SspParams(threshold=1)),
        lambda: DeafPredictive(PredictiveParams()),
    ],
)
def test_a_deadlock_is_seen(build):
    assert_seen(checks.check_no_deadlock, planted(build))


def test_an_ssp_with_one_iteration_too_many_is_seen():
    build = lambda: GenerousSsp(SspParams(threshold=2))  # noqa: E731
    assert_seen(lambda scenario: checks.check_bounded_lead(scenario, 2), planted(build))


@pytest.mark.parametrize("build", [lambda: EagerBsp(BspParams()), lambda: Asp(AspParams())])
def test_a_bsp_that_does_not_wait_is_seen_by_the_lead(build):
    assert_seen(lambda scenario: checks.check_bounded_lead(scenario, 0), planted(build))


@pytest.mark.parametrize("build", [lambda: EagerBsp(BspParams()), lambda: LazyBsp(BspParams())])
def test_a_bsp_that_releases_at_another_time_is_seen(build):
    check = lambda scenario: checks.check_bsp_is_ssp_0(scenario, bsp=Planted(build))  # noqa: E731
    assert_seen(check, scenarios(has_deaths=False))


def test_an_ssp_0_that_releases_at_another_time_is_seen():
    ssp = Planted(lambda: GenerousSsp(SspParams(threshold=0)))
    assert_seen(lambda scenario: checks.check_bsp_is_ssp_0(scenario, ssp=ssp), scenarios(has_deaths=False))


def test_a_push_that_is_left_out_is_seen():
    assert_seen(checks.check_every_push_counts_once, planted(lambda: LossyBsp(BspParams()), has_deaths=False))


def test_a_policy_that_remembers_earlier_runs_is_seen():
    build = lambda: MoodyAsp(AspParams())  # noqa: E731
    assert_seen(checks.check_deterministic, planted(build))
    assert_seen(checks.check_replays, planted(build))


def test_a_worker_that_goes_on_with_weights_that_crossed_its_push_is_seen(monkeypatch):
    monkeypatch.setattr(VirtualWorker, "is_at_cap", False)
    predictive = st.just(PredictiveParams(max_local_iterations=1))
    check = lambda scenario: checks.check_the_cap_holds(scenario, 1)  # noqa: E731
    assert_seen(check, scenarios(predictive, has_deaths=False, max_iterations=30))


# ---- faults in the gate, the simulator and the summary ------------------------------------------------------------


def test_a_push_that_is_applied_twice_is_seen(monkeypatch):
    original = Gate._apply

    def keeps_one(gate, *to_be_applied):
        kept = gate._pending[-1]
        original(gate, *to_be_applied)
        gate._pending.append(kept)

    monkeypatch.setattr(Gate, "_apply", keeps_one)
    assert_seen(checks.check_every_push_counts_once, scenarios(st.just(BspParams())))


def test_a_release_with_another_version_is_seen(monkeypatch):
    original = Gate._release
    monkeypatch.setattr(Gate, "_release", lambda gate, *args: replace(original(gate, *args), version=gate.version // 2))
    assert_seen(checks.check_the_log_is_in_order, scenarios())


def test_a_slowest_clock_that_the_dead_hold_down_is_seen(monkeypatch):
    original = Gate._take

    def forgets_the_leaving(gate, stimulus):
        slowest = gate.min_clock, gate.num_slowest
        original(gate, stimulus)
        if isinstance(stimulus, WorkerLeft):
            gate._min_clock, gate._num_slowest = slowest

    monkeypatch.setattr(Gate, "_take", forgets_the_leaving)
    assert_seen(check_slowest, scenarios())


def test_an_answer_that_is_counted_from_an_older_push_is_seen(monkeypatch):
    monkeypatch.setattr(VirtualWorker, "waits_with", lambda worker: worker.answered)
    assert_seen(check_nobody_waits, scenarios(st.just(RennalaParams()), has_deaths=False))


def test_time_that_goes_back_is_seen(monkeypatch):
    original = VirtualWorker.iteration_finished
    monkeypatch.setattr(
        VirtualWorker,
        "iteration_finished",
        lambda worker, at_s, length_s, *rest: original(worker, at_s - length_s, length_s, *rest),
    )
    assert_seen(checks.check_the_log_is_in_order, scenarios())


def test_a_way_down_that_nobody_counts_is_seen(monkeypatch):
    def forgets_the_way_down(worker, at_s, exchange):
        if worker.blocked_from_s is not None:
            worker.transfer_s += max(0.0, min(exchange.arrived_s, at_s) - worker.blocked_from_s)
            worker.blocked_from_s = None

    monkeypatch.setattr(VirtualWorker, "unblock", forgets_the_way_down)
    assert_seen(checks.check_times_add_up, scenarios())


def test_a_running_iteration_that_nobody_counts_is_seen(monkeypatch):
    def forgets_the_running_iteration(worker, at_s, clock):
        worker.unblock(at_s, worker.pushed)
        worker.is_alive, worker.clock = False, clock
        worker.num_done += worker.iteration - worker.joined_with
        worker.wall_s += at_s - worker.joined_s

    monkeypatch.setattr(VirtualWorker, "leave", forgets_the_running_iteration)
    assert_seen(checks.check_times_add_up, scenarios())


def test_a_wait_that_counts_twice_is_seen(monkeypatch):
    monkeypatch.setattr(
        WorkerTotals, "open_wait_s", lambda totals, newest_s: max(0.0, newest_s - (totals.waits_from_s or newest_s))
    )
    assert_seen(summary_checks.check_equals_brute_force, scenarios(max_iterations=5))


def test_a_last_push_whose_way_nobody_counts_is_seen(monkeypatch):
    original = WorkerTotals.leave
    monkeypatch.setattr(WorkerTotals, "leave", lambda totals, at_s, has_finished=False: original(totals, at_s))
    assert_seen(summary_checks.check_equals_simulation, scenarios(has_deaths=False))


def test_a_window_that_is_judged_by_its_first_plan_is_seen(monkeypatch):
    original = Summary._sync_planned

    def keeps_the_first(summary, event):
        if event.version not in summary._totals.plans:
            original(summary, event)

    monkeypatch.setitem(_TAKE, SyncPlanned, keeps_the_first)
    assert_seen(summary_checks.check_equals_brute_force, scenarios(st.just(PredictiveParams()), max_iterations=6))


def test_a_lead_over_those_who_left_is_seen(monkeypatch):
    monkeypatch.setattr(
        Summary, "_min_clock", lambda summary: min((one.clock for one in summary._workers.values()), default=0)
    )
    assert_seen(summary_checks.check_equals_brute_force, scenarios(max_iterations=5))


def test_a_state_that_is_written_down_without_its_plans_is_seen(monkeypatch):
    original = Summary.to_data

    def forgets_plans(summary):
        data = original(summary)
        data["totals"]["plans"] = []
        return data

    monkeypatch.setattr(Summary, "to_data", forgets_plans)
    logs = scenarios(st.just(PredictiveParams()), max_iterations=6)
    assert_seen(summary_checks.check_goes_on_from_its_data, logs, seeds, st.floats(0, 1))


def test_an_exchange_that_is_told_outside_of_a_life_and_dropped_is_seen(monkeypatch):
    original = WorkerTotals.exchange

    def only_in_life(totals, event):
        if totals.joined_at_s is not None:
            original(totals, event)

    monkeypatch.setattr(WorkerTotals, "exchange", only_in_life)
    assert_seen(summary_checks.check_order_of_streams, scenarios(max_iterations=6), seeds)


def test_a_life_shorter_than_what_happened_in_it_is_seen(monkeypatch):
    def by_its_ends_only(totals, newest_s):
        return totals.lived_s + (0.0 if totals.joined_at_s is None else newest_s - totals.joined_at_s)

    monkeypatch.setattr(WorkerTotals, "wall_s", by_its_ends_only)
    assert_seen(summary_checks.check_sane, scenarios(max_iterations=6), seeds)
