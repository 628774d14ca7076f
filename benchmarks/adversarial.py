"""Measure what forecasts that are wrong on purpose cost: time to target against SSP with its best threshold.

    FORESYNC_TRACES=FOLDER python benchmarks/adversarial.py [--scenarios PATH...] [--only NAME,...] [--ssp RESULTS]
                                                            [--policies NAME[:key=value]...] [--seeds 1,2,3]

`foresync` and `predictive` run with the forecasters `inverted`, `random` and `frozen`, and beside them with an honest
one (`timing`), which tells what is due to the forecasts and what to the policy. Learning rates are tuned as in
`foresync bench sync`; ratios are theirs / SSP's, so below 1 they are faster in spite of their forecasts. Virtual time.
What was computed is kept (`--cache`), so that a run that was stopped goes on. Written: `results/adversarial.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from predictor.forecasters import ADVERSARIAL, ForecasterParams, TimingParams, build_adversarial
from predictor.policies import POLICIES, PolicyParams
from workers.bench.cache import Cache, default_folder, version_of
from workers.bench.cells import TUNING_SEEDS, Contestant, Job, run_cell
from workers.bench.scenario import Scenario, read_scenarios
from workers.bench.tuner import MISS, Tuner

ROOT = Path(__file__).resolve().parent.parent
POLICY_NAMES = ("foresync", "predictive", "predictive:rounds=if_worth")
HONEST = "timing"
LIMIT = 1.10  # what was aimed at, in every cell with a wrong forecaster
Row = tuple[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", type=Path, nargs="+", default=[ROOT / "benchmarks" / "scenarios"])
    parser.add_argument("--only", default="", help="names of the scenarios to run; all without it")
    parser.add_argument(
        "--ssp", type=Path, help="results of `foresync bench sync` with seeds 1, 2, ... to read SSP from"
    )
    parser.add_argument("--policies", nargs="+", default=list(POLICY_NAMES))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--cache", type=Path, default=default_folder())
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    seeds = tuple(int(seed) for seed in options.seeds.split(","))
    only = set(filter(None, options.only.split(",")))
    scenarios = [one for one in read_scenarios(options.scenarios) if not only or one.name in only]
    known = ssp_times(options.ssp, seeds) if options.ssp else {}
    one_row = partial(ratios_of, policies=options.policies, seeds=seeds, cache=options.cache, known=known)
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(one_row, scenarios))
    text = head(options.seeds, len(rows)) + table(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "adversarial.md").write_text(text, encoding="utf-8")
    print(text)


def ssp_times(results: Path, seeds: tuple[int, ...]) -> dict[str, list[float]]:
    """Read the times of SSP with its best threshold, by scenario."""
    cells = json.loads(results.read_text(encoding="utf-8"))["cells"]
    of_ssp = {cell["scenario"]: cell["time_to_target_s"]["per_seed"] for cell in cells if cell["policy"] == "ssp"}
    return {scenario: [times[seed - 1] for seed in seeds] for scenario, times in of_ssp.items()}


def ratios_of(
    scenario: Scenario, policies: list[str], seeds: tuple[int, ...], cache: Path, known: Mapping[str, list[float]]
) -> Row:
    """Give the ratio of each policy with each forecaster to SSP in one scenario."""
    ssp = known.get(scenario.name) or run_cell(Job(scenario, "ssp", seeds, cache))["per_seed"]
    ratios: dict[str, float] = {}
    for policy in policies:
        for name in (HONEST, *ADVERSARIAL):
            forecaster = TimingParams() if name == HONEST else build_adversarial(name)
            contestant = Contestant(scenario, build_policy(policy), forecaster)
            ratios[f"{policy} {name}"] = sum(times_of(contestant, seeds, Cache(cache))) / sum(ssp)
    print(scenario.name, *(f"{key} {ratio:.2f}" for key, ratio in ratios.items()), sep="  ", flush=True)
    return scenario.name, ratios


def build_policy(text: str) -> PolicyParams:
    """Build a policy from its name and what is set of it: "predictive:rounds=if_worth"."""
    name, _, settings = text.partition(":")
    return POLICIES[name](**dict(one.split("=", 1) for one in filter(None, settings.split(","))))


def times_of(contestant: Contestant, seeds: tuple[int, ...], cache: Cache) -> list[float]:
    """Give the times to the target, tuned on the seeds that are not reported; what is known already is read."""
    times: list[float] = cache.get_or_make(key_of(contestant, seeds), lambda: {"times": train(contestant, seeds)})[
        "times"
    ]
    return times


def train(contestant: Contestant, seeds: tuple[int, ...]) -> list[float]:
    scenario = contestant.scenario
    tuner = Tuner(
        scenario.learning_rates,
        TUNING_SEEDS,
        scenario.budget_s,
        lambda _, rates, seed, until_s: contestant.try_rates(rates, seed, until_s),
    )
    rate = tuner.tune([contestant.params]).learning_rate
    trials = [contestant.try_rates([rate], seed, scenario.budget_s)[0] for seed in seeds]
    return [trial.time_s if math.isfinite(trial.time_s) else MISS * scenario.budget_s for trial in trials]


def key_of(contestant: Contestant, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Name all that decides about the times, the sources among it."""
    policy, forecaster = contestant.params, contestant.forecaster
    return {
        "what": "adversarial",
        "scenario": contestant.scenario.content(),
        "policy": dataclasses.asdict(policy),  # type: ignore[call-overload]
        "forecaster": dataclasses.asdict(forecaster),  # type: ignore[call-overload]
        "seeds": [*TUNING_SEEDS, *seeds],
        "version": version_of(type(policy).__module__, module_of(forecaster)),
    }


def module_of(forecaster: ForecasterParams) -> str:
    return type(forecaster).__module__


def head(seeds: str, num_scenarios: int) -> str:
    return (
        "# Forecasts that are wrong on purpose (simulated)\n\n"
        "Command: `python benchmarks/adversarial.py --ssp benchmarks/results/sync.json` with `FORESYNC_TRACES` set.\n"
        f"{machine()}. {num_scenarios} scenarios, seeds {seeds}. Exact times, real gradients.\n"
        f"Time to target over that of SSP with its best threshold; aimed at with wrong forecasts: at most {LIMIT:.2f} "
        f"in every cell.\n`{HONEST}` is honest: what is above the limit there already is due to the policy, not to its "
        "forecasts.\n\n"
    )


def table(rows: list[Row]) -> str:
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
