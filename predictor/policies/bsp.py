"""Bulk synchronous parallel: all wait for all (Gerbessiotis & Valiant 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.events import Stimulus, WorkerJoined
from predictor.params import STRICT
from predictor.policies.base import Cluster, Verdict, blocking, names


@dataclass(frozen=True)
class BspParams:
    """Bulk synchronous parallel: after every iteration all wait for all."""

    __pydantic_config__ = STRICT

    name: Literal["bsp"] = "bsp"

    def build(self) -> Bsp:
        return Bsp(self)


class Bsp:
    """Apply the mean of all pushes once every member has pushed; then release all."""

    forecasts = False

    def __init__(self, params: BspParams) -> None:
        self.params = params

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        arrived = {push.worker for push in cluster.pending}
        missing = [worker for worker in cluster.members if worker not in arrived]
        if isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        elif arrived and not missing:
            verdict.apply = cluster.pending
            verdict.scale = 1 / len(cluster.pending)
            verdict.apply_reason = f"barrier: {names(sorted(arrived))} arrived"
            for member in cluster.members.values():
                verdict.release.append((member.worker, blocking(member.iteration), "the barrier is complete"))
        else:
            for worker in arrived & cluster.members.keys():
                reason = f"waits at the barrier for {names(missing)}"
                verdict.hold.append((worker, tuple(missing), reason))
        return verdict
