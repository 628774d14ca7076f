"""Rennala SGD: one step from B gradients of the current weights (Tyurin & Richtarik 2023, arXiv:2305.12387).

Whoever is free computes at the current version. A gradient that was computed on an older version is discarded; when
`num_gradients` of the current one have come, by whomever, their mean is applied as one step. On our wire: a blocking
push of every iteration, answered at once with the newest weights, so nobody ever waits at the server. Those weights may
be without the push that they answer, since it lies there until its step is done; so the next push waits for nothing
but the arrival of the last one (push_after "received").

What lies there when the last member leaves is applied too, each with the weight 1/B that it was pushed for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import Directive, IterationReported, PushArrived, Stimulus, WorkerJoined
from predictor.params import STRICT, param
from predictor.policies.base import BLOCKING_ALPHA, Cluster, Verdict


@dataclass(frozen=True)
class RennalaParams:
    """Rennala: nobody waits; one step is the mean of some gradients of the current weights, stale ones are dropped."""

    __pydantic_config__ = STRICT

    name: Literal["rennala"] = "rennala"
    num_gradients: Annotated[
        int, param("Gradients of the current weights that make one step.", unit="gradients", ge=1, le=100_000)
    ] = 4

    def build(self) -> Rennala:
        return Rennala(self)


class Rennala:
    """See the head of this module. A decision costs O(1), O(B) where a step is done."""

    forecasts = False

    def __init__(self, params: RennalaParams) -> None:
        self.params = params

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        num = self.params.num_gradients
        answer = "nobody waits"
        num_current = len(cluster.pending)
        if isinstance(stimulus, PushArrived):
            staleness = cluster.staleness(cluster.pending[-1])
            if staleness > 0:
                num_current -= 1
                reason = f"computed on weights that are {staleness} updates old, only current ones count"
                verdict.discard.append((cluster.pending[-1], reason))
                answer = f"its gradient was discarded, {staleness} updates stale"
            else:
                answer = f"gradient {num_current} of {num} at version {cluster.version}"
        # Whatever else is pending is current: a step takes all of it.
        if num_current >= num or (num_current and not cluster.members):
            discarded = {id(push) for push, _ in verdict.discard}
            verdict.apply = [push for push in cluster.pending if id(push) not in discarded]
            verdict.scale = 1 / max(num, num_current)
            verdict.apply_reason = f"{num_current} of {num} gradients of version {cluster.version} have come"
        if isinstance(stimulus, PushArrived | IterationReported | WorkerJoined):
            member = cluster.members[stimulus.worker]
            if member.is_waiting:
                reason = "joined: gets the first weights" if isinstance(stimulus, WorkerJoined) else answer
                directive = Directive(member.iteration + 1, max_ahead=0, alpha=BLOCKING_ALPHA, push_after="received")
                verdict.release.append((member.worker, directive, reason))
        return verdict
