"""Dynamic SSP as printed (Zhao et al. 2019, Dynamic Stale Synchronous Parallel, arXiv:1908.11848, Algorithm 1).

Every push is applied at once with weight 1/N. Then, for the worker p that pushed:

1. While a grant is left for p, each of its pushes spends one of it, and p goes on.
2. Otherwise it goes on if its lead is at most `threshold_low`.
3. Otherwise, if p is (among) the fastest, the controller grants it the r* further iterations after which it would
   have to wait least for the slowest worker s; p goes on if r* > 0:

       r* = argmin over r, k in [0, high - low] of |Sim_s[k] - Sim_p[r]|,   the smallest r where several are equal
       Sim_p[i] = A_p + i I_p,   Sim_s[k] = A_s + (k + 1) I_s
       A = arrival of the worker's last push, I = the interval between its last two (with its waiting, as printed)

4. Otherwise it waits until its lead is at most `threshold_low`.

As printed, the push that is granted r* is not charged for it, so r* + 1 iterations follow; and a worker whose grant
is used up asks for another one. So its lead is not bounded by `threshold_high`: `dssp` mends that.
Nothing is granted while the slowest worker has fewer than two pushes, hence no interval, nor where the upper threshold
is not above the lower one: that is `ssp`. Where several are slowest, s is the one of the lowest number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Protocol

from predictor.events import PushArrived, Stimulus, WorkerJoined, WorkerLeft
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Member, Verdict, apply_newest, blocking, names


@dataclass(frozen=True)
class DsspLiteralParams:
    """Dynamic SSP as printed: the fastest is granted iterations beyond the lower threshold, again and again."""

    __pydantic_config__ = STRICT

    name: Literal["dssp_literal"] = "dssp_literal"
    threshold_low: Annotated[
        int, param("Largest lead at which a worker may go on without a grant.", unit="iterations", ge=0, le=10_000)
    ] = 3
    threshold_high: Annotated[
        int,
        param(
            "Together with the lower threshold, limits one grant, but not the lead.", unit="iterations", ge=0, le=10_000
        ),
    ] = 15

    def build(self) -> DsspLiteral:
        return DsspLiteral(self)


class Thresholds(Protocol):
    """Parameters of both DSSPs."""

    @property
    def threshold_low(self) -> int: ...

    @property
    def threshold_high(self) -> int: ...


class Pace(NamedTuple):
    """What is known of a worker's pushes."""

    arrived_s: float  # its last push
    interval_s: float | None  # between its last two; None before the second


def granted_iterations(own: Pace, slowest: Pace, most: int) -> int:
    """Give r*, the controller of Algorithm 1. O(most): the best k for an r is found by a division.

    Args:
        own: of the worker that asks, whose interval is known.
        slowest: of the slowest worker; without an interval nothing is granted.
        most: upper threshold - lower threshold, >= 0.
    """
    if own.interval_s is None or slowest.interval_s is None:
        return 0
    best, best_gap_s = 0, float("inf")
    for num in range(most + 1):
        wanted_s = own.arrived_s + num * own.interval_s
        nearest = 0.0
        if slowest.interval_s > 0:
            nearest = (wanted_s - slowest.arrived_s) / slowest.interval_s - 1
        below = min(max(int(nearest), 0), most)
        for k in (below, min(below + 1, most)):
            gap_s = abs(slowest.arrived_s + (k + 1) * slowest.interval_s - wanted_s)
            if gap_s < best_gap_s:
                best, best_gap_s = num, gap_s
    return best


class DsspLiteral:
    """See the head of this module. A decision costs O(N + high - low)."""

    forecasts = False

    def __init__(self, params: Thresholds) -> None:
        self.params = params
        self._paces: dict[int, Pace] = {}
        self._grants: dict[int, int] = {}  # iterations that are left of a worker's grant

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        asks: int | None = None
        if isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
            self._learn(stimulus.worker, cluster.now_s)
            asks = stimulus.worker
        elif isinstance(stimulus, WorkerJoined | WorkerLeft):
            self._paces.pop(stimulus.worker, None)
            self._grants.pop(stimulus.worker, None)
        joined = stimulus.worker if isinstance(stimulus, WorkerJoined) else None
        have_changed = isinstance(stimulus, WorkerJoined | WorkerLeft)
        low, slowest = self.params.threshold_low, cluster.min_clock
        for member in cluster.members.values():
            if not member.is_waiting:
                continue
            lead, reason = member.clock - slowest, ""
            if member.worker == joined:
                reason = "joined: gets the first weights"
            elif member.worker == asks:
                reason = self._answer(cluster, member, lead)
            elif lead <= low:
                reason = f"leads by {lead}, lower threshold {low}"
            if reason:
                verdict.release.append((member.worker, blocking(member.iteration), reason))
            elif have_changed or not member.held_reason:
                behind = tuple(m.worker for m in cluster.members.values() if m.clock < member.clock - low)
                reason = f"waits for {names(behind)}: leads by {lead}, lower threshold {low}, no grant is left"
                verdict.hold.append((member.worker, behind, reason))
        return verdict

    def _learn(self, worker: int, arrived_s: float) -> None:
        before = self._paces.get(worker)
        self._paces[worker] = Pace(arrived_s, arrived_s - before.arrived_s if before else None)

    def _answer(self, cluster: Cluster, member: Member, lead: int) -> str:
        """Say why the worker that has just pushed may go on; "" where it may not."""
        low, grant = self.params.threshold_low, self._grants.get(member.worker, 0)
        if grant > 0 and self._may_spend(lead):
            self._grants[member.worker] = grant - 1
            return f"spends 1 of a grant of which {grant} is left, leads by {lead}"
        if lead <= low:
            return f"leads by {lead}, lower threshold {low}"
        if member.clock < max(m.clock for m in cluster.members.values()):
            return ""
        slowest = min(cluster.members.values(), key=lambda m: (m.clock, m.worker))
        pace = self._paces.get(slowest.worker)
        most = max(0, self.params.threshold_high - low)
        num = granted_iterations(self._paces[member.worker], pace, most) if pace else 0
        return self._grant(member.worker, num, lead)

    def _may_spend(self, lead: int) -> bool:
        """Tell whether a grant may be used at this lead: as printed, at any."""
        return True

    def _grant(self, worker: int, num: int, lead: int) -> str:
        self._grants[worker] = num
        return f"granted r = {num} beyond this iteration, leads by {lead}" if num else ""
