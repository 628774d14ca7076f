"""How long an experiment will take: a prediction, and labelled as one.

What ends a run after a number of iterations is simulated in virtual time; what ends it at a target is not
predicted, since nothing here knows how fast a task is learnt: such a run is given as a range up to its limit.
A run in virtual time takes as long as its iterations and evaluations need one core, whatever its own clock says.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import os
from collections.abc import Sequence
from typing import Any

from backend.spec_check import ReadCatalogue, num_test_samples, read_trace, step_time_s
from predictor.errors import SimulationError
from predictor.simulator import SimulationResult, scenario_of, simulate
from predictor.spec import RunSpec

START_LOW_S, START_HIGH_S = 0.5, 6.0  # processes, data, first weights; the last evaluation and checkpoint
SLACK = 1.15  # of a simulated duration: the machine's own load
MAX_ITERATIONS = 400  # of each worker in a simulation; the rest is extrapolated
MAX_COST = 120_000  # of all simulations of one estimate, in iterations x workers squared: about 2 s
MIN_ITERATIONS = 5

# Of a run in virtual time.
LOG_S = 0.0004  # beside the step: the gate, the log, the merge
FORWARD_SHARE = 0.4  # of the time of a step; an evaluation does nothing else
VIRTUAL_SLACK = 2.0  # others may use the core

BASIS = "predicted: from the stop conditions and a simulation of the policy in virtual time; not measured"


def estimate(specs: Sequence[RunSpec], read_catalogue: ReadCatalogue, concurrency: int) -> dict[str, Any]:
    """Predict the durations of runs, in the order of the queue.

    Args:
        specs: runs that have been checked.
        read_catalogue: knows how long a real step takes.
        concurrency: runs that train at the same time.

    Returns:
        `schemas.Estimate` as plain data.
    """
    distinct = {_shape(spec) for spec in specs if spec.stop.iterations or _is_virtual(spec)}
    cost = sum(spec.cluster.num_workers**2 for spec in distinct)
    limit = min(MAX_ITERATIONS, max(MIN_ITERATIONS, MAX_COST // max(1, cost)))
    known: dict[RunSpec, tuple[float, float | None, str]] = {}
    rows: list[dict[str, Any]] = []
    for spec in specs:
        shape = _shape(spec)
        if shape not in known:
            catalogue = read_catalogue(spec.task.data_dir)
            step_s = step_time_s(spec.task, catalogue)
            if _is_virtual(spec):
                known[shape] = _virtual_range(spec, step_s, num_test_samples(spec.task, catalogue), limit)
            else:
                crowd = max(1.0, spec.cluster.num_workers / _num_cores())
                known[shape] = _range(spec, (step_s or 0.0) * crowd, limit)
        low_s, high_s, basis = known[shape]
        rows.append(
            {"name": spec.name, "policy": spec.policy.name, "low_s": low_s, "high_s": high_s, "basis": basis}
        )  # fmt: skip
    highs = [row["high_s"] for row in rows]
    return {
        "num_runs": len(rows),
        "runs": rows,
        "total_low_s": _total([row["low_s"] for row in rows], concurrency),
        "total_high_s": None if None in highs else _total(highs, concurrency),
        "concurrency": concurrency,
        "basis": BASIS,
    }


def _shape(spec: RunSpec) -> RunSpec:
    """Give the spec without what does not change its duration."""
    task = dataclasses.replace(spec.task, learning_rate=0.1, partition="iid")
    return dataclasses.replace(spec, name="run", seed=1, task=task)


def _range(spec: RunSpec, step_s: float, limit: int) -> tuple[float, float | None, str]:
    """Give shortest, longest (None: nothing bounds it) and why."""
    stop = spec.stop
    bounds: list[tuple[float, float, str]] = []
    if stop.seconds is not None:
        bounds.append((stop.seconds, stop.seconds, f"stops after {stop.seconds:g} s"))
    if stop.iterations is not None:
        try:
            took_s, is_whole = _simulate(spec, step_s, limit)
            how = "simulated" if is_whole else f"extrapolated from {limit} simulated ones"
            bounds.append((took_s, took_s * SLACK, f"{stop.iterations} iterations of each worker, {how}"))
        except SimulationError:
            if stop.seconds is None:
                why = f"{stop.iterations} iterations of unknown length: the time of a step was not measured"
                return START_LOW_S, None, why
    if not bounds:
        return START_LOW_S, None, "ends at its target only: nothing bounds it"
    low_s, high_s = min(low_s for low_s, _, _ in bounds), min(high_s for _, high_s, _ in bounds)
    basis = " or ".join(why for _, _, why in bounds)
    if stop.target is not None:
        basis = f"ends at {stop.target.metric} {stop.target.value:g}, whose time is not predicted, or {basis}"
        low_s = 0.0
    return low_s + START_LOW_S, high_s + START_HIGH_S, basis


def _virtual_range(spec: RunSpec, step_s: float | None, num_test: int, limit: int) -> tuple[float, float | None, str]:
    """Give the same for a run in virtual time, in real seconds of one core."""
    stop = spec.stop
    if stop.iterations is None and stop.seconds is None:
        return START_LOW_S, None, "in virtual time, ends at its target only: nothing bounds it"
    if step_s is None:
        return START_LOW_S, None, "in virtual time: as long as its steps take, whose time was not measured"
    num_iterations, lasts_s = _virtual_extent(spec, limit)
    num_evaluations = 1 + min(lasts_s / spec.evaluate_every_s, num_iterations)
    sample_s = FORWARD_SHARE * step_s / spec.task.batch_size
    took_s = num_iterations * (step_s + LOG_S) + num_evaluations * num_test * sample_s
    basis = f"{num_iterations:,.0f} iterations of all workers on one core, {lasts_s:,.0f} s of virtual time"
    low_s = took_s / VIRTUAL_SLACK
    if stop.target is not None:
        low_s, basis = 0.0, f"ends at {stop.target.metric} {stop.target.value:g}, or after {basis}"
    return low_s + START_LOW_S, took_s * VIRTUAL_SLACK + START_HIGH_S, basis


def _virtual_extent(spec: RunSpec, limit: int) -> tuple[float, float]:
    """Give about how many iterations all workers do together, and how many virtual seconds that takes them."""
    stop = spec.stop
    seconds = math.inf if stop.seconds is None else stop.seconds
    result = _simulated(spec, min(stop.iterations or limit, limit), None if stop.seconds is None else seconds, 0.0)
    num, lasts_s = 0.0, 0.0
    for one in result.workers:
        each_s = one.wall_s / max(1, one.num_iterations)
        own = min(stop.iterations or math.inf, seconds / each_s)
        num, lasts_s = num + own, max(lasts_s, min(seconds, own * each_s))
    return num, lasts_s


def _simulate(spec: RunSpec, step_s: float, limit: int) -> tuple[float, bool]:
    """Give the virtual seconds of all iterations, and whether each of them was simulated."""
    assert spec.stop.iterations is not None, "called only for a run of so many iterations"
    num = min(spec.stop.iterations, limit)
    makespan_s = _simulated(spec, num, None, step_s).makespan_s
    return makespan_s * spec.stop.iterations / num, num == spec.stop.iterations


def _simulated(spec: RunSpec, iterations: int, seconds: float | None, step_s: float) -> SimulationResult:
    stop = dataclasses.replace(spec.stop, iterations=iterations, seconds=seconds)
    return simulate(scenario_of(dataclasses.replace(spec, stop=stop), read_trace, step_s=step_s))


def _is_virtual(spec: RunSpec) -> bool:
    return spec.cluster.launcher == "virtual"


def _total(durations_s: Sequence[float], concurrency: int) -> float:
    """Give when the last run ends, if each starts as soon as a place is free."""
    free_at_s = [0.0] * concurrency
    for duration_s in durations_s:
        heapq.heappush(free_at_s, heapq.heappop(free_at_s) + duration_s)
    return max(free_at_s)


def _num_cores() -> int:
    return len(os.sched_getaffinity(0))
