"""The same runs, faster: where only times are asked for, of workers that compute, push and wait.

`predictor.simulator.engine` schedules the end of an iteration, the arrival of its push and the landing of the answer
one by one. Where every worker waits for its answer, and a message always takes the same time, what happens between
an answer and the next arrival concerns nobody else: once the answer is sent, its landing, the end of the iteration
and the arrival of its push are known. So one heap entry stands for all of an iteration, and the gate says only what
changes something for a worker.

The figures are the same to the last digit, ties of time included. Of pushes that arrive at the same moment the engine
takes that first which was sent first; of those, the one whose iteration began first; of those, the one whose worker
was released first. So an entry is (arrival, end, begin, number of the release, whose).
"""

from __future__ import annotations

import math
from heapq import heappop, heappush

from predictor.events import (
    DirectiveChanged,
    Instruction,
    PushArrived,
    PushDiscarded,
    WakeAt,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.gate import Gate
from predictor.simulator.scenario import Scenario, SimulationResult, WorkerTimes, result_of
from predictor.speeds import SpeedModel, Transfer


class NotPlainError(Exception):
    """A scenario that is not of this kind: a worker trains on, dies, joins late, shares the server's line, ..."""


def simulate_plainly(scenario: Scenario) -> SimulationResult:
    """Run a scenario to its end, without gradients and without a log.

    Raises:
        NotPlainError: it needs the engine, which may begin it anew: nothing has changed.
    """
    hops_s = {one.transfer_s / 2 if type(one) is Transfer and one.cv == 0 else None for one in scenario.transfers}
    hop_s = hops_s.pop() if len(hops_s) == 1 else None
    if hop_s is None or scenario.iterations is None or scenario.until_s is not None:
        raise NotPlainError
    if scenario.deaths or scenario.churn or scenario.server_message_s > 0:
        raise NotPlainError
    return _Plain(scenario, hop_s, scenario.iterations).run()


class _Line:
    """One worker. Its times are counted up to its newest push, or to its newest release."""

    __slots__ = (
        "arrived_s",
        "compute_s",
        "down_s",
        "duration_s",
        "ended_s",
        "is_waiting",
        "iteration",
        "left_s",
        "length_s",
        "settled",
        "transfer_s",
        "version",
        "wait_s",
        "worker",
    )

    def __init__(self, worker: int, speed: SpeedModel) -> None:
        self.worker, self.duration_s = worker, speed.duration_s
        self.is_waiting = True  # the server holds its pull
        self.iteration = 0  # the one that runs, or ended last
        self.length_s = 0.0  # of that one
        self.ended_s = self.arrived_s = 0.0  # that one, and its push
        self.settled = 0  # own iterations up to this one are in the server's weights, or discarded
        self.version = 0  # of its weights
        self.down_s = 0.0  # how long they travelled
        self.compute_s = self.wait_s = self.transfer_s = self.left_s = 0.0


class _Plain:
    """One run."""

    def __init__(self, scenario: Scenario, hop_s: float, iterations: int) -> None:
        self._step_s, self._hop_s, self._last = scenario.step_s, hop_s, iterations
        self._gate = Gate(scenario.policy, scenario.forecaster, is_logged=False)
        self._lines = [_Line(worker, speed) for worker, speed in enumerate(scenario.speeds)]
        self._heap: list[tuple[float, float, float, int, _Line]] = []
        self._num_releases = 0

    def run(self) -> SimulationResult:
        lines, gate, heap, last = self._lines, self._gate, self._heap, self._last
        handle, follow = gate.handle, self._follow
        for line in lines:
            follow(handle(WorkerJoined(0.0, line.worker, 0, 0)), 0.0, 0.0)
        now_s, num_pushes, max_lead, num_left = 0.0, 0, 0, 0
        while heap:
            now_s, ended_s, _, _, line = heappop(heap)
            num_pushes += 1
            worker, iteration, length_s = line.worker, line.iteration, line.length_s
            line.ended_s, line.arrived_s = ended_s, now_s
            line.compute_s += length_s
            line.is_waiting = is_waiting = iteration < last
            push = PushArrived(now_s, worker, iteration, 1, length_s, ended_s, line.version, is_waiting, line.down_s)
            follow(handle(push), now_s, self._hop_s)
            lead = iteration - gate.min_clock
            if lead > max_lead:  # noqa: PLR1730 (a call of max costs more than all else in this line, here and below)
                max_lead = lead
            if not is_waiting:
                num_left += 1
                line.transfer_s += now_s - ended_s
                line.left_s = now_s
                follow(handle(WorkerLeft(now_s, worker, "finished")), now_s, self._hop_s)
        if num_left < len(lines):
            raise NotPlainError  # the engine says who waits, and why
        return result_of([_times(line) for line in lines], now_s, num_pushes, max_lead, gate.version)

    def _follow(self, instructions: list[Instruction], now_s: float, down_s: float) -> None:
        """Do what the gate says; weights travel for `down_s`."""
        for instruction in instructions:
            if isinstance(instruction, WorkerReleased):
                line = self._lines[instruction.worker]
                if line.is_waiting:  # what falls due earlier is obsolete when the pull comes with the next push
                    self._release(line, instruction, now_s, now_s + down_s)
            elif isinstance(instruction, PushDiscarded):
                line = self._lines[instruction.worker]
                line.settled = max(line.settled, instruction.iteration)
            elif isinstance(instruction, WakeAt | DirectiveChanged):
                raise NotPlainError

    def _release(self, line: _Line, released: WorkerReleased, now_s: float, landed_s: float) -> None:
        """Let a worker go on when its weights have landed, and say when its next push arrives."""
        directive, iteration = released.directive, line.iteration
        if released.acknowledged > line.settled:  # noqa: PLR1730
            line.settled = released.acknowledged
        if directive.max_ahead > 0 or directive.push_at > iteration + 1:
            raise NotPlainError  # it trains on
        if line.settled < iteration and directive.push_after == "merged":
            raise NotPlainError  # its next push has to wait for another answer
        up_s = line.arrived_s - line.ended_s
        down_s = landed_s - now_s
        line.transfer_s += up_s + down_s
        wait_s = landed_s - line.ended_s - up_s - down_s
        if wait_s > 0:
            line.wait_s += wait_s
        line.down_s, line.version = down_s, released.version
        length_s = line.duration_s(iteration, landed_s)
        if length_s < self._step_s:  # noqa: PLR1730
            length_s = self._step_s
        if not 0 < length_s < math.inf:
            raise NotPlainError  # the engine says what is wrong
        line.length_s, line.iteration, line.is_waiting = length_s, iteration + 1, False
        self._num_releases += 1
        ended_s = landed_s + length_s
        heappush(self._heap, (ended_s + self._hop_s, ended_s, landed_s, self._num_releases, line))


def _times(line: _Line) -> WorkerTimes:
    return WorkerTimes(line.worker, line.iteration, line.compute_s, line.wait_s, line.transfer_s, wall_s=line.left_s)
