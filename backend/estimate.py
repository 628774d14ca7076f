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
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backend.spec_check import ReadCatalogue, num_test_samples, read_trace, step_time_s
from predictor.errors import SimulationError
from predictor.forecasters import TimingParams
from predictor.forecasters.gru import GruParams
from predictor.simulator import SimulationResult, scenario_of, simulate
from predictor.spec import RunSpec

START_LOW_S, START_HIGH_S = 0.5, 6.0  # processes, data, first weights; the last evaluation and checkpoint
SLACK = 1.15  # of a simulated duration: the machine's own load
MAX_ITERATIONS = 400  # of each worker in a simulation; the rest is extrapolated
MAX_COST = 120_000  # of all simulations of one estimate, in iterations x workers squared: about 2 s
MIN_ITERATIONS = 5
MAX_EXACT = 2.0**53
NUM_KEPT = 2_048  # ranges of earlier estimates: a form asks at every keystroke, and the queue again and again

# Of a run in virtual time.
LOG_S = 0.0004  # beside the step: the gate, the log, the merge
FORWARD_SHARE = 0.4  # of the time of a step; an evaluation does nothing else
VIRTUAL_SLACK = 2.0  # others may use the core

BASIS = "predicted: from the stop conditions and a simulation of the policy in virtual time; not measured"


@dataclass(frozen=True, slots=True)
class Range:
    """Predicted duration and work of one run."""

    low_s: float
    high_s: float | None  # None: nothing bounds it
    num_iterations: int | None  # of all workers, until the latest end; None: nothing bounds or tells it
    basis: str


def estimate(specs: Sequence[RunSpec], read_catalogue: ReadCatalogue, concurrency: int) -> dict[str, Any]:
    """Predict the durations of runs, in the order of the queue.

    Args:
        specs: runs that have been checked.
        read_catalogue: knows how long a real step takes.
        concurrency: runs that train at the same time.

    Returns:
        `schemas.Estimate` as plain data.
    """
    found = ranges(specs, read_catalogue)
    rows = [
        {"name": spec.name, "policy": spec.policy.name, **dataclasses.asdict(one)}
        for spec, one in zip(specs, found, strict=True)
    ]
    highs = [one.high_s for one in found if one.high_s is not None]
    works = [one.num_iterations for one in found if one.num_iterations is not None]
    return {
        "num_runs": len(rows),
        "runs": rows,
        "total_low_s": _total([one.low_s for one in found], concurrency),
        "total_high_s": _total(highs, concurrency) if len(highs) == len(found) else None,
        "total_iterations": _whole(sum(works)) if len(works) == len(found) else None,
        "concurrency": concurrency,
        "basis": BASIS,
    }


