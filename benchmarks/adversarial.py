"""Measure what forecasts that are wrong on purpose cost: time to target against SSP with its best threshold.

    FORESYNC_TRACES=FOLDER python benchmarks/adversarial.py [--scenarios PATH...] [--seeds 1,2,3] [--cache DIR]

`foresync` and `predictive` run with the forecasters `inverted`, `random` and `frozen`, learning rates tuned as in
`foresync bench sync`; ratios are theirs / SSP's, so below 1 they are faster in spite of their forecasts. Virtual time.
Written: `results/adversarial.md`.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from predictor.forecasters import ADVERSARIAL, build_adversarial
from predictor.policies import POLICIES
from workers.bench.cache import default_folder
from workers.bench.cells import TUNING_SEEDS, Contestant, Job, run_cell
from workers.bench.scenario import Scenario, read_scenarios
from workers.bench.tuner import MISS, Tuner

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("foresync", "predictive")
LIMIT = 1.10  # what was aimed at, in every cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", type=Path, nargs="+", default=[ROOT / "benchmarks" / "scenarios"])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cache", type=Path, default=default_folder())
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    seeds = tuple(int(seed) for seed in options.seeds.split(","))
    scenarios = read_scenarios(options.scenarios)
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(partial(ratios_of, seeds=seeds, cache=options.cache), scenarios))
    text = head(options.seeds) + table(rows)
    (options.out / "adversarial.md").write_text(text, encoding="utf-8")
    print(text)


def ratios_of(scenario: Scenario, seeds: tuple[int, ...], cache: Path) -> tuple[str, dict[str, float]]:
    """Give the ratio of each policy with each wrong forecaster to SSP in one scenario."""
    ssp = run_cell(Job(scenario, "ssp", seeds, cache))["per_seed"]
    ratios = {
        f"{policy} {name}": sum(times_of(scenario, policy, name, seeds)) / sum(ssp)
        for policy in NAMES
        for name in ADVERSARIAL
    }
    print(scenario.name, *(f"{key} {ratio:.2f}" for key, ratio in ratios.items()), sep="  ", flush=True)
    return scenario.name, ratios


def times_of(scenario: Scenario, policy: str, name: str, seeds: tuple[int, ...]) -> list[float]:
    """Give the times to the target, tuned on the seeds that are not reported."""
    contestant = Contestant(scenario, POLICIES[policy](), build_adversarial(name))
    tuner = Tuner(
        scenario.learning_rates,
        TUNING_SEEDS,
        scenario.budget_s,
        lambda _, rates, seed, until_s: contestant.try_rates(rates, seed, until_s),
    )
    rate = tuner.tune([contestant.params]).learning_rate
    trials = [contestant.try_rates([rate], seed, scenario.budget_s)[0] for seed in seeds]
    return [trial.time_s if math.isfinite(trial.time_s) else MISS * scenario.budget_s for trial in trials]


def head(seeds: str) -> str:
    cores = os.cpu_count()
    return (
        "# Forecasts that are wrong on purpose\n\nCommand: `python benchmarks/adversarial.py` with `FORESYNC_TRACES` "
        f"set. {datetime.date.today().isoformat()}, {cores} cores {platform.machine()}, Python "
        f"{platform.python_version()}. Seeds {seeds}. Simulated: exact times, real gradients. Time to target over that "
        f"of SSP with its best threshold; aimed at: at most {LIMIT:.2f} in every cell.\n\n"
    )


def table(rows: list[tuple[str, dict[str, float]]]) -> str:
    """Give geometric mean and worst cell for each policy and forecaster, then all cells."""
    keys = list(rows[0][1])
    lines = ["| policy, forecaster | geometric mean | worst cell | cells above the limit |", "|---|---|---|---|"]
    for key in keys:
        mean = math.exp(sum(math.log(ratios[key]) for _, ratios in rows) / len(rows))
        worst, name = max((ratios[key], name) for name, ratios in rows)
        num_above = sum(ratios[key] > LIMIT for _, ratios in rows)
        lines.append(f"| {key} | {mean:.2f} | {worst:.2f} ({name}) | {num_above} of {len(rows)} |")
    lines += ["", "| scenario | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{ratios[key]:.2f}" for key in keys) + " |" for name, ratios in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
