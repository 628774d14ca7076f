"""Just-in-time synchronisation with an agreement-weighted merge: no threshold to set (METHOD section 5).

A worker pushes what it has accumulated at every boundary at which its uplink is free, and trains on. The server
adds it and does not answer at once: it forecasts when that worker reaches its next boundary, and sends the newest
weights so that they land just before. So a snapshot is as old as after a blocking pull, at full utilisation.

A boundary that comes before its weights are sent would be followed by a whole iteration on old ones. Then they are
sent at once, and where the way there and back is short, the worker waits for them: that is cheaper. The same
comparison sets the time to aim at, so that the shorter the way is, the later and fresher are the weights.

What it does to the weights: each delta is added at its arrival with weight 1/N; the worker goes on from
`snapshot + alpha x own steps not in the snapshot`, with an alpha that follows how well its own past steps have
agreed with the global movement (`Directive.merge = "agreement"`).

A push that is longer than the worker's usual ones is shortened to their median (`Directive.is_bounded`): what is far
out of the ordinary would be applied to weights that it was not computed on.

The global weights have a momentum that suits old gradients: a delta is added at once, as without, and then repeated
little by little over the pushes that follow; not so where the workers have momentum or Adam, who repeat it already
(`predictor.spec.suited`). The usual momentum repeats it mostly at the next few pushes, whose
gradients know nothing of it yet; over many rounds everybody has seen most of it, so much more of it can be repeated
(docs/decisions/momentum-over-many-rounds.md).

Invariant: first weights + sum of (delta as pushed / N at its arrival) + what was repeated of it since = global
weights. Every boundary is answered: at the latest when the next one is heard of.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Annotated, Literal

from predictor.events import (
    NEVER_WAITS,
    DeadlinePassed,
    Directive,
    IterationReported,
    PushArrived,
    Stimulus,
    WorkerJoined,
    WorkerLeft,
)
from predictor.params import STRICT, param
from predictor.policies.base import Cluster, Member, Verdict, apply_newest

MOMENTUM = 0.75  # of the global weights, where the workers have none

_NUM_DOWN = 8  # travel times of weights that are remembered; the longest is planned for
_NUM_LEAST = 2  # iterations of a worker that are seen before its answers are timed
_IDLE_COST = 4.0  # of a second of waiting, in seconds of age: 2 to 4 train alike fast, and 4 waits half as long
_MARGIN = 1e-3  # of an iteration: weights land so much before a boundary that is known exactly


@dataclass(frozen=True)
class ForesyncParams:
    """Just-in-time synchronisation: everybody trains on; new weights land just before they are needed."""

    __pydantic_config__ = STRICT

    name: Literal["foresync"] = "foresync"
    answer: Annotated[
        Literal["just_in_time", "at_once"],
        param("When new weights are sent: so that they land just before the next boundary, or at once.", advanced=True),
    ] = "just_in_time"
    wait: Annotated[
        Literal["if_short", "never"],
        param("Whether a worker without new weights waits for them where their way is short.", advanced=True),
    ] = "if_short"
    alpha: Annotated[
        float | None,
        param("Share of own unmerged steps that is kept; absent: from their agreement.", ge=0, le=1, advanced=True),
    ] = None
    bound: Annotated[
        Literal["usual", "none"],
        param("Whether a push longer than the worker's usual ones is shortened to their median.", advanced=True),
    ] = "usual"
    momentum: Annotated[
        float | None,
        param(
            "A push moves the weights 1 / (1 - momentum) times as far in the end, as with the usual momentum; 0: once; "
            f"absent: {MOMENTUM}, or 0 where the workers have momentum or Adam of their own.",
            ge=0,
            lt=1,
            advanced=True,
        ),
    ] = None
    momentum_rounds: Annotated[
        float,
        param("Rounds over which that is spread; a round is one push of each worker.", ge=2, le=10_000, advanced=True),
    ] = 16.0

    def build(self) -> Foresync:
        return Foresync(self)


@dataclass(slots=True)
class _Line:
    """What is known of, and planned for, one worker."""

    num_seen: int = 0  # boundaries it told of
    up_s: float = 0.0  # how long its last push travelled
    downs_s: deque[float] = field(default_factory=lambda: deque(maxlen=_NUM_DOWN))
    down_s: float = 0.0  # the longest of them
    heard_s: float = -math.inf  # when its last boundary was heard of
    sent_s: float = -math.inf  # when weights were last sent
    due_s: float = math.inf  # when its answer is sent

    def learn(self, boundary: PushArrived | IterationReported) -> None:
        self.num_seen += 1
        if boundary.down_s > 0:
            self.downs_s.append(boundary.down_s)
            self.down_s = max(self.downs_s)
        if isinstance(boundary, PushArrived):
            self.up_s = max(0.0, boundary.at_s - boundary.ended_at_s)
            if not self.downs_s:
                self.down_s = self.up_s  # the best guess until weights have landed


class Foresync:
    """See the head of this module."""

    forecasts = True

    def __init__(self, params: ForesyncParams) -> None:
        self.params = params
        self._lines: dict[int, _Line] = {}
        self._heap: list[tuple[float, int]] = []  # (due_s, worker); an entry that is not its line's due_s is obsolete
        self._asked_s = math.inf  # the wake-up that the gate knows of

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        match stimulus:
            case PushArrived() | IterationReported():
                if isinstance(stimulus, PushArrived):
                    apply_newest(verdict, cluster)
                    momentum = MOMENTUM if self.params.momentum is None else self.params.momentum
                    repeat(verdict, momentum, self.params.momentum_rounds * len(cluster.members))
                self._hear(cluster, verdict, stimulus)
            case DeadlinePassed():
                self._asked_s = math.inf
            case WorkerJoined():
                self._lines[stimulus.worker] = _Line()
                self._send(cluster, verdict, stimulus.worker, "joined: gets the first weights")
            case WorkerLeft():
                self._lines.pop(stimulus.worker, None)
            case _:
                pass
        self._send_due(cluster, verdict)
        self._ask(verdict)
        return verdict

    def _hear(self, cluster: Cluster, verdict: Verdict, boundary: PushArrived | IterationReported) -> None:
        """Learn from a boundary, and plan the next answer."""
        line, member = self._lines[boundary.worker], cluster.members[boundary.worker]
        line.learn(boundary)
        is_missed = line.sent_s < line.heard_s  # nothing was sent since the boundary before this one
        line.heard_s, line.due_s = cluster.now_s, math.inf
        if self.params.answer == "at_once" or line.num_seen < _NUM_LEAST:
            self._send(cluster, verdict, boundary.worker, "answered at once")
        elif member.is_waiting:
            landing_s = line.sent_s + line.down_s
            is_under_way = landing_s > boundary.ended_at_s
            self._send(cluster, verdict, boundary.worker, "waits for newer weights, their way is short")
            resumes_s = landing_s if is_under_way else cluster.now_s + line.down_s
            self._plan(cluster, line, member, resumes_s, resumes_s)
        else:
            if is_missed:
                self._send(cluster, verdict, boundary.worker, "earlier than forecast: answered at once")
            self._plan(cluster, line, member, member.running_since_s, cluster.now_s)

    def _plan(self, cluster: Cluster, line: _Line, member: Member, begun_s: float, from_s: float) -> None:
        """Choose when to send: to land just before the first boundary that weights sent at `from_s` can reach.

        Args:
            cluster: the state.
            line: of the worker.
            member: the worker.
            begun_s: when its running iteration began.
            from_s: earliest time to send.
        """
        length_s = member.forecaster.aim_s(0.0, self._late_s(line, member))
        if length_s is None or length_s <= 0:
            line.due_s = cluster.now_s
        else:
            num = max(1, math.ceil((from_s + line.down_s - begun_s) / length_s - _MARGIN))
            line.due_s = max(cluster.now_s, begun_s + (num - _MARGIN) * length_s - line.down_s)
        heappush(self._heap, (line.due_s, member.worker))

    def _late_s(self, line: _Line, member: Member) -> float | None:
        """Give what it costs, in seconds of age, when a boundary comes before its weights; None: a whole iteration.

        While nothing is known of a worker, its way is taken for short.
        """
        late_s = _IDLE_COST * (line.up_s + line.down_s)
        forecast = member.forecaster.forecast()
        is_short = forecast is None or late_s < forecast.mean_s
        return late_s if is_short and self.params.wait == "if_short" else None

    def _send_due(self, cluster: Cluster, verdict: Verdict) -> None:
        while self._heap and self._heap[0][0] <= cluster.now_s:
            due_s, worker = heappop(self._heap)
            line = self._lines.get(worker)
            if line is None or line.due_s != due_s:
                continue
            line.due_s = math.inf
            self._send(cluster, verdict, worker, "lands just before its next boundary")
            member = cluster.members[worker]
            length_s = member.forecaster.aim_s()
            if length_s is not None and line.down_s >= length_s:  # the next boundary comes before these weights land
                self._plan(cluster, line, member, member.running_since_s, cluster.now_s + line.down_s)

    def _send(self, cluster: Cluster, verdict: Verdict, worker: int, reason: str) -> None:
        line = self._lines[worker]
        line.sent_s = cluster.now_s
        verdict.release.append((worker, self._directive(line, cluster.members[worker], len(cluster.members)), reason))

    def _directive(self, line: _Line, member: Member, num_members: int) -> Directive:
        """Push whenever the uplink is free, never wait for an answer, unless its way is short."""
        patience_s = self._late_s(line, member)
        alpha, is_bounded = self.params.alpha, self.params.bound == "usual"
        if alpha is None:
            return Directive(1, NEVER_WAITS, 1 / num_members, "received", "agreement", patience_s, is_bounded)
        return Directive(1, NEVER_WAITS, alpha, "received", "steps", patience_s, is_bounded)

    def _ask(self, verdict: Verdict) -> None:
        """Ask to be woken for the next answer."""
        heap, lines = self._heap, self._lines
        if len(heap) > 4 * len(lines) + 16:
            heap[:] = [(line.due_s, worker) for worker, line in lines.items() if line.due_s < math.inf]
            heapify(heap)
        while heap and (heap[0][1] not in lines or lines[heap[0][1]].due_s != heap[0][0]):
            heappop(heap)
        if heap and heap[0][0] != self._asked_s:
            self._asked_s = verdict.wake_at_s = heap[0][0]


def repeat(verdict: Verdict, momentum: float, num_aggregates: float) -> None:
    """Let the weights repeat what is applied: momentum / (1 - momentum) times in all, fading over many aggregates.

    An aggregate moves them by (1 - share) + share (1 + decay + decay^2 + ...) of its sum.
    """
    if momentum > 0:
        verdict.momentum = 1 - 1 / num_aggregates  # the decay
        verdict.velocity_share = min(1.0, momentum / (1 - momentum) / (num_aggregates - 1))
