"""What policies share that wait for all: who has pushed in the open round, and the mean at its end."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod

from predictor.events import (
    Directive,
    IterationReported,
    PushArrived,
    Retuned,
    Stimulus,
    WorkerJoined,
    WorkerLeft,
)
from predictor.policies.base import Cluster, Member, Verdict, names


class Round:
    """The open round. It is complete when every member has pushed in it; the dead are not waited for.

    Each call costs O(1), except `close`, and `hold` where somebody has just come to wait: O(N).
    """

    def __init__(self) -> None:
        self._arrived: set[int] = set()  # members that have pushed since the last barrier, in their present life

    def take(self, stimulus: Stimulus) -> None:
        """Learn what happened; to be called once with every stimulus, before anything else."""
        if isinstance(stimulus, PushArrived):
            self._arrived.add(stimulus.worker)
        elif isinstance(stimulus, WorkerLeft):
            self._arrived.discard(stimulus.worker)

    def is_complete(self, cluster: Cluster) -> bool:
        return len(self._arrived) == len(cluster.members) and bool(cluster.pending)

    def is_awaited(self, worker: int) -> bool:
        """Tell whether the barrier waits for this member."""
        return worker not in self._arrived

    def close(self, cluster: Cluster, verdict: Verdict) -> str:
        """Apply the mean of what the workers have pushed, and open the next round; say what happened.

        A worker that pushed twice, its last push being the second, adds both and counts once.
        """
        workers = sorted({push.worker for push in cluster.pending})
        verdict.apply = list(cluster.pending)
        verdict.scale = 1 / len(workers)
        verdict.apply_reason = f"barrier: {names(workers)} arrived, each weighs 1/{len(workers)}"
        self._arrived.clear()
        return f"the barrier is complete: {names(workers)} arrived"

    def newcomer(self, cluster: Cluster, stimulus: Stimulus) -> Member | None:
        """Give the member that has just come to wait with nothing in this round; it is to be released at once."""
        if isinstance(stimulus, WorkerJoined | IterationReported) and self.is_awaited(stimulus.worker):
            member = cluster.members[stimulus.worker]
            return member if member.is_waiting else None
        return None

    def hold(self, cluster: Cluster, stimulus: Stimulus, verdict: Verdict) -> None:
        """Say for whom a member waits that has just come to wait; where the members changed, all who wait."""
        waiting: list[Member] = []
        if isinstance(stimulus, WorkerJoined | WorkerLeft):
            waiting = [m for m in cluster.members.values() if m.is_waiting and not self.is_awaited(m.worker)]
        elif isinstance(stimulus, PushArrived | IterationReported) and not self.is_awaited(stimulus.worker):
            waiting = [m for m in (cluster.members[stimulus.worker],) if m.is_waiting]
        if not waiting:
            return
        missing = tuple(worker for worker in cluster.members if self.is_awaited(worker))
        reason = f"waits at the barrier for {names(missing)}: {len(self._arrived)} of {len(cluster.members)} arrived"
        verdict.hold += [(member.worker, missing, reason) for member in waiting]


def welcome(stimulus: Stimulus) -> str:
    """Give the reason for which `Round.newcomer` is released."""
    if isinstance(stimulus, WorkerJoined):
        return "joined: gets the first weights"
    return "has pushed nothing in this round that it could wait for"


class LocalRounds(ABC):
    """Rounds of a fixed number of local iterations: what `local_sgd`, `cocod` and `overlap_local_sgd` share.

    A subclass says what a worker is told (`_directive`). `clock` counts the iterations that a worker has pushed, so
    its next push is always due at `clock + local_iterations`, also where it has gone on meanwhile.
    """

    forecasts = False

    def __init__(self) -> None:
        self._round = Round()

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        self._round.take(stimulus)
        if self._round.is_complete(cluster):
            reason = self._close(cluster, verdict)
            for member in cluster.members.values():
                verdict.release.append((member.worker, self._directive(member), reason))
            return verdict
        if newcomer := self._round.newcomer(cluster, stimulus):
            verdict.release.append((newcomer.worker, self._first_directive(newcomer), welcome(stimulus)))
        if isinstance(stimulus, Retuned):
            self._redirect(cluster, verdict)
        self._round.hold(cluster, stimulus, verdict)
        return verdict

    @abstractmethod
    def _directive(self, member: Member) -> Directive:
        """Say when a member that is released now pushes next, how far it may go on then, and how it merges."""

    def _first_directive(self, member: Member) -> Directive:
        """Give the directive that comes with a newcomer's first weights."""
        return self._directive(member)

    def _close(self, cluster: Cluster, verdict: Verdict) -> str:
        return self._round.close(cluster, verdict)

    def _redirect(self, cluster: Cluster, verdict: Verdict) -> None:
        """Let new parameters count in the running round; how to merge comes with the next weights."""
        for member in cluster.members.values():
            if not member.is_waiting:
                new = self._directive(member)
                directive = dataclasses.replace(member.directive, push_at=new.push_at, max_ahead=new.max_ahead)
                verdict.redirect.append((member.worker, directive, f"retuned: pushes at iteration {new.push_at}"))
