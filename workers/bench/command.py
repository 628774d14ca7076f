"""`python -m workers bench-sync`: reads what is asked for, runs it, prints the table, writes the results."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from predictor.errors import SimulationError
from workers.bench.bounds import bound_jobs
from workers.bench.cache import default_folder
from workers.bench.cells import TUNING_SEEDS, Job, is_cached
from workers.bench.peers import choose
from workers.bench.results import results_of, table_of
from workers.bench.runner import estimate_cpu_s, run_jobs
from workers.bench.scenario import ScenarioError, read_scenarios

Record = dict[str, Any]


def main(arguments: argparse.Namespace) -> int:
    """Run the benchmark; give 0, 1 when a simulation failed, 2 when what was asked for cannot be used."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        run(arguments)
    except ScenarioError as error:
        return _say(error, 2)
    except (SimulationError, OSError) as error:
        return _say(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def run(arguments: argparse.Namespace) -> Record:
    """Do what the arguments say; give the results."""
    policies, seeds = choose(arguments.policies), read_seeds(arguments.seeds)
    num_processes = _read_jobs(arguments.jobs)
    scenarios = read_scenarios(arguments.scenarios)
    cache = _usable_cache(arguments.cache or default_folder())
    if arguments.out and not arguments.out.absolute().parent.is_dir():
        raise ScenarioError(f"--out must name a file in a folder that exists, got {str(arguments.out)!r}.")
    common = (seeds, cache, arguments.same_terms)
    bounds = bound_jobs(scenarios, policies, *common)
    jobs = [*(Job(scenario, policy, *common) for scenario in scenarios for policy in policies), *bounds]
    fresh = [job for job in jobs if not is_cached(job)]
    num_used = min(num_processes, max(1, len(fresh)))
    cpu_s = estimate_cpu_s(fresh)
    _print(
        f"{len(jobs)} cells: {len(scenarios)} scenarios, {len(policies)} policies"
        f"{f', {len(bounds)} bounds' if bounds else ''}; {len(jobs) - len(fresh)} are "
        f"cached. About {_duration(cpu_s)} of CPU time, {_duration(cpu_s / num_used)} with {num_used} processes."
    )
    found: dict[tuple[str, str], Record] = {}

    def tell(job: Job, result: Record) -> None:
        mean_s, cpu_s = sum(result["per_seed"]) / len(seeds), result["cpu_s"]
        place = f"[{len(found) + 1}/{len(jobs)}]"
        name = " ".join(job.scenario.name.split())
        _print(f"{place} {name} {job.policy}: {mean_s:.1f} s ({cpu_s:.1f} s of CPU)")

    cached = [job for job in jobs if job not in fresh]
    for batch, num in ((cached, 1), (fresh, num_used)):
        for job, result in run_jobs(batch, num, tell):
            found[job.scenario.name, job.policy] = result
    results = results_of(scenarios, {key: found[key] for job in jobs for key in [(job.scenario.name, job.policy)]})
    _print(table_of(scenarios, results))
    if arguments.out:
        _write(arguments.out, results)
    return results


def read_seeds(text: str) -> tuple[int, ...]:
    """Read a comma-separated list of seeds.

    Raises:
        ScenarioError: it holds something else, a seed twice, or one that is kept for tuning.
    """
    seeds: list[int] = []
    for word in text.split(","):
        if not word.strip().isdecimal() or int(word) >= 2**31:
            raise ScenarioError(f"--seeds must be whole numbers from 0 to 2147483647, such as 1,2,3, got {word!r}.")
        if int(word) in TUNING_SEEDS:
            raise ScenarioError(f"--seeds must not hold {int(word)}: it is a seed for tuning, which is not reported.")
        if int(word) in seeds:
            raise ScenarioError(f"--seeds must not hold a seed twice, got {text!r}.")
        seeds.append(int(word))
    return tuple(seeds)


def _read_jobs(text: str | None) -> int:
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise ScenarioError(f"--jobs must be a whole number from 1 to 1024, got {text!r}.")
    return int(text)


def _usable_cache(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScenarioError(f"The cache {str(folder)!r} cannot be used: {error.strerror}.") from error
    return folder


def _write(path: Path, results: Record) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    fresh.replace(path)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say(error: Exception, code: int) -> int:
    sys.stderr.write(f"foresync: {error}\n")
    return code


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
