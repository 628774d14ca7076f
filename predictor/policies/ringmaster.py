"""Ringmaster ASGD: asynchronous, but what is too stale is ignored (Maranjyan et al. 2025, arXiv:2501.16168).

A gradient is applied at once if fewer than `max_staleness` updates were applied since its worker pulled; otherwise it
is discarded (the paper's variant that does not stop computations which have become hopeless). On our wire: a blocking
push of every iteration, answered at once with the newest weights. Applied ones weigh 1/N, as under `asp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import IterationReported, PushArrived, Stimulus, WorkerJoined
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Verdict, apply_newest, blocking


@dataclass(frozen=True)
class RingmasterParams:
    """Ringmaster: nobody waits, and gradients that are too stale are dropped."""

    __pydantic_config__ = STRICT

    name: Literal["ringmaster"] = "ringmaster"
    max_staleness: Annotated[
        int, param("A gradient is applied only if it is less stale than this.", unit="updates", ge=1, le=10**6)
    ] = 8

    def build(self) -> Ringmaster:
        return Ringmaster(self)


class Ringmaster:
    """See the head of this module. A decision costs O(1)."""

    forecasts = False

    def __init__(self, params: RingmasterParams) -> None:
        self.params = params

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        answer = "nobody waits"
        if isinstance(stimulus, PushArrived):
            push, limit = cluster.pending[-1], self.params.max_staleness
            staleness = cluster.staleness(push)
            if staleness < limit:
                apply_newest(verdict, cluster)
            else:
                verdict.discard.append((push, f"{staleness} updates stale, the limit is {limit}"))
                answer = f"its gradient was discarded, {staleness} updates stale"
        if isinstance(stimulus, PushArrived | IterationReported | WorkerJoined):
            member = cluster.members[stimulus.worker]
            if member.is_waiting:
                reason = "joined: gets the first weights" if isinstance(stimulus, WorkerJoined) else answer
                verdict.release.append((member.worker, blocking(member.iteration), reason))
        return verdict
