"""Overlap-Local-SGD: local models are pulled to an anchor that has momentum (Wang et al. 2020, arXiv:2002.09539).

On our wire the global weights are the anchor. At every `local_iterations`-th iteration a worker pushes how far its
model stands off the anchor (merge "anchor"), and goes on. When all members have pushed, the anchor moves by
velocity = momentum x velocity + mean of the offsets, and is sent to all. Where it lands, the worker's model is pulled
towards it: weights = anchor + (1 - pull) x (weights - anchor). It waits only `local_iterations` past its push.

Differences to the paper: the pull happens when the anchor lands, not at the next push; a worker that had to wait
pushes one iteration late (as in `cocod`). An offset is a state, not a change, so of two pushes of one worker in a round
the newer one counts and the older one is discarded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from predictor.events import Directive
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Member, Verdict
from predictor.policies.rounds import LocalRounds

_TAKES_THE_ANCHOR = 0.0  # a newcomer has no model of its own yet


@dataclass(frozen=True)
class OverlapLocalSgdParams:
    """Overlap-Local-SGD: workers train on while the mean travels, and are pulled towards it when it lands."""

    __pydantic_config__ = STRICT

    name: Literal["overlap_local_sgd"] = "overlap_local_sgd"
    local_iterations: Annotated[
        int,
        param(
            "Iterations of each worker between two pushes, and most that it goes on after one.",
            unit="iterations",
            ge=1,
            le=100_000,
        ),
    ] = 4
    pull: Annotated[
        float, param("Share of the way to the anchor that a worker's model is moved when it lands.", ge=0, le=1)
    ] = 0.6
    momentum: Annotated[float, param("Share of the anchor's last movement that it repeats.", ge=0, lt=1)] = 0.7

    def build(self) -> OverlapLocalSgd:
        return OverlapLocalSgd(self)


class OverlapLocalSgd(LocalRounds):
    """See the head of this module. A decision costs O(1), O(N) at the end of a round."""

    def __init__(self, params: OverlapLocalSgdParams) -> None:
        super().__init__()
        self.params = params

    def _directive(self, member: Member) -> Directive:
        num = self.params.local_iterations
        return Directive(member.clock + num, max_ahead=num, alpha=1 - self.params.pull, merge="anchor")

    def _first_directive(self, member: Member) -> Directive:
        return replace(self._directive(member), alpha=_TAKES_THE_ANCHOR)

    def _close(self, cluster: Cluster, verdict: Verdict) -> str:
        reason = super()._close(cluster, verdict)
        newest = {push.worker: push for push in verdict.apply}
        for push in verdict.apply:
            if push is not newest[push.worker]:
                newer = newest[push.worker].iteration
                verdict.discard.append((push, f"worker {push.worker} has pushed again since, at iteration {newer}"))
        verdict.apply = list(newest.values())
        verdict.momentum = self.params.momentum
        return reason
