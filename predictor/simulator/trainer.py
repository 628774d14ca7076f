"""What the events of a virtual run do to weights: the seam between the simulator and real gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from predictor.events import AggregateApplied, Directive, Event


class Trainer(Protocol):
    """Holds the global weights and those of every worker. Called in the order of virtual time.

    The rules are those of a live run (`workers/worker/loop.py`, `workers/server/weights.py`): an iteration computes on
    the weights that the worker had at its start; what lands in the meantime is merged at its end, oldest first,
    after its step was added. Snapshots of one worker land in the order in which they were released.
    """

    def compute(self, worker: int, iteration: int) -> float:
        """Do iteration `iteration` (1 is the first) of a worker, add its step; give the loss of its minibatch."""
        ...

    def push(self, worker: int, iteration: int) -> None:
        """Cut what the push carries, and begin the next one."""
        ...

    def apply(self, aggregate: AggregateApplied) -> None:
        """Add pushed deltas to the global weights."""
        ...

    def discard(self, worker: int, iteration: int) -> None:
        """Drop a pushed delta."""
        ...

    def release(self, worker: int) -> None:
        """Take a snapshot of the global weights for a worker."""
        ...

    def land(self, worker: int, acknowledged: int, directive: Directive) -> None:
        """Merge the oldest snapshot on its way into the worker's weights.

        Args:
            worker: whose.
            acknowledged: own iterations up to this one are settled: in the snapshot, or discarded.
            directive: that came with it; says how to merge.
        """
        ...

    def restart(self, worker: int, clock: int) -> None:
        """Begin a life of a worker in mid-run: what it held and what was on its way from and to it is lost.

        Args:
            worker: whose.
            clock: its pushes up to this iteration have arrived; later ones never will.
        """
        ...

    def evaluate(self, at_s: float, version: int) -> Sequence[Event]:
        """Measure the global weights on the held-back set; a `TargetReached` among the events ends the run."""
        ...