def ranges(specs: Sequence[RunSpec], read_catalogue: ReadCatalogue) -> list[Range]:
    """Predict how long each run takes by itself.

    Args:
        specs: runs that have been checked.
        read_catalogue: knows how long a real step takes.
    """
    shapes = [_shape(spec) for spec in specs]
    cost = sum(shape.cluster.num_workers**2 for shape in set(shapes))
    limit = min(MAX_ITERATIONS, max(MIN_ITERATIONS, MAX_COST // max(1, cost)))
    known: dict[RunSpec, Range] = {}
    for shape in shapes:
        if shape not in known:
            catalogue = read_catalogue(shape.task.data_dir)
            num_test = num_test_samples(shape.task, catalogue) if _is_virtual(shape) else 0
            # What a trace holds may change between two looks at it.
            predict = _predict.__wrapped__ if shape.speed.kind == "trace" else _predict
            known[shape] = predict(shape, step_time_s(shape.task, catalogue), num_test, limit, _num_cores())
    return [known[shape] for shape in shapes]


@lru_cache(maxsize=NUM_KEPT)
def _predict(spec: RunSpec, step_s: float | None, num_test: int, limit: int, num_cores: int) -> Range:
    if _is_virtual(spec):
        return _virtual_range(spec, step_s, num_test, limit)
    return _range(spec, (step_s or 0.0) * max(1.0, spec.cluster.num_workers / num_cores), limit)


def _shape(spec: RunSpec) -> RunSpec:
    """Give the spec without what does not change its duration."""
    task = dataclasses.replace(spec.task, learning_rate=0.1, partition="iid")
    # A network would be trained here at every forecast, with torch in the server; another forecaster's time is near.
    forecaster = TimingParams() if isinstance(spec.forecaster, GruParams) else spec.forecaster
    return dataclasses.replace(spec, name="run", seed=1, task=task, forecaster=forecaster)


def _range(spec: RunSpec, step_s: float, limit: int) -> Range:
    """Predict a run of real processes."""
    stop = spec.stop
    if stop.seconds is None and stop.iterations is None:
        return Range(START_LOW_S, None, None, "ends at its target only: nothing bounds it")
    bounds: list[tuple[float, float, str]] = []
    if stop.seconds is not None:
        bounds.append((stop.seconds, stop.seconds, f"stops after {stop.seconds:g} s"))
    num_simulated = min(stop.iterations or limit, limit)
    num_iterations = None
    try:
        result = _simulated(spec, num_simulated, None if stop.iterations else stop.seconds, step_s)
    except SimulationError:
        if stop.seconds is None:
            why = f"{stop.iterations} iterations of unknown length: the time of a step was not measured"
            return Range(START_LOW_S, None, None, why)
    else:
        num_iterations = _whole(_extent(result, stop.iterations, stop.seconds)[0])
        if stop.iterations is not None:
            took_s = result.makespan_s * stop.iterations / num_simulated
            is_whole = num_simulated == stop.iterations
            how = "simulated" if is_whole else f"extrapolated from {num_simulated} simulated ones"
            bounds.append((took_s, took_s * SLACK, f"{stop.iterations} iterations of each worker, {how}"))
    low_s, high_s = min(low_s for low_s, _, _ in bounds), min(high_s for _, high_s, _ in bounds)
    basis = " or ".join(why for _, _, why in bounds)
    if stop.target is not None:
        basis = f"ends at {stop.target.metric} {stop.target.value:g}, whose time is not predicted, or {basis}"
        low_s = 0.0
    return Range(low_s + START_LOW_S, high_s + START_HIGH_S, num_iterations, basis)


def _virtual_range(spec: RunSpec, step_s: float | None, num_test: int, limit: int) -> Range:
    """Predict a run in virtual time, in real seconds of one core."""
    stop = spec.stop
    if stop.iterations is None and stop.seconds is None:
        return Range(START_LOW_S, None, None, "in virtual time, ends at its target only: nothing bounds it")
    if step_s is None:
        why = "in virtual time: as long as its steps take, whose time was not measured"
        return Range(START_LOW_S, None, None, why)
    result = _simulated(spec, min(stop.iterations or limit, limit), stop.seconds, 0.0)
    num_iterations, lasts_s = _extent(result, stop.iterations, stop.seconds)
    num_evaluations = 1 + min(lasts_s / spec.evaluate_every_s, num_iterations)
    sample_s = FORWARD_SHARE * step_s / spec.task.batch_size
    took_s = num_iterations * (step_s + LOG_S) + num_evaluations * num_test * sample_s
    basis = f"{num_iterations:,.0f} iterations of all workers on one core, {lasts_s:,.0f} s of virtual time"
    low_s = took_s / VIRTUAL_SLACK
    if stop.target is not None:
        low_s, basis = 0.0, f"ends at {stop.target.metric} {stop.target.value:g}, or after {basis}"
    return Range(low_s + START_LOW_S, took_s * VIRTUAL_SLACK + START_HIGH_S, _whole(num_iterations), basis)


def _extent(result: SimulationResult, iterations: int | None, seconds: float | None) -> tuple[float, float]:
    """Give about how many iterations all workers do until the end, and how many seconds of their clock that takes."""
    until_s = math.inf if seconds is None else seconds
    num, lasts_s = 0.0, 0.0
    for one in result.workers:
        each_s = one.wall_s / max(1, one.num_iterations)
        own = min(iterations or math.inf, until_s / each_s)
        num, lasts_s = num + own, max(lasts_s, min(until_s, own * each_s))
    return num, lasts_s


def _simulated(spec: RunSpec, iterations: int, seconds: float | None, step_s: float) -> SimulationResult:
    stop = dataclasses.replace(spec.stop, iterations=iterations, seconds=seconds)
    return simulate(scenario_of(dataclasses.replace(spec, stop=stop), read_trace, step_s=step_s))


def _whole(num: float) -> int | None:
    """Give a count; None where it is too large to be one that is exactly known."""
    return round(num) if num < MAX_EXACT else None


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
