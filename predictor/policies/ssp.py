"""Stale synchronous parallel: nobody runs further ahead than a threshold (Ho et al. 2013, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import PushArrived, Stimulus, WorkerJoined
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Member, Verdict, apply_newest, blocking, names


@dataclass(frozen=True)
class SspParams:
    """Stale synchronous parallel: a worker waits once it leads the slowest by more than the threshold."""

    __pydantic_config__ = STRICT

    name: Literal["ssp"] = "ssp"
    threshold: Annotated[
        int,
        param("Largest lead over the slowest worker at which a worker may go on.", unit="iterations", ge=0, le=10**6),
    ] = 3

    def build(self) -> Ssp:
        return Ssp(self)


class Ssp:
    """Apply every push at once; a worker may start iteration k iff k - min clock <= threshold.

    At a push the others are looked at only where it matters to them: the slowest clock has risen, or a single worker
    is left there, for whom all wait then. So most decisions cost O(1), or O(N) for a worker that has to wait.
    """

    forecasts = False

    def __init__(self, params: SspParams) -> None:
        self.params = params
        self._seen = 0, False, 0  # slowest clock, is there one worker only, threshold: when all were looked at last

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        threshold, slowest = self.params.threshold, cluster.min_clock
        seen, self._seen = self._seen, (slowest, cluster.num_slowest == 1, threshold)
        if isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
            if seen == self._seen:
                self._judge(cluster, verdict, (cluster.members[stimulus.worker],))
                return verdict
        waiting = [member for member in cluster.members.values() if member.is_waiting]
        if isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
            waiting = [member for member in waiting if member.worker != stimulus.worker]
        self._judge(cluster, verdict, waiting)
        return verdict

    def _judge(self, cluster: Cluster, verdict: Verdict, members: Iterable[Member]) -> None:
        """Release or hold those of the members that wait."""
        slowest, _, threshold = self._seen
        holds: dict[int, tuple[tuple[int, ...], str]] = {}  # by clock: it is the same for all who have it
        for member in members:
            if not member.is_waiting:
                continue
            clock, lead = member.clock, member.clock - slowest
            if lead <= threshold:
                verdict.release.append(
                    (member.worker, blocking(member.iteration), f"leads by {lead}, threshold {threshold}")
                )
                continue
            if clock not in holds:
                behind = tuple([m.worker for m in cluster.members.values() if m.clock < clock - threshold])
                holds[clock] = behind, f"waits for {names(behind)}: leads by {lead}, threshold {threshold}"
            verdict.hold.append((member.worker, *holds[clock]))
