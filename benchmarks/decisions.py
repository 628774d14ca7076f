"""Measure what one decision costs: a push handled by the gate, under every policy.

    python benchmarks/decisions.py [--pushes 3000] [--repetitions 5] [--policies a,b] [--out benchmarks/results]

The stimuli are those of a simulated run of N unlike workers (factors 1 to 1.7, jitter 0.1, transfer half an iteration),
recorded beforehand and then handled by a fresh gate, as in a replay; each `PushArrived` is timed by itself, by the
clock of the process, which other programs do not move. The first pushes of each worker are left out: forecasts have
not begun there. Written: `decisions.md`. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from predictor.events import Event, PushArrived, Stimulus
from predictor.forecasters import TimingParams
from predictor.gate import Gate
from predictor.policies import POLICIES
from predictor.policies.base import PolicyParams
from predictor.policies.zipline import closest_meeting
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer

ROOT = Path(__file__).resolve().parent.parent
NUM_WORKERS = (10, 100, 1000)
TARGETS_US = {10: 50, 100: 300, 1000: 3000}
HORIZON = 15  # of ZipLine, as in its paper
WARM_UP = 2  # iterations of each worker


class _EnoughError(Exception):
    """As many pushes as wanted have been recorded."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pushes", type=int, default=3000, help="pushes of a recording; more for 1,000 workers")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    lines = []
    for name in options.policies.split(","):
        for num in NUM_WORKERS:
            policy = POLICIES[name]()
            stimuli = record(policy, num, max(options.pushes, (WARM_UP + 3) * num))
            costs = [decisions_us(policy, stimuli, WARM_UP * num) for _ in range(options.repetitions)]
            lines.append(row(name, num, costs, f"{TARGETS_US[num]}"))
            print(lines[-1], flush=True)
    for num in NUM_WORKERS:
        costs = [zipline_us(num, max(5, 3000 // num)) for _ in range(options.repetitions)]
        lines.append(row(f"ZipLine alone, R = {HORIZON}", num, costs, ""))
        print(lines[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "decisions.md").write_text(table(lines, options.pushes, options.repetitions))


def record(policy: PolicyParams, num_workers: int, num_pushes: int) -> list[Stimulus]:
    """Give the stimuli of a run up to that many pushes."""
    speed = LognormalParams(base_s=1.0, factors=tuple(1 + 0.1 * (one % 8) for one in range(num_workers)), cv=0.1)
    stimuli: list[Stimulus] = []
    num_left = num_pushes

    def keep(event: Event) -> None:
        nonlocal num_left
        if isinstance(event, Stimulus):
            stimuli.append(event)
            num_left -= isinstance(event, PushArrived)
            if not num_left:
                raise _EnoughError

    scenario = Scenario(
        policy=policy,
        speeds=[speed.build(worker, num_workers, 1, _no_files) for worker in range(num_workers)],
        transfers=[Transfer(0.5, 0.0, worker, 1) for worker in range(num_workers)],
        until_s=float("inf"),
        forecaster=TimingParams(),
    )
    with suppress(_EnoughError):
        simulate(scenario, keep)
    return stimuli


def decisions_us(policy: PolicyParams, stimuli: list[Stimulus], num_first: int) -> list[float]:
    """Time each push, but for the first ones; in microseconds."""
    handle = Gate(policy, TimingParams()).handle
    costs: list[float] = []
    with no_collections():
        for stimulus in stimuli:
            begun_ns = time.process_time_ns()
            handle(stimulus)
            ended_ns = time.process_time_ns()
            if isinstance(stimulus, PushArrived):
                costs.append((ended_ns - begun_ns) / 1e3)
    return costs[num_first:]


def zipline_us(num_workers: int, num_calls: int) -> list[float]:
    """Time the choice of a meeting among `HORIZON` forecast ends of each worker; in microseconds."""
    lengths_s = np.random.default_rng(1).uniform(0.8, 2.0, (num_calls + 1, num_workers)).tolist()
    costs: list[float] = []
    with no_collections():
        for lengths in lengths_s:
            ends = [[length_s * number for number in range(1, HORIZON + 1)] for length_s in lengths]
            begun_ns = time.process_time_ns()
            closest_meeting(ends)
            costs.append((time.process_time_ns() - begun_ns) / 1e3)
    return costs[1:]


@contextmanager
def no_collections() -> Iterator[None]:
    """Keep Python's collections of garbage, which take milliseconds now and then, out of what is timed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _no_files(path: str) -> str:
    raise FileNotFoundError(path)


def row(name: str, num_workers: int, costs_us: list[list[float]], target: str) -> str:
    """Give one line: median of the repetitions' figures, with the least and the largest of them."""
    means = sorted(float(np.mean(one)) for one in costs_us)
    p99s = sorted(float(np.quantile(one, 0.99)) for one in costs_us)
    worsts = sorted(max(one) for one in costs_us)
    figures = [f"{one[len(one) // 2]:.1f} ({one[0]:.1f} to {one[-1]:.1f})" for one in (means, p99s, worsts)]
    return f"| {name} | {num_workers} | {' | '.join(figures)} | {target} |"


def table(lines: list[str], num_pushes: int, num_repetitions: int) -> str:
    """Give the report as Markdown."""
    head = [
        "# Cost of a decision (measured)",
        "",
        f"Command: `python benchmarks/decisions.py --pushes {num_pushes} --repetitions {num_repetitions}`.",
        f"{machine()}.",
        "One push handled by the gate, in microseconds: mean, 99% quantile and the single worst one; of each the",
        f"median of {num_repetitions} repetitions (least to largest). Every policy with its defaults, forecaster",
        "`timing`, log off, garbage collection off. The target is for the mean.",
        "",
        "| policy | workers | mean (us) | p99 (us) | worst (us) | target (us) |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *lines]) + "\n"


if __name__ == "__main__":
    main()
