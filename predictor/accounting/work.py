"""What the computing was good for: iterations whose updates were applied, and those that came to nothing.

Seconds are those of `PushArrived.compute_s` and `IterationReported.compute_s`, told at every boundary.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

_MOST_STEPS = 8_192  # iterations that are remembered one by one between two evaluations; more are merged in pairs


@dataclass(slots=True)
class Amount:
    num: int = 0
    seconds: float = 0.0

    def add(self, num: int, seconds: float) -> None:
        self.num += num
        self.seconds += seconds

    def report(self) -> dict[str, Any]:
        return {"num_iterations": self.num, "seconds": self.seconds}


class Work:
    """The fold. Memory grows with the pushes that are neither applied nor discarded."""

    def __init__(self) -> None:
        self._open: dict[int, Amount] = {}  # by worker: iterations since its last push
        self._pending: dict[tuple[int, int], Amount] = {}  # by worker and iteration of the push
        self._applied_up_to: dict[int, int] = {}
        self.applied, self.discarded, self.dropped, self.unsent = Amount(), Amount(), Amount(), Amount()
        self.num_rolled_back = 0
        self._steps: deque[tuple[float, int, float]] = deque()  # until, number, seconds; since the newest snapshot
        self._target_s: float | None = None
        self._after = Amount()

    def reach(self, worker: int, compute_s: float, pushed: tuple[int, int] | None) -> None:
        """Take in a boundary; `pushed`: iteration of the push and how many it sums up."""
        amount = self._open.get(worker)
        if amount is None:
            amount = self._open[worker] = Amount()
        amount.add(1, compute_s)
        if pushed is not None:
            iteration, num = pushed
            self._pending[worker, iteration] = Amount(num, amount.seconds)
            del self._open[worker]

    def apply(self, worker: int, iteration: int, num: int) -> None:
        amount = self._pending.pop((worker, iteration), None)
        self.applied.add(num, amount.seconds if amount else 0.0)
        self._applied_up_to[worker] = max(iteration, self._applied_up_to.get(worker, 0))

    def discard(self, worker: int, iteration: int) -> None:
        amount = self._pending.pop((worker, iteration), None)
        if amount:
            self.discarded.add(amount.num, amount.seconds)

    def leave(self, worker: int) -> None:
        """Count what the worker had done and not sent."""
        amount = self._open.pop(worker, None)
        if amount:
            self.unsent.add(amount.num, amount.seconds)

    def end(self) -> None:
        """The run has ended, or goes on from a checkpoint: what is pending is applied no more."""
        for worker in list(self._open):
            self.leave(worker)
        for amount in self._pending.values():
            self.dropped.add(amount.num, amount.seconds)
        self._pending.clear()

    def resume(self, clocks: dict[str, int]) -> None:
        """Go back to a checkpoint: whatever was applied after it was done for nothing."""
        for worker, iteration in self._applied_up_to.items():
            self.num_rolled_back += max(0, iteration - clocks.get(str(worker), 0))
        self._applied_up_to = {int(worker): clock for worker, clock in clocks.items()}

    # ---- after the target ---------------------------------------------------------------------------------

    def step(self, at_s: float, compute_s: float) -> None:
        """Take in an iteration of any worker that ended at `at_s`."""
        if self._target_s is not None:
            self._count_after(at_s, 1, compute_s)
            return
        steps = self._steps
        steps.append((at_s, 1, compute_s))
        if len(steps) > _MOST_STEPS:
            merged = [(b[0], a[1] + b[1], a[2] + b[2]) for a, b in zip(*[iter(list(steps))] * 2, strict=False)]
            if len(steps) % 2:
                merged.append(steps[-1])
            self._steps = deque(merged)

    def evaluate(self, snapshot_s: float) -> None:
        """Forget what no later target can lie before: a target is told right after its evaluation."""
        steps = self._steps
        while steps and steps[0][0] <= snapshot_s:
            steps.popleft()

    def reach_target(self, at_s: float) -> None:
        if self._target_s is None:
            self._target_s = at_s
            for step in self._steps:
                self._count_after(*step)
            self._steps.clear()

    def _count_after(self, until_s: float, num: int, compute_s: float) -> None:
        assert self._target_s is not None, "called only once the target is known"
        if until_s > self._target_s:
            self._after.add(num, min(compute_s, num * (until_s - self._target_s)))

    # ---- what comes out -----------------------------------------------------------------------------------

    def report(self, unfinished_s: float) -> dict[str, Any]:
        pending = Amount()
        for amount in self._pending.values():
            pending.add(amount.num, amount.seconds)
        for amount in self._open.values():
            pending.add(amount.num, amount.seconds)
        return {
            "applied": self.applied.report(),
            "pending": pending.report(),
            "discarded": self.discarded.report(),
            "dropped": self.dropped.report(),
            "unsent": self.unsent.report(),
            "unfinished_s": unfinished_s,
            "num_rolled_back": self.num_rolled_back,
            "target_at_s": self._target_s,
            "after_target": None if self._target_s is None else self._after.report(),
        }
