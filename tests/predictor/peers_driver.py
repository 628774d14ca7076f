"""What the tests of the peer policies share: scenarios of a line, and a gate that is driven by hand."""

from __future__ import annotations

from predictor.events import (
    AggregateApplied,
    DirectiveChanged,
    IterationReported,
    PushArrived,
    WakeAt,
    WorkerJoined,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.simulator import Scenario
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from tests.predictor.checks import of


def scenario(policy, durations_s, transfer_s=0.0, **settings):
    """Give a scenario of one worker for each duration, or list of durations."""
    speeds = [Trace(row if isinstance(row, list) else [row]) for row in durations_s]
    transfers = [Transfer(transfer_s, 0.0, worker, 1) for worker in range(len(speeds))]
    return Scenario(policy=policy, speeds=speeds, transfers=transfers, **settings)


class Hand:
    """A gate whose workers do what the test says; keeps the newest directive of each, and the newest wish."""

    def __init__(self, policy, num_workers=0):
        self.gate = Gate(policy, EwmaParams())
        self.directive = {}
        self.wake = None
        for worker in range(num_workers):
            self.join(0.0, worker)

    def take(self, stimulus):
        instructions = self.gate.handle(stimulus)
        for one in instructions:
            if isinstance(one, WorkerReleased | DirectiveChanged):
                self.directive[one.worker] = one.directive
            elif isinstance(one, WakeAt):
                self.wake = one
        return instructions

    def join(self, at_s, worker, iteration=0):
        return self.take(WorkerJoined(at_s, worker, 0, iteration))

    def push(self, at_s, worker, num=1, *, is_blocking=True, compute_s=1.0, pulled_version=None):
        member = self.gate.members[worker]
        iteration = member.iteration + 1
        version = member.pulled_version if pulled_version is None else pulled_version
        return self.take(PushArrived(at_s, worker, iteration, num, compute_s, at_s, version, is_blocking))

    def report(self, at_s, worker, *, is_waiting=False, compute_s=1.0):
        iteration = self.gate.members[worker].iteration + 1
        return self.take(IterationReported(at_s, worker, iteration, compute_s, at_s, is_waiting))


def released(instructions):
    return [one.worker for one in of(WorkerReleased, instructions)]


def applied(instructions):
    """Give (workers, scale) of each aggregate."""
    return [([c.worker for c in one.contributions], one.scale) for one in of(AggregateApplied, instructions)]
