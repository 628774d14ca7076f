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
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
)
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Member, Plan, Verdict, names
from predictor.timing import Cut, Outlook, least_idle_cut

_UPLINK_WEIGHT = 0.1  # of the newest push in the mean time that a push travels
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

    def build(self) -> Predictive:
        return Predictive(self)


class Predictive:
    """See the head of this module."""

    def __init__(self, params: PredictiveParams) -> None:
        self.params = params
        self._round_started_s = 0.0
        self._limit_s: float | None = None  # latest cut of this round; None until its first plan
        self._late: set[int] = set()  # workers that are not waited for
        self._num_members = 1  # when the newest push arrived: a delta weighs 1/N of then, whoever leaves later
        self._uplink_s = 0.0  # mean time that a push travels
        self._announced: tuple[int, float] | None = None  # version and cut of the last plan in the log
        self._wake_at_s: float | None = None  # what the gate was asked for

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        self._learn(cluster, stimulus)
        verdict = Verdict()
        arrived = {push.worker for push in cluster.pending}
        missing = [m for m in cluster.members.values() if m.worker not in arrived]
        self._late = {m.worker for m in missing if m.worker in self._late or self._is_overdue(cluster, m)}
        awaited = [m for m in missing if m.worker not in self._late]
        if cluster.pending and not awaited:
            self._close_round(cluster, verdict)
            return verdict
        push_at = self._plan(cluster, verdict, awaited, [push.ended_at_s for push in cluster.pending])
        if isinstance(stimulus, WorkerJoined):
            directive = self._directive(push_at.get(stimulus.worker, stimulus.iteration + 1))
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        self._hold(cluster, verdict, [m.worker for m in missing])
        return verdict

    def _learn(self, cluster: Cluster, stimulus: Stimulus) -> None:
        if isinstance(stimulus, PushArrived):
            self._num_members = len(cluster.members)
            self._uplink_s += _UPLINK_WEIGHT * (max(0.0, stimulus.at_s - stimulus.ended_at_s) - self._uplink_s)
        if isinstance(stimulus, PushArrived | IterationReported):
            self._late.discard(stimulus.worker)
        if isinstance(stimulus, DeadlinePassed):
            self._wake_at_s = None

    def _close_round(self, cluster: Cluster, verdict: Verdict) -> None:
        """Apply what has arrived, release everybody into the next round, and plan that."""
        reason = f"{names([push.worker for push in cluster.pending])} pushed"
        if self._late:
            reason += f"; overdue: {names(sorted(self._late))}"
        verdict.apply = list(cluster.pending)
        verdict.scale = 1 / self._num_members
        verdict.apply_reason = reason
        self._round_started_s, self._limit_s = cluster.now_s, None
        awaited = [m for m in cluster.members.values() if m.worker not in self._late]
        push_at = self._plan(cluster, verdict, awaited, [])
        verdict.redirect.clear()  # the releases carry the new directives
        for member in cluster.members.values():
            directive = self._directive(push_at.get(member.worker, member.iteration + 1))
            verdict.release.append((member.worker, directive, f"synchronised: {reason}"))

    def _hold(self, cluster: Cluster, verdict: Verdict, missing: list[int]) -> None:
        for member in cluster.members.values():
            if member.is_waiting and member.worker not in missing:
                num = member.iteration - member.clock
                reason = f"waits for the push of {names(missing)}: {num} iterations past its own, the limit"
                verdict.hold.append((member.worker, tuple(missing), reason))

    def _directive(self, push_at: int) -> Directive:
        return Directive(push_at, self.params.max_local_iterations, self.params.alpha)

    # ---- planning ---------------------------------------------------------------------------------------

    def _plan(
        self, cluster: Cluster, verdict: Verdict, awaited: Sequence[Member], arrived: Sequence[float]
    ) -> dict[int, int]:
        """Plan this round's cut; give the iteration at which each awaited worker shall push.

        Nothing is planned while nothing was ever observed: each worker pushes at its next boundary.
        """
        outlooks = {m.worker: outlook for m in awaited if (outlook := self._outlook(cluster, m))}
        if not outlooks:
            return {}
        if self._limit_s is None:
            shortest_s = max(outlook.end_s(1) for outlook in outlooks.values()) - self._round_started_s
            self._limit_s = self._round_started_s + self.params.horizon * max(0.0, shortest_s)
        limit_s = max(self._limit_s, cluster.now_s)
        ends = {worker: outlook.ends_s(limit_s) for worker, outlook in outlooks.items()}
        cut = least_idle_cut(ends, arrived, self._round_started_s, limit_s)
        push_at = {m.worker: m.iteration + cut.num_iterations[m.worker] for m in awaited}
        for worker, iteration in push_at.items():
            verdict.redirect.append((worker, self._directive(iteration), f"cut planned for {cut.at_s:.3f} s"))
        pushes = [self._expect(worker, outlook, cut, push_at) for worker, outlook in outlooks.items()]
        self._announce(cluster, verdict, cut, pushes)
        self._wake(verdict, min(self._due_s(outlook, cut.num_iterations[w]) for w, outlook in outlooks.items()))
        return push_at

    def _expect(self, worker: int, outlook: Outlook, cut: Cut, push_at: dict[int, int]) -> PlannedPush:
        """Say when the push will arrive; it is not waited for longer than until it is overdue."""
        num = cut.num_iterations[worker]
        due_s = self._due_s(outlook, num)
        low_s, high_s = (min(quantile_s + self._uplink_s, due_s) for quantile_s in outlook.interval_s(num))
        return PlannedPush(worker, push_at[worker], min(outlook.end_s(num) + self._uplink_s, due_s), low_s, high_s)

    def _announce(self, cluster: Cluster, verdict: Verdict, cut: Cut, pushes: list[PlannedPush]) -> None:
        """Put the plan into the log, unless it is the one that stands there."""
        version = cluster.version + (2 if verdict.apply else 1)
        tolerance_s = _SAME_PLAN * (cut.at_s - self._round_started_s)
        if self._announced and self._announced[0] == version and abs(self._announced[1] - cut.at_s) <= tolerance_s:
            return
        self._announced = (version, cut.at_s)
        late = f"; overdue: {names(sorted(self._late))}" if self._late else ""
        verdict.plan = Plan(
            cut_at_s=max(push.expected_at_s for push in pushes),
            low_at_s=max(push.low_at_s for push in pushes),
            high_at_s=max(push.high_at_s for push in pushes),
            idle_fraction=cut.idle_fraction,
            pushes=tuple(pushes),
            reason=f"least idle share {100 * cut.idle_fraction:.1f}%{late}",
        )

    def _wake(self, verdict: Verdict, due_s: float) -> None:
        """Ask to be woken when a push becomes overdue. An earlier wish stands: it will lead to this one."""
        if self._wake_at_s is None or due_s < self._wake_at_s:
            self._wake_at_s = verdict.wake_at_s = due_s

    # ---- forecasts --------------------------------------------------------------------------------------

    def _outlook(self, cluster: Cluster, member: Member) -> Outlook | None:
        """Give what is expected of a member; a newcomer is taken for the slowest known, None while none is known."""
        started_s = cluster.now_s if member.is_waiting else member.running_since_s
        running = member.forecaster.forecast(max(0.0, cluster.now_s - started_s))
        later = member.forecaster.forecast()
        if running is None or later is None:
            known = [f for m in cluster.members.values() if (f := m.forecaster.forecast())]
            running = later = max(known, key=lambda forecast: forecast.mean_s, default=None)
        return Outlook(started_s, running, later) if running and later else None

    def _due_s(self, outlook: Outlook, num_iterations: int) -> float:
        """Give the arrival time from which a push is overdue."""
        limit_s = self._limit_s if self._limit_s is not None else math.inf
        return outlook.due_s(num_iterations, limit_s) + self._uplink_s

    def _is_overdue(self, cluster: Cluster, member: Member) -> bool:
        outlook = self._outlook(cluster, member)
        num_iterations = max(1, member.directive.push_at - member.iteration)
        return outlook is not None and cluster.now_s >= self._due_s(outlook, num_iterations)
