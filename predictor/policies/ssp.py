"""Stale synchronous parallel: nobody runs further ahead than a threshold (Ho et al. 2013, section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import IterationReported, PushArrived, Stimulus, WorkerJoined, WorkerLeft
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
        self._held: set[int] = set()  # members that wait
        self._seen = 0, False, 0  # slowest clock, is there one worker only, threshold: at the last decision

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        before, self._seen = self._seen, (cluster.min_clock, cluster.num_slowest == 1, self.params.threshold)
        if isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
            if before == self._seen or not self._held:
                self._judge(cluster, verdict, (cluster.members[stimulus.worker],))
                return verdict
        if isinstance(stimulus, PushArrived | IterationReported):
            self._held.add(stimulus.worker)
        elif isinstance(stimulus, WorkerLeft):
            self._held.discard(stimulus.worker)
        elif isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        if self._held:
            self._judge(cluster, verdict, [m for m in cluster.members.values() if m.worker in self._held])
        return verdict

    def _judge(self, cluster: Cluster, verdict: Verdict, members: Iterable[Member]) -> None:
        """Release or hold those of the members that wait."""
        slowest, _, threshold = self._seen
        holds: dict[int, tuple[tuple[int, ...], str]] = {}  # by clock: it is the same for all who have it
        for member in members:
            worker, clock = member.worker, member.clock
            lead = clock - slowest
            if not member.is_waiting:
                self._held.discard(worker)
            elif lead <= threshold:
                self._held.discard(worker)
                reason = f"leads by {lead}, threshold {threshold}"
                verdict.release.append((worker, blocking(member.iteration), reason))
            else:
                self._held.add(worker)
                if clock not in holds:
                    behind = tuple([m.worker for m in cluster.members.values() if m.clock < clock - threshold])
                    holds[clock] = behind, f"waits for {names(behind)}: leads by {lead}, threshold {threshold}"
                verdict.hold.append((worker, *holds[clock]))
