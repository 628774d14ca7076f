"""The checks of the peer policies are seen to fail on faults that are planted for them."""

from __future__ import annotations

from hypothesis import strategies as st

from predictor.events import AggregateApplied, PushArrived, Retuned, WorkerLeft
from predictor.policies.base import Verdict, apply_newest, blocking
from predictor.policies.dssp import Dssp, DsspParams
from predictor.policies.dssp_literal import DsspLiteral
from predictor.policies.fsp import Fsp, FspParams
from predictor.policies.local_sgd import LocalSgdParams
from predictor.policies.rennala import Rennala, RennalaParams
from predictor.policies.ringmaster import Ringmaster, RingmasterParams
from predictor.policies.rounds import Round
from predictor.simulator import simulate
from tests.predictor.checks import check_no_deadlock, of, record, scenarios
from tests.predictor.test_peers_robustness import check_all_are_released, check_all_is_settled_once, crowd_after
from tests.predictor.test_planted_faults import Planted, assert_seen


def seen_in_a_crowd(check, name, policy):
    assert_seen(lambda data: check(crowd_after(name, data, policy)), st.data())


def test_a_round_that_waits_for_the_dead_is_seen(monkeypatch):
    def waits_for_the_dead(self, cluster):
        self.everybody = getattr(self, "everybody", set()) | cluster.members.keys()
        return self._arrived >= self.everybody and bool(cluster.pending)

    monkeypatch.setattr(Round, "is_complete", waits_for_the_dead)
    monkeypatch.setattr(Round, "hold", lambda *_: None)  # there is nobody whom it could name
    seen_in_a_crowd(check_all_are_released, "local_sgd", LocalSgdParams())
    assert_seen(check_no_deadlock, scenarios(st.just(LocalSgdParams())))


def test_a_round_that_leaves_out_a_push_is_seen(monkeypatch):
    original = Round.close

    def forgets_the_first(self, cluster, verdict):
        reason = original(self, cluster, verdict)
        verdict.apply = list(verdict.apply)[1:]
        return reason

    monkeypatch.setattr(Round, "close", forgets_the_first)
    seen_in_a_crowd(check_all_is_settled_once, "local_sgd", LocalSgdParams())


class DeafDssp(Dssp):
    """Does not look who may go on when somebody leaves, or pushes."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        own = getattr(stimulus, "worker", None)
        verdict.release = [one for one in verdict.release if one[0] == own]
        return verdict


def test_a_dssp_that_forgets_who_waits_is_seen():
    params = DsspParams(threshold_low=0, threshold_high=2)
    seen_in_a_crowd(check_all_are_released, "dssp", Planted(lambda: DeafDssp(params)))


def test_a_dssp_without_its_cap_is_seen():
    params = DsspParams(threshold_low=0, threshold_high=2)

    def is_bounded(scenario):
        assert simulate(scenario).max_lead <= 2

    assert_seen(is_bounded, scenarios(st.just(Planted(lambda: DsspLiteral(params))), max_iterations=30))


class StrictRennala(Rennala):
    """Does not answer a gradient that it discards."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if verdict.discard:
            verdict.release = []
        return verdict


class HoardingRennala(Rennala):
    """Keeps stale gradients, and counts them."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        verdict.discard = []
        return verdict


class DeafRennala(Rennala):
    """Does not hear that everybody has left."""

    def decide(self, cluster, stimulus):
        return Verdict() if isinstance(stimulus, WorkerLeft | Retuned) else super().decide(cluster, stimulus)


def test_a_discarded_push_without_an_answer_is_seen():
    strict = Planted(lambda: StrictRennala(RennalaParams(num_gradients=2)))
    seen_in_a_crowd(check_all_are_released, "rennala", strict)
    assert_seen(check_no_deadlock, scenarios(st.just(strict)))


def test_a_push_that_lies_there_for_ever_is_seen():
    planted = Planted(lambda: DeafRennala(RennalaParams(num_gradients=3)))
    seen_in_a_crowd(check_all_is_settled_once, "rennala", planted)


def check_staleness(scenario, most):
    for aggregate in of(AggregateApplied, record(scenario)[0]):
        assert all(one.staleness <= most for one in aggregate.contributions)


def test_a_rennala_that_counts_stale_gradients_is_seen():
    planted = Planted(lambda: HoardingRennala(RennalaParams(num_gradients=3)))
    assert_seen(lambda scenario: check_staleness(scenario, 0), scenarios(st.just(planted)))


class LenientRingmaster(Ringmaster):
    """Applies everything."""

    def decide(self, cluster, stimulus):
        verdict = super().decide(cluster, stimulus)
        if verdict.discard:
            verdict.discard = []
            apply_newest(verdict, cluster)
        return verdict


def test_a_ringmaster_that_applies_what_is_too_stale_is_seen():
    planted = Planted(lambda: LenientRingmaster(RingmasterParams(max_staleness=2)))
    assert_seen(lambda scenario: check_staleness(scenario, 1), scenarios(st.just(planted)))


class HastyFsp(Fsp):
    """Lets everybody push after one iteration, whatever the deadline."""

    def _directive(self, member):
        return blocking(member.iteration)


def test_an_fsp_that_does_not_wait_for_its_deadline_is_seen():
    def sums_up(scenario):
        pushes = of(PushArrived, record(scenario)[0])
        assert not pushes or max(push.num_iterations for push in pushes) > 1 or scenario.iterations == 1

    planted = Planted(lambda: HastyFsp(FspParams(deadline_s=1000.0)))
    assert_seen(sums_up, scenarios(st.just(planted), has_deaths=False))
