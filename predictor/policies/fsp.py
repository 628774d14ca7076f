"""Flexible synchronous parallel: all compute until a common deadline, then take the mean.

After Wang et al., FSP: Towards Flexible Synchronous Parallel Frameworks for Distributed Machine Learning, IEEE TPDS
2023, doi 10.1109/TPDS.2022.3228733. Here a worker stops at the end of an iteration, the first after the deadline.

On our wire: with its release a worker is told to train until it is told otherwise, and pulls meanwhile. At the
deadline all who train are told to push at their next boundary, where they wait. When all members have pushed, the mean
of their accumulated deltas is applied, all are released, and the next round starts. So everybody adds at least one
iteration.

The deadline counts from the start of the round. Without `deadline_s` it is chosen anew for each round from the members'
forecast iteration times (that is ours; the paper balances the cost of an update against its freshness): of all
deadlines up to twice the slowest worker's iteration, the one with the least idle share
sum(latest - p_i) / (N x latest), where p_i is worker i's first end not before the deadline and `latest` the largest of
them; the earliest where several are equal. It is put midway between two forecast ends, since a worker that just misses
it does a whole iteration more. While nothing is known, everybody pushes at the first boundary.

Where something is known of the members, the end of the round that is expected stands in the log, with its window and
each worker's push.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import Annotated, Literal

from predictor.events import DeadlinePassed, Directive, PlannedPush, Retuned, Stimulus
from predictor.forecasters import Forecast
from predictor.params import STRICT, param
from predictor.policies.base import BLOCKING_ALPHA, Cluster, Member, Verdict, blocking
from predictor.policies.cut_forecast import CutForecast
from predictor.policies.rounds import Round, welcome
from predictor.timing import Outlook

_UNTIL_TOLD = 2**31 - 1  # as `Directive.push_at`
_LONGEST = 2.0  # adaptive deadline, in iterations of the slowest worker
_MAX_ENDS = 64  # of one worker before the longest deadline; one that is faster is taken for one that has as many
_TIE = 1e-6  # relative difference of ends, absolute difference of idle shares, that is noise


@dataclass(frozen=True)
class FspParams:
    """Flexible synchronous parallel: everybody trains until a common deadline, then all take the mean."""

    __pydantic_config__ = STRICT

    name: Literal["fsp"] = "fsp"
    deadline_s: Annotated[
        float | None,
        param(
            "When a round ends, counted from its start; without it, chosen from forecasts.", unit="s", gt=0, le=86_400
        ),
    ] = None

    def build(self) -> Fsp:
        return Fsp(self)


def least_idle_deadline(lengths_s: Sequence[float]) -> float:
    """Choose the deadline of a round, in seconds from its start. O(M log N) for M forecast ends.

    Args:
        lengths_s: forecast length of each worker's iterations, at least one, > 0.
    """
    longest_s = max(lengths_s)
    limit_s = _LONGEST * longest_s
    lengths = [max(one, limit_s / _MAX_ENDS) for one in lengths_s]
    ends = [(one, number) for number, one in enumerate(lengths)]  # each worker's first end not before the deadline
    heapify(ends)
    num, sum_s, latest_s = len(lengths), sum(lengths), max(lengths)
    before_s, best_s, least_idle = 0.0, 0.0, float("inf")
    while ends[0][0] <= limit_s:
        end_s, number = ends[0]
        idle = 1 - sum_s / (num * latest_s)
        if end_s - before_s > _TIE * longest_s and idle < least_idle - _TIE:
            best_s, least_idle = (before_s + end_s) / 2, idle
        before_s = end_s
        heapreplace(ends, (end_s + lengths[number], number))
        sum_s += lengths[number]
        latest_s = max(latest_s, end_s + lengths[number])
    return best_s


class Fsp:
    """See the head of this module. A decision costs O(1); at a deadline or a barrier O(N), adaptive O(M log N)."""

    forecasts = True

    def __init__(self, params: FspParams) -> None:
        self.params = params
        self._round = Round()
        self._started_s = 0.0
        self._due_s: float | None = None  # of the round; None while there are no members
        self._is_told = False  # the deadline has passed, and the members were told
        self._cut = CutForecast()

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        self._round.take(stimulus)
        self._cut.learn(stimulus)
        if self._round.is_complete(cluster):
            self._cut.close(cluster.now_s)
            reason = self._round.close(cluster, verdict)
            self._open(cluster, verdict, cluster.now_s)
            for member in cluster.members.values():
                verdict.release.append((member.worker, self._directive(member), reason))
            return verdict
        if not cluster.members:
            self._due_s = None
        elif self._due_s is None:
            self._open(cluster, verdict, cluster.now_s)
        elif isinstance(stimulus, Retuned) and not self._is_told:
            self._open(cluster, verdict, self._started_s)
        # A timer may fire a hair early, but there is never another one: it is the deadline in any case.
        if self._due_s is not None and (isinstance(stimulus, DeadlinePassed) or cluster.now_s >= self._due_s):
            self._pass_deadline(cluster, verdict)
        if newcomer := self._round.newcomer(cluster, stimulus):
            verdict.release.append((newcomer.worker, self._directive(newcomer), welcome(stimulus)))
        self._round.hold(cluster, stimulus, verdict)
        return verdict

    def _open(self, cluster: Cluster, verdict: Verdict, started_s: float) -> None:
        """Start a round, or choose the deadline of the running one anew."""
        self._started_s, self._is_told, self._due_s = started_s, False, None
        if not cluster.members:
            return
        length_s = self.params.deadline_s
        # Who is unknown does not bend the deadline.
        known = [(m, forecast) for m in cluster.members.values() if (forecast := m.forecaster.forecast())]
        known = [(member, forecast) for member, forecast in known if forecast.mean_s > 0]
        if length_s is None:
            length_s = least_idle_deadline([forecast.mean_s for _, forecast in known]) if known else 0.0
        self._due_s = started_s + length_s
        if known:
            self._announce(cluster, verdict, known)
        if self._due_s <= cluster.now_s:
            self._pass_deadline(cluster, verdict)
        else:
            verdict.wake_at_s = self._due_s

    def _announce(self, cluster: Cluster, verdict: Verdict, known: Sequence[tuple[Member, Forecast]]) -> None:
        """Put into the log when this round is expected to end, and each push of those who are known."""
        due_s, up_s = self._due_s or cluster.now_s, self._cut.up_s
        ends_s: dict[int, float] = {}
        pushes = []
        for member, forecast in known:
            begun_s = cluster.now_s + self._cut.down_s if member.is_waiting else member.running_since_s
            outlook = Outlook(begun_s, forecast, forecast)
            num = outlook.first_after(due_s - _TIE * forecast.mean_s)
            ends_s[member.worker] = end_s = outlook.end_s(num)
            low_s, high_s = outlook.interval_s(num)
            planned = PlannedPush(member.worker, member.iteration + num, end_s + up_s, low_s + up_s, high_s + up_s)
            pushes.append(planned)
        length_s = due_s - self._started_s
        why = f"first ends after the deadline, {length_s:.3f} s after the round's start"
        verdict.plan = self._cut.plan(cluster.now_s, self._started_s + self._cut.down_s, ends_s, pushes, why)

    def _pass_deadline(self, cluster: Cluster, verdict: Verdict) -> None:
        """Tell all who train to push at their next boundary; once a round."""
        if self._is_told:
            return
        self._is_told = True
        self._due_s = cluster.now_s
        reason = f"the deadline, {cluster.now_s - self._started_s:.3f} s after the round's start, has passed"
        for member in cluster.members.values():
            if not member.is_waiting and self._round.is_awaited(member.worker):
                verdict.redirect.append((member.worker, blocking(member.iteration), reason))

    def _directive(self, member: Member) -> Directive:
        if self._is_told:
            return blocking(member.iteration)
        return Directive(_UNTIL_TOLD, max_ahead=0, alpha=BLOCKING_ALPHA)
