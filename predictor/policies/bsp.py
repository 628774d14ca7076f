"""Bulk synchronous parallel: all wait for all (Gerbessiotis & Valiant 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.events import PushArrived, Stimulus, WorkerJoined, WorkerLeft
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
    """Apply the mean of all pushes once every member has pushed; then release all.

    Who comes to wait is told for whom. All who wait are told again when it is for the last worker alone, and when the
    members have changed. A decision costs O(missing), and O(N) where all are told or released.
    """

    forecasts = False

    def __init__(self, params: BspParams) -> None:
        self.params = params
        self._arrived: set[int] = set()  # workers whose pushes are pending, also of those who left since
        self._missing: dict[int, None] = {}  # the other members, in the order in which they joined

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        if isinstance(stimulus, PushArrived):
            self._arrived.add(stimulus.worker)
            self._missing.pop(stimulus.worker, None)
        elif isinstance(stimulus, WorkerLeft):
            self._missing.pop(stimulus.worker, None)
        elif isinstance(stimulus, WorkerJoined):
            directive = blocking(stimulus.iteration)
            verdict.release.append((stimulus.worker, directive, "joined: gets the first weights"))
            if stimulus.worker not in self._arrived:
                self._missing[stimulus.worker] = None
        if self._missing or not self._arrived:
            self._hold(cluster, stimulus, verdict)
        elif not isinstance(stimulus, WorkerJoined):
            self._close(cluster, verdict)
        return verdict

    def _close(self, cluster: Cluster, verdict: Verdict) -> None:
        verdict.apply = cluster.pending
        verdict.scale = 1 / len(cluster.pending)
        verdict.apply_reason = f"barrier: {names(sorted(self._arrived))} arrived"
        for member in cluster.members.values():
            verdict.release.append((member.worker, blocking(member.iteration), "the barrier is complete"))
        self._arrived.clear()
        self._missing = dict.fromkeys(cluster.members)

    def _hold(self, cluster: Cluster, stimulus: Stimulus, verdict: Verdict) -> None:
        waiting: list[int] = []
        if not self._arrived:
            return
        if isinstance(stimulus, WorkerJoined | WorkerLeft) or len(self._missing) == 1:
            waiting = [worker for worker in cluster.members if worker in self._arrived]
        elif isinstance(stimulus, PushArrived):
            waiting = [stimulus.worker]
        if waiting:
            missing = tuple(self._missing)
            reason = f"waits at the barrier for {names(missing)}"
            verdict.hold = [(worker, missing, reason) for worker in waiting]
