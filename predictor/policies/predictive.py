"""Predicted synchronisation: our reconstruction of Zeng et al. (CollaborateCom 2023), METHOD section 4.

Only the paper's abstract is public: it predicts the best moment to synchronise and lets fast nodes go on with
local training meanwhile. How that is done here:

* Global rounds. At every push and report the next cut is planned anew from the forecast ends of each worker's
  iterations (`predictor.timing`), and each worker is told at which iteration to push.
* After its push a worker goes on training. The aggregate is applied when all have pushed; what comes back is
  merged as `weights = pulled + alpha x (own steps not in it)`. A worker waits only when it is
  `max_local_iterations` past its push.
* A round's latest cut is fixed when it opens, so that re-planning cannot put it off for ever.
* Late rule: a worker whose push is overdue (past the 95% quantile of its forecast, or past the latest cut) is
  not waited for until it is heard of again. It no longer bends the plan, rounds are closed without it, and its
  push joins the round that is open when it arrives. So one stall freezes nobody.
* Forecasts are judged by what happened (`predictor.forecasters.trust`). While they are not trusted no cut is
  planned: each push is applied when it arrives and answered at once, which needs no forecast. `rounds = "if_worth"`
  does the same while messages travel so fast that a round, in which everybody trains alone, costs more than waiting
  for the answer (`predictor.policies.at_once`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import (
    DeadlinePassed,
    Directive,
    IterationReported,
    PlannedPush,
    PushArrived,
    Stimulus,
    WorkerJoined,
    WorkerLeft,
)
from predictor.forecasters import Forecast
from predictor.forecasters.cuts import CutWindows
from predictor.params import STRICT, param
from predictor.policies.at_once import AtOnce
from predictor.policies.base import Cluster, Member, Plan, Verdict, apply_newest, names
from predictor.policies.expectation import Expectation
from predictor.timing import Cut, Outlook, least_idle_cut

_LINK_WEIGHT = 0.1  # of the newest message in the mean times that a push, and weights, travel
_SAME_PLAN = 0.02  # a cut that moves by less than this share of the round is not announced again


@dataclass(frozen=True)
class PredictiveParams:
    """Predicted synchronisation: cut where the forecast idle share is least, while all go on training."""

    __pydantic_config__ = STRICT

    name: Literal["predictive"] = "predictive"
    max_local_iterations: Annotated[
        int, param("Iterations that a worker may go on between a push and its merge.", unit="iterations", ge=0, le=1000)
    ] = 4
    alpha: Annotated[
        float, param("Share of its own unmerged steps that a worker keeps when new weights land.", ge=0, le=1)
    ] = 0.5
    horizon: Annotated[
        float, param("Longest round, in lengths of the shortest possible one.", ge=1, le=100, advanced=True)
    ] = 2.0
    rounds: Annotated[
        Literal["always", "if_worth"],
        param("Whether pushes are answered at once where their way is short, without rounds.", advanced=True),
    ] = "always"

    def build(self) -> Predictive:
        return Predictive(self)


class Predictive:
    """See the head of this module."""

    forecasts = True

    def __init__(self, params: PredictiveParams) -> None:
        self.params = params
        self._round_started_s = 0.0
        self._limit_s: float | None = None  # latest cut of this round; None until its first plan
        self._late: set[int] = set()  # workers that are not waited for
        self._num_members = 1  # when the newest push arrived: a delta weighs 1/N of then, whoever leaves later
        self._uplink_s = 0.0  # mean time that a push travels
        self._down_s = 0.0  # and that weights travel
        self._resumed_s: dict[int, float] = {}  # when a worker that waited was released: it goes on when they land
        self._announced: tuple[int, float] | None = None  # version and cut of the last plan in the log
        self._wake_at_s: float | None = None  # what the gate was asked for
        self._expectations: dict[int, Expectation] = {}
        self._newcomer: Forecast | None = None  # what is expected of a worker of which nothing is known
        self._has_looked = False  # for that, at this decision
        self._windows = CutWindows()
        self._at_once = AtOnce()

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        self._learn(cluster, stimulus)
        self._has_looked = False
        verdict = Verdict()
        if self._at_once.reason:
            self._answer(cluster, verdict, stimulus)
            return verdict
        arrived = {push.worker for push in cluster.pending}
        missing = [m for m in cluster.members.values() if m.worker not in arrived]
        late, self._late = self._late, set()
        awaited: dict[int, Expectation | None] = {}
        now_s, kept, limit_s, uplink_s = cluster.now_s, self._expectations, self._limit_s, self._uplink_s
        for member in missing:
            worker = member.worker
            expectation = kept.get(worker)
            if expectation is None or not expectation.holds(member, now_s):
                expectation = self._expectation(cluster, member)
            elif worker not in late and now_s < expectation.first_due_s(limit_s) + uplink_s:
                awaited[worker] = expectation  # nothing has changed, and no push of it can be overdue
                continue
            if worker in late or (expectation and self._is_overdue(now_s, member, expectation)):
                self._late.add(worker)
            else:
                awaited[worker] = expectation
        if cluster.pending and not awaited:
            self._close_round(cluster, verdict)
            return verdict
        push_at = self._plan(cluster, verdict, awaited, [push.ended_at_s for push in cluster.pending])
        if isinstance(stimulus, WorkerJoined):
            directive = self._directive(push_at.get(stimulus.worker, stimulus.iteration + 1))
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        elif isinstance(stimulus, PushArrived) and stimulus.is_blocking:
            self._let_go(cluster, verdict, stimulus.worker)
        self._hold(cluster, verdict, missing)
        return verdict

    def _learn(self, cluster: Cluster, stimulus: Stimulus) -> None:
        if isinstance(stimulus, PushArrived):
            self._num_members = len(cluster.members)
            weight = _LINK_WEIGHT if self._uplink_s else 1.0
            self._uplink_s += weight * (max(0.0, stimulus.at_s - stimulus.ended_at_s) - self._uplink_s)
        if isinstance(stimulus, PushArrived | IterationReported):
            self._late.discard(stimulus.worker)
            if stimulus.down_s > 0:
                weight = _LINK_WEIGHT if self._down_s else 1.0
                self._down_s += weight * (stimulus.down_s - self._down_s)
            self._judge(cluster, stimulus)
        if isinstance(stimulus, WorkerJoined | WorkerLeft):
            self._expectations.pop(stimulus.worker, None)  # another life begins with another forecaster
            self._at_once.trust.forget(stimulus.worker)
            self._choose(cluster)
        if isinstance(stimulus, DeadlinePassed):
            self._wake_at_s = None

    def _judge(self, cluster: Cluster, boundary: PushArrived | IterationReported) -> None:
        """Compare what was expected of an iteration with what it took; begin or end to answer at once."""
        forecast = cluster.members[boundary.worker].forecaster.forecast()
        expected_s = None if forecast is None else forecast.mean_s
        self._at_once.trust.learn(boundary.worker, boundary.compute_s, expected_s)
        self._choose(cluster)

    def _choose(self, cluster: Cluster) -> None:
        """Begin or end to answer at once; where that ends a round begins."""
        was_at_once = bool(self._at_once.reason)
        self._at_once.choose(self._uplink_s + (self._down_s or self._uplink_s), self.params.rounds)
        if was_at_once and not self._at_once.reason:
            self._round_started_s, self._limit_s = cluster.now_s, None
            self._windows.open(cluster.now_s)

    def _answer(self, cluster: Cluster, verdict: Verdict, stimulus: Stimulus) -> None:
        """Apply a push at its arrival and answer it at once; no cut is planned, and nobody is held."""
        if not self._at_once.has_begun:
            self._at_once.has_begun = True
            self._leave_rounds(cluster, verdict, stimulus)
        elif isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
            verdict.release.append((stimulus.worker, self._free(cluster, stimulus.worker), self._at_once.reason))
        elif isinstance(stimulus, WorkerJoined):
            first = self._free(cluster, stimulus.worker)
            verdict.release.append((stimulus.worker, first, "joined: gets the first weights"))

    def _leave_rounds(self, cluster: Cluster, verdict: Verdict, stimulus: Stimulus) -> None:
        """Apply what has arrived in the open round, release those who pushed or wait, and let the others push."""
        reason = self._at_once.reason
        self._late.clear()
        self._expectations.clear()
        answered = {push.worker for push in cluster.pending}
        if answered:
            verdict.apply, verdict.scale = list(cluster.pending), 1 / self._num_members
            verdict.apply_reason = f"the round ends here; {reason}"
        for member in cluster.members.values():
            told = verdict.release if member.worker in answered or member.is_waiting else verdict.redirect
            has_joined = isinstance(stimulus, WorkerJoined) and stimulus.worker == member.worker
            why = "joined: gets the first weights" if has_joined else reason
            told.append((member.worker, self._free(cluster, member.worker), why))

    def _free(self, cluster: Cluster, worker: int) -> Directive:
        """Give the directive of a worker that is answered at once."""
        patience_s = self._at_once.patience_s(worker, self._uplink_s + self._down_s)
        push_at = cluster.members[worker].iteration + 1
        return Directive(push_at, self.params.max_local_iterations, self.params.alpha, patience_s=patience_s)

    def _close_round(self, cluster: Cluster, verdict: Verdict) -> None:
        """Apply what has arrived, release everybody into the next round, and plan that."""
        reason = f"{names([push.worker for push in cluster.pending])} pushed"
        if self._late:
            reason += f"; overdue: {names(sorted(self._late))}"
        verdict.apply = list(cluster.pending)
        verdict.scale = 1 / self._num_members
        verdict.apply_reason = reason
        self._windows.close(cluster.now_s)
        self._expectations.clear()  # who waits goes on, and who pushed may push again when new weights have landed
        self._round_started_s, self._limit_s = cluster.now_s, None
        members = cluster.members.values()
        awaited = {m.worker: self._expectation(cluster, m) for m in members if m.worker not in self._late}
        push_at = self._plan(cluster, verdict, awaited, [])
        verdict.redirect.clear()  # the releases carry the new directives
        released = f"synchronised: {reason}"
        for member in cluster.members.values():
            if member.is_waiting:
                self._resumed_s[member.worker] = cluster.now_s
            directive = self._directive(push_at.get(member.worker, member.iteration + 1))
            verdict.release.append((member.worker, directive, released))

    def _let_go(self, cluster: Cluster, verdict: Verdict, worker: int) -> None:
        """Release a worker that waits for an answer at once, as it was told before this round began."""
        member = cluster.members[worker]
        if member.directive.patience_s is not None and self.params.max_local_iterations > 0:
            self._resumed_s[worker] = cluster.now_s
            verdict.release.append((worker, self._directive(member.iteration + 1), "goes on until the cut"))

    def _hold(self, cluster: Cluster, verdict: Verdict, missing: Sequence[Member]) -> None:
        """Tell why they wait who have pushed and are at their limit."""
        not_pushed = {m.worker for m in missing}
        has_pushed = [m for m in cluster.members.values() if m.is_waiting and m.worker not in not_pushed]
        if not has_pushed:
            return
        waits_for = [m.worker for m in missing]
        whom = names(waits_for)
        for member in has_pushed:
            num = member.iteration - member.clock
            reason = f"waits for the push of {whom}: {num} iterations past its own, the limit"
            verdict.hold.append((member.worker, tuple(waits_for), reason))

    def _directive(self, push_at: int) -> Directive:
        return Directive(push_at, self.params.max_local_iterations, self.params.alpha)

    # ---- planning ---------------------------------------------------------------------------------------

    def _plan(
        self, cluster: Cluster, verdict: Verdict, awaited: dict[int, Expectation | None], arrived: Sequence[float]
    ) -> dict[int, int]:
        """Plan this round's cut; give the iteration at which each awaited worker shall push.

        Nothing is planned while nothing was ever observed: each worker pushes at its next boundary.
        """
        expected = {worker: one for worker, one in awaited.items() if one}
        if not expected:
            return {}
        if self._limit_s is None:
            shortest_s = max(one.outlook.end_s(one.first) for one in expected.values()) - self._round_started_s
            self._limit_s = self._round_started_s + self.params.horizon * max(0.0, shortest_s)
        limit_s = max(self._limit_s, cluster.now_s)
        cut = least_idle_cut(
            {worker: one.ends_s(limit_s) for worker, one in expected.items()}, arrived, self._round_started_s, limit_s
        )
        reason = f"cut planned for {cut.at_s:.3f} s"
        push_at: dict[int, int] = {}
        dues_s: list[float] = []
        max_ahead, alpha = self.params.max_local_iterations, self.params.alpha
        for worker, one in expected.items():
            num = cut.num_iterations[worker] + one.first - 1
            push_at[worker] = iteration = one.iteration + num
            dues_s.append(one.due_s(num, self._limit_s))
            held = cluster.members[worker].directive
            is_told = held.push_at == iteration and held.max_ahead == max_ahead and held.alpha == alpha
            if not is_told or held.patience_s is not None:
                verdict.redirect.append((worker, self._directive(iteration), reason))
        self._announce(cluster, verdict, cut, expected, push_at)
        self._wake(verdict, min(dues_s) + self._uplink_s)
        return push_at

    def _expect(self, expectation: Expectation, worker: int, push_at: int) -> PlannedPush:
        """Say when the push will arrive; it is not waited for longer than until it is overdue."""
        outlook, num = expectation.outlook, push_at - expectation.iteration
        due_s = expectation.due_s(num, self._limit_s) + self._uplink_s
        low_s, high_s = (min(quantile_s + self._uplink_s, due_s) for quantile_s in outlook.interval_s(num))
        return PlannedPush(worker, push_at, min(outlook.end_s(num) + self._uplink_s, due_s), low_s, high_s)

    def _announce(
        self,
        cluster: Cluster,
        verdict: Verdict,
        cut: Cut,
        expected: Mapping[int, Expectation],
        push_at: Mapping[int, int],
    ) -> None:
        """Put the plan into the log, unless it is the one that stands there."""
        version = cluster.version + (2 if verdict.apply else 1)
        tolerance_s = _SAME_PLAN * (cut.at_s - self._round_started_s)
        if self._announced and self._announced[0] == version and abs(self._announced[1] - cut.at_s) <= tolerance_s:
            return
        self._announced = (version, cut.at_s)
        planned = tuple([self._expect(one, worker, push_at[worker]) for worker, one in expected.items()])
        low_s, cut_s, high_s = self._windows.plan(cluster.now_s, max(push.expected_at_s for push in planned))
        late = f"; overdue: {names(sorted(self._late))}" if self._late else ""
        verdict.plan = Plan(
            cut_at_s=cut_s,
            low_at_s=low_s,
            high_at_s=high_s,
            idle_fraction=cut.idle_fraction,
            pushes=planned,
            reason=f"least idle share {100 * cut.idle_fraction:.1f}%{late}",
        )

    def _wake(self, verdict: Verdict, due_s: float) -> None:
        """Ask to be woken when a push becomes overdue. An earlier wish stands: it will lead to this one."""
        if self._wake_at_s is None or due_s < self._wake_at_s:
            self._wake_at_s = verdict.wake_at_s = due_s

    # ---- forecasts --------------------------------------------------------------------------------------

    def _expectation(self, cluster: Cluster, member: Member) -> Expectation | None:
        """Find out what is expected of a member, and keep it for as long as nothing that it rests on has changed.

        A newcomer is taken for the slowest known; None while none is known.
        """
        started_s = cluster.now_s if member.is_waiting else member.running_since_s
        if member.is_waiting or self._resumed_s.get(member.worker) == started_s:
            started_s += self._down_s
        # That an iteration has ended with a push is known only when the push has come.
        silent_s = self._uplink_s if member.directive.push_at <= member.iteration + 1 else 0.0
        elapsed_s = max(0.0, cluster.now_s - silent_s - started_s)
        running = member.forecaster.forecast(elapsed_s)
        later = member.forecaster.forecast()
        until_s = -math.inf
        if running is None or later is None:
            running = later = self._slowest(cluster)
            if running is None or later is None:
                return None
        else:
            # Time that passes tells nothing before the iteration can have ended, and little at each moment after.
            until_s = started_s + silent_s + max(later.low_s, elapsed_s + _SAME_PLAN * later.mean_s)
        outlook = Outlook(started_s, running, later)
        first = outlook.first_after(self._round_started_s + self._down_s)
        kept = Expectation(outlook, first, (member.iteration, member.running_since_s, until_s))
        self._expectations[member.worker] = kept
        return kept

    def _slowest(self, cluster: Cluster) -> Forecast | None:
        """Give the forecast of the slowest member of which anything is known; looked up once for each decision."""
        if not self._has_looked:
            self._has_looked = True
            known = [f for m in cluster.members.values() if (f := m.forecaster.forecast())]
            self._newcomer = max(known, key=lambda forecast: forecast.mean_s, default=None)
        return self._newcomer

    def _is_overdue(self, now_s: float, member: Member, expectation: Expectation) -> bool:
        num = max(expectation.first, member.directive.push_at - member.iteration)
        # Exactly what `_wake` was told: rounded otherwise, a wake-up could come a hair too early, again and again.
        return now_s >= expectation.due_s(num, self._limit_s) + self._uplink_s
