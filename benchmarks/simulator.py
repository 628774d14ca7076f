"""Measure how fast the plain simulator is, without gradients and without a log, and how much memory it takes.

    python benchmarks/simulator.py [--repetitions 5] [--policies a,b] [--out benchmarks/results]

Unlike workers (factors 1 to 1.7, jitter 0.1), transfer half an iteration and none. Small: every policy with 8 workers;
the policies take turns, so that a busy moment does not hit one of them alone. Large: `ssp` and `foresync` with 1,000
and 10,000 workers, each in a process of its own, whose peak of resident memory is reported (Python and numpy alone
take a part of it, given in the last line). The clock is that of the process. Written: `simulator.md`. Nothing else
should run on the machine.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import machine
from predictor.forecasters import TimingParams
from predictor.policies import POLICIES
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer

ROOT = Path(__file__).resolve().parent.parent
NUM_WORKERS = 8
ITERATIONS = 2000  # of each of them
TRANSFERS_S = (0.0, 0.5)
LARGE = {1000: 50, 10_000: 20}  # workers -> iterations of each of them
LARGE_POLICIES = ("ssp", "foresync")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--one", nargs=3, metavar=("POLICY", "WORKERS", "ITERATIONS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, num_workers, iterations = options.one
        print(rate(name, int(num_workers), int(iterations), TRANSFERS_S[-1]) if int(iterations) else 0.0, peak_mib())
        return
    small = small_runs(options.policies.split(","), options.repetitions)
    large = large_runs(options.repetitions)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "simulator.md").write_text(page(small, large, options.repetitions))


def small_runs(names: list[str], num_repetitions: int) -> list[str]:
    """Give one line of the table for each policy."""
    rates: dict[tuple[str, float], list[float]] = {(name, one): [] for name in names for one in TRANSFERS_S}
    for _ in range(num_repetitions):
        for (name, transfer_s), found in rates.items():
            found.append(rate(name, NUM_WORKERS, ITERATIONS, transfer_s))
    lines = []
    for name in names:
        lines.append(f"| {name} | {' | '.join(spread(rates[name, one]) for one in TRANSFERS_S)} |")
        print(lines[-1], flush=True)
    return lines


def large_runs(num_repetitions: int) -> list[str]:
    """Give one line of the table for each policy and number of workers, and what Python takes before it starts."""
    lines = []
    for name in LARGE_POLICIES:
        for num_workers, iterations in LARGE.items():
            runs = [in_a_process(name, num_workers, iterations) for _ in range(num_repetitions)]
            rates, peaks = [one for one, _ in runs], [peak for _, peak in runs]
            lines.append(f"| {name} | {num_workers} | {iterations} | {spread(rates)} | {max(peaks):.0f} |")
            print(lines[-1], flush=True)
    lines.append(f"| (nothing) | 0 | 0 | | {in_a_process('ssp', 0, 0)[1]:.0f} |")
    return lines


def in_a_process(name: str, num_workers: int, iterations: int) -> tuple[float, float]:
    """Measure one simulation in a process of its own: iterations per second, and peak memory in MiB."""
    command = [sys.executable, __file__, "--one", name, str(num_workers), str(iterations)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    per_s, peak = done.stdout.split()
    return float(per_s), float(peak)


def rate(name: str, num_workers: int, iterations: int, transfer_s: float) -> float:
    """Simulate, and give the iterations of all workers per second of processor time."""
    speed = LognormalParams(base_s=1.0, factors=tuple(1 + 0.1 * (one % 8) for one in range(num_workers)), cv=0.1)
    scenario = Scenario(
        policy=POLICIES[name](),
        speeds=[speed.build(worker, num_workers, 1, _no_files) for worker in range(num_workers)],
        transfers=[Transfer(transfer_s, 0.0, worker, 1) for worker in range(num_workers)],
        iterations=iterations,
        forecaster=TimingParams(),
    )
    begun_s = time.process_time()
    result = simulate(scenario)
    return sum(one.num_iterations for one in result.workers) / (time.process_time() - begun_s)


def _no_files(path: str) -> str:
    raise FileNotFoundError(path)


def peak_mib() -> float:
    """Give the peak of this process's resident memory in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def spread(figures: list[float]) -> str:
    """Give the median with the least and the largest."""
    ordered = sorted(figures)
    return f"{ordered[len(ordered) // 2]:,.0f} ({ordered[0]:,.0f} to {ordered[-1]:,.0f})"


def page(small: list[str], large: list[str], num_repetitions: int) -> str:
    """Give the report as Markdown."""
    lines = [
        "# Speed of the plain simulator (measured)",
        "",
        f"Command: `python benchmarks/simulator.py --repetitions {num_repetitions}`. {machine()}.",
        f"Iterations per second on one core: median of {num_repetitions} repetitions (least to largest). Every policy",
        "with its defaults, forecaster `timing`, no gradients, log off.",
        "",
        f"| policy, {NUM_WORKERS} workers | {' | '.join(f'transfer {one:g} s' for one in TRANSFERS_S)} |",
        "|---|---|---|",
        *small,
        "",
        f"Many workers, transfer {TRANSFERS_S[-1]:g} s; the memory is the peak of all repetitions.",
        "",
        "| policy | workers | iterations of each | iterations per second | peak memory (MiB) |",
        "|---|---|---|---|---|",
        *large,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
