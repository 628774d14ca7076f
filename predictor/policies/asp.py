"""Asynchronous parallel: push, pull, go on (Dean et al. 2012)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.events import PushArrived, Stimulus, WorkerJoined
from predictor.params import STRICT
from predictor.policies.base import Cluster, Verdict, apply_newest, blocking


@dataclass(frozen=True)
class AspParams:
    """Asynchronous parallel: nobody waits, however stale its weights."""

    __pydantic_config__ = STRICT

    name: Literal["asp"] = "asp"

    def build(self) -> Asp:
        return Asp(self)


class Asp:
    """Apply every push at once and answer it at once."""

    forecasts = False

    def __init__(self, params: AspParams) -> None:
        self.params = params

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        if isinstance(stimulus, PushArrived):
            apply_newest(verdict, cluster)
            verdict.release.append((stimulus.worker, blocking(stimulus.iteration), "nobody waits"))
        elif isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
        return verdict
