"""Runs the cells in a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.connection import wait
from typing import Any

from workers.bench.cells import Contestant, Job, run_cell, source_version
from workers.bench.peers import GRIDS, forecaster_of, grid_of
from workers.bench.scenario import Scenario

Record = dict[str, Any]
Progress = Callable[[Job, Record], None]

_PROBED = "asp"
_PROBE = 0.1  # of the budget is simulated to learn what an iteration costs here
# Shares of a run to the budget with all start rates, as measured over the grid of METHOD section 8.
_TUNING_RUNS = 0.8  # for each point of a policy's grid
_REPORT_RUN = 0.45  # for each reported seed


def estimate_cpu_s(jobs: Sequence[Job]) -> float:
    """Estimate the CPU time of jobs that are not cached: from a probe, and from how many iterations fit a budget."""
    if not jobs:
        return 0.0
    per_rate_s = _probe_s(jobs[0].scenario)
    lengths: dict[str, int] = {}
    total_s = 0.0
    for job in jobs:
        scenario = job.scenario
        if scenario.name not in lengths:
            lengths[scenario.name] = _num_iterations(scenario, scenario.budget_s)
        runs = _TUNING_RUNS * len(GRIDS[job.policy]) + _REPORT_RUN * len(job.seeds)
        total_s += per_rate_s * len(scenario.learning_rates) * lengths[scenario.name] * runs
    return total_s


def _probe_s(scenario: Scenario) -> float:
    """Measure what an iteration costs for each learning rate."""
    until_s = _PROBE * scenario.budget_s
    [params], rates = grid_of(_PROBED), scenario.learning_rates
    contestant = Contestant(scenario, params, forecaster_of(_PROBED))
    for seconds in (0.0, until_s):  # the first run only loads the data
        started_s = time.process_time()
        contestant.try_rates(rates, 0, seconds or scenario.evaluate_every_s)
    return (time.process_time() - started_s) / (max(1, _num_iterations(scenario, until_s)) * len(rates))


def _num_iterations(scenario: Scenario, until_s: float) -> int:
    """Count the iterations of workers that never wait."""
    num = 0
    for speed in scenario.speeds(seed=0):
        now_s, iteration = 0.0, 0
        while now_s < until_s:
            now_s += speed.duration_s(iteration, now_s)
            iteration += 1
        num += iteration
    return num


def run_jobs(jobs: Sequence[Job], num_processes: int, progress: Progress) -> Iterator[tuple[Job, Record]]:
    """Run all jobs, the costly ones first; give each with its result, in the order in which they end.

    Raises:
        SimulationError: a policy lets its workers wait for ever.
    """
    ordered = sorted(jobs, key=lambda job: -len(GRIDS[job.policy]))  # so that none is left for the end
    if num_processes == 1:
        for job in ordered:
            yield job, _told(progress, job, run_cell(job))
        return
    policies = {(job.policy, job.has_same_terms) for job in jobs}
    context = multiprocessing.get_context("spawn")  # a fork would inherit whatever threads there are
    pool = ProcessPoolExecutor(min(num_processes, max(1, len(jobs))), context, _start, (policies,))
    try:
        running: dict[Future[Record], Job] = {pool.submit(run_cell, job): job for job in ordered}
        for future in as_completed(running):
            yield running[future], _told(progress, running[future], future.result())
    except BaseException:
        for process in list((pool._processes or {}).values()):  # what they compute now is lost, the cache is whole
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _told(progress: Progress, job: Job, result: Record) -> Record:
    progress(job, result)
    return result


def _start(policies: set[tuple[str, bool]]) -> None:
    """Set a process of the pool up: Ctrl-C is for its parent, and it does not outlive that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for policy in policies:  # now, before anybody edits what this process has loaded
        source_version(*policy)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent, "runs in a process of the pool"
    wait([parent.sentinel])
    os._exit(1)
