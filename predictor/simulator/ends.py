"""How workers and runs end in virtual time, in events and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from predictor.events import LeaveReason, RunFinished, TargetReached
from predictor.gate import Gate
from predictor.simulator.scenario import Scenario
from predictor.simulator.worker import VirtualWorker

_MAX_EVENTS = 50_000_000  # of a simulation that only time ends
# Boundary, arrival and landing are 3; the rest is for a policy's wake-ups. Evaluations end with the workers, and do
# not count: there may be any number of them in an iteration.
_MAX_EVENTS_PER_ITERATION = 100
_SPARE_EVENTS = 100_000

Turn = LeaveReason | Literal["joins"]


def turns(scenario: Scenario) -> tuple[list[tuple[float, int, Turn]], set[int]]:
    """Give when who is to die, to join or to be stopped, the next one last; and who is not there at the start."""
    planned: list[tuple[float, int, Turn]] = [(at_s, worker, "died") for worker, at_s in scenario.deaths.items()]
    late = set()
    for one in scenario.churn:
        if one.leaves_at_s is None:
            late.add(one.worker)
        else:
            planned.append((one.leaves_at_s, one.worker, "died"))
        if one.joins_at_s is not None:
            planned.append((one.joins_at_s, one.worker, "joins"))
    if scenario.until_s is not None:
        planned += [(scenario.until_s, worker, "stopped") for worker in range(len(scenario.speeds))]
    return sorted(planned, reverse=True), late


def max_events(scenario: Scenario) -> int:
    """Give after how many events a simulation is given up."""
    if scenario.iterations is None:
        return _MAX_EVENTS
    return _SPARE_EVENTS + _MAX_EVENTS_PER_ITERATION * scenario.iterations * len(scenario.speeds)


def standstill(now_s: float, scenario: Scenario, workers: Sequence[VirtualWorker], gate: Gate) -> str:
    """Say that nothing can happen any more, who waits and why."""
    waiting = [worker.worker for worker in workers if worker.is_alive]
    reasons = {gate.members[worker].held_reason or "no reason given" for worker in waiting}
    name = scenario.policy.name
    return f"{name} lets workers {waiting} wait for ever from {now_s:g} s on: {'; '.join(sorted(reasons))}"


def closing(
    now_s: float, scenario: Scenario, workers: Sequence[VirtualWorker], target: TargetReached | None
) -> RunFinished:
    """Give the closing event of a run in which nobody is left."""
    if target:
        return RunFinished(now_s, "completed", f"target reached: {target.metric} {target.value:.4g}")
    last = scenario.iterations
    num_finished = 0 if last is None else sum(worker.iteration >= last for worker in workers)
    if now_s == scenario.until_s:
        return RunFinished(now_s, "completed", f"{now_s:g} s have passed")
    if num_finished:
        who = "all" if num_finished == len(workers) else f"{num_finished} of {len(workers)}"
        return RunFinished(now_s, "completed", f"{who} workers did {last} iterations")
    return RunFinished(now_s, "failed", "every worker died")
