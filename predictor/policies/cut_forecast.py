"""What a policy with barriers says of its next one: when it is expected, and within which window.

It changes nothing for a worker. The barrier is complete when the last push has arrived: after the weights have
travelled down, the iterations were computed, and the push has travelled up. How long messages travel is the mean of
what was seen; the window is calibrated over rounds (`predictor.forecasters.cuts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from predictor.events import IterationReported, PlannedPush, PushArrived, Stimulus, WorkerJoined
from predictor.forecasters.cuts import CutWindows
from predictor.policies.base import Plan

_LINK_WEIGHT = 0.1  # of the newest message in the mean times that a push, and weights, travel


class CutForecast:
    """See the head of this module."""

    def __init__(self) -> None:
        self._windows = CutWindows()
        self._has_begun = False
        self.up_s = 0.0  # mean time that a push travels
        self.down_s = 0.0  # and that weights travel

    def learn(self, stimulus: Stimulus) -> None:
        """Learn what happened; to be called once with every stimulus."""
        if isinstance(stimulus, WorkerJoined) and not self._has_begun:
            self._has_begun = True
            self._windows.open(stimulus.at_s)
        if isinstance(stimulus, PushArrived):
            up_s = max(0.0, stimulus.at_s - stimulus.ended_at_s)
            self.up_s += (_LINK_WEIGHT if self.up_s else 1.0) * (up_s - self.up_s)
        if isinstance(stimulus, PushArrived | IterationReported) and stimulus.down_s > 0:
            self.down_s += (_LINK_WEIGHT if self.down_s else 1.0) * (stimulus.down_s - self.down_s)

    def close(self, at_s: float) -> None:
        """Take note that the barrier is complete; the next round begins."""
        self._windows.close(at_s)

    def plan(
        self,
        now_s: float,
        started_s: float,
        ends_s: Mapping[int, float],
        pushes: Sequence[PlannedPush] = (),
        why: str = "",
    ) -> Plan:
        """Give the plan of the open round.

        Args:
            now_s: the time.
            started_s: when the workers began, or will have begun, to compute in this round.
            ends_s: by worker, when its last iteration of the round is expected to end; at least one.
            pushes: where the policy forecasts each of them.
            why: what the choice rests on, in words.
        """
        last_s = max(ends_s.values())
        low_s, cut_s, high_s = self._windows.plan(now_s, last_s + self.up_s)
        length_s = last_s - started_s
        idle_s = sum(last_s - end_s for end_s in ends_s.values())
        idle_fraction = idle_s / (len(ends_s) * length_s) if length_s > 0 else 0.0
        reason = f"{why}, idle share {100 * idle_fraction:.1f}%"
        return Plan(cut_s, low_s, high_s, idle_fraction, tuple(pushes), reason)
