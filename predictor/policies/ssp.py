"""Stale synchronous parallel: nobody runs further ahead than a threshold (Ho et al. 2013, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import PushArrived, Stimulus, WorkerJoined
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Verdict, apply_newest, blocking, names


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
    """Apply every push at once; a worker may start iteration k iff k - min clock <= threshold."""

    forecasts = False

    def __init__(self, params: SspParams) -> None:
        self.params = params

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        if isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
        if isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        threshold, slowest = self.params.threshold, cluster.min_clock
        for member in cluster.members.values():
            if not member.is_waiting or (isinstance(stimulus, WorkerJoined) and member.worker == stimulus.worker):
                continue
            lead = member.clock - slowest
            if lead <= threshold:
                reason = f"leads by {lead}, threshold {threshold}"
                verdict.release.append((member.worker, blocking(member.iteration), reason))
            else:
                behind = [m.worker for m in cluster.members.values() if m.clock < member.clock - threshold]
                reason = f"waits for {names(behind)}: leads by {lead}, threshold {threshold}"
                verdict.hold.append((member.worker, tuple(behind), reason))
        return verdict
