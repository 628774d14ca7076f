"""Time to a target with real processes: foresync against ssp with its best threshold, and against asp and bsp.

    python -m benchmarks.live_target [--repetitions 3] [--target 0.2] [--budget 120] [--smoke] [--out FOLDER]

Five workers, one of them four times slower, mlp on digits, two emulated transfers. Learning rates, and the threshold
of ssp, are tuned in virtual time on the same spec with other seeds (`workers.bench.tuner`: the grid of rates is
extended while the best lies at its edge). Then the winners run live, with real processes, repetition by repetition,
each with its own seed, the order rotating. All figures are taken up to the target:

    time       from the first release of weights; the start of the processes is no part of it
    virtual    the same run in virtual time, for comparison
    waiting    of all workers, as the dashboard counts it
    busy       compute time of all workers, the emulated slowness included: what machines as slow as that would have
               spent on gradients. It is slept here, not computed
    cpu        CPU seconds of server and workers, by their gauges, from their start on: gradients, messages, telemetry.
               `startup` (measured with runs of one iteration) is what they need to start, and is taken off for `net`
    bytes      weights and deltas, up and down

Nothing else should run on the machine. Written: `live_target.md`, `live_target.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.live_runs import RESULTS, Record, carry_out, cpu_s, first_release_s, machine, rotated, write
from benchmarks.live_target_page import page
from predictor.events import Event, ExchangeFinished, IterationFinished, PushArrived, TargetReached
from predictor.policies import POLICIES, PolicyParams
from predictor.simulator import simulate
from predictor.spec import RunSpec, StopSpec, read_run
from predictor.summary import Summary
from workers.bench.tuner import Choice, Objective, Trial, Tuner
from workers.clock import RunClock
from workers.datasets import load
from workers.job import SERVER, Job
from workers.launchers.virtual import scenario_of_job
from workers.launchers.virtual_trainer import VirtualTrainer
from workers.partition import shards

NAME = "live_target"
OURS = "foresync"
METRIC = "test_loss"
FACTORS = (1.0, 1.0, 1.0, 1.0, 4.0)
TUNING_SEEDS = (101, 102, 103)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is tuned and run."""

    target: float  # test loss
    budget_s: float
    base_s: float = 0.1
    transfers_s: tuple[float, ...] = (0.05, 0.2)
    rates: tuple[float, ...] = (0.35, 0.5, 0.7, 1.0, 1.4)
    thresholds: tuple[int, ...] = (1, 2, 4, 8, 16)
    tuning_seeds: tuple[int, ...] = TUNING_SEEDS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--target", type=float, default=0.2, help="test loss")
    parser.add_argument("--budget", type=float, default=120.0, help="longest run, in seconds")
    parser.add_argument("--smoke", action="store_true", help="tiny settings, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    setting, repetitions = Setting(options.target, options.budget), options.repetitions
    if options.smoke:
        setting, repetitions = Setting(1.2, 5.0, 0.05, (0.02,), (0.7,), (2, 8), (101,)), 1
    torch.set_num_threads(1)
    choices = tune_all(setting)
    rows, startup = run_all(setting, choices, repetitions)
    command = f"python -m benchmarks.{NAME} {shlex.join(sys.argv[1:])}".strip()
    about = {"machine": machine(), "command": command, "setting": dataclasses.asdict(setting)}
    figures = {**about, "startup_cpu_s": startup, "choices": choices, "runs": rows}
    write(options.out, NAME, page(figures), figures)


# ---- tuning, in virtual time -----------------------------------------------------------------------------


def grids(setting: Setting) -> dict[str, list[PolicyParams]]:
    """Give the points among which each policy is tuned."""
    thresholds = [POLICIES["ssp"](threshold=threshold) for threshold in setting.thresholds]
    return {OURS: [POLICIES[OURS]()], "ssp": thresholds, "asp": [POLICIES["asp"]()], "bsp": [POLICIES["bsp"]()]}


def tune_all(setting: Setting) -> list[Record]:
    """Tune every policy at every transfer."""
    choices = []
    for transfer_s in setting.transfers_s:
        for policy, grid in grids(setting).items():
            choice = tune(setting, grid, virtual_objective(setting, transfer_s))
            choices.append(
                {
                    "transfer_s": transfer_s,
                    "policy": policy,
                    "params": dataclasses.asdict(choice.params),  # type: ignore[call-overload]
                    "learning_rate": choice.learning_rate,
                    "virtual_mean_s": choice.mean_s,
                    "num_runs": choice.num_runs,
                }
            )
            print(json.dumps(choices[-1]), flush=True)
    return choices


def tune(setting: Setting, grid: Sequence[PolicyParams], objective: Objective) -> Choice:
    """Choose the parameters and the learning rate with the least mean time over the tuning seeds."""
    return Tuner(setting.rates, setting.tuning_seeds, setting.budget_s, objective).tune(grid)


def virtual_objective(setting: Setting, transfer_s: float) -> Objective:
    """Give what runs points of the grid in virtual time."""

    def objective(params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        fields: dict[str, Any] = dataclasses.asdict(params)  # type: ignore[call-overload]
        trials = []
        for rate in rates:
            spec = spec_of(setting, transfer_s, fields, rate, seed)
            stop = dataclasses.replace(spec.stop, seconds=until_s + spec.evaluate_every_s)
            trials.append(trial(dataclasses.replace(spec, stop=stop)))
        return trials

    return objective


def trial(spec: RunSpec) -> Trial:
    """Carry out a run in virtual time, as the launcher `virtual` does, without a log."""
    dataset, num_workers, seed = load(spec.task), spec.cluster.num_workers, spec.seed
    parts = shards(dataset.train.labels, num_workers, spec.task.partition, seed, min_samples=spec.task.batch_size)
    speeds = [spec.speed.build(worker, num_workers, seed, str) for worker in range(num_workers)]
    job = Job(spec, dataset, parts, speeds, RunClock(), Path("none"), incarnation=0, resumed=None, retuned={})
    trainer = VirtualTrainer(job, lambda: None)
    reached: list[float] = []
    now_s = 0.0

    def take(event: Event) -> None:
        nonlocal now_s
        now_s = event.at_s
        if isinstance(event, TargetReached):
            reached.append(event.at_s)

    simulate(scenario_of_job(job, trainer.num_bytes), take, trainer=trainer)
    summary = Summary()
    for event in trainer.evaluate_finally(now_s):
        summary.update(event)
    loss = summary.report()["final_loss"]
    return Trial(reached[0] if reached else math.inf, math.inf if loss is None else loss)


# ---- live ------------------------------------------------------------------------------------------------


def spec_of(setting: Setting, transfer_s: float, params: Mapping[str, Any], rate: float, seed: int) -> RunSpec:
    """Give the spec that is run live, and in virtual time."""
    return read_run(
        {
            "name": str(params["name"]),
            "task": {"model": "mlp", "dataset": "digits", "batch_size": 16, "learning_rate": rate},
            "cluster": {"num_workers": len(FACTORS)},
            "policy": dict(params),
            "speed": {"kind": "lognormal", "base_s": setting.base_s, "factors": list(FACTORS), "cv": 0.1},
            "transfer": {"transfer_s": transfer_s},
            "stop": {"seconds": setting.budget_s, "target": {"metric": METRIC, "value": setting.target}},
            "evaluate_every_s": 0.1,
            "checkpoint_every_s": 0.0,
            "seed": seed,
        }
    )


def run_all(setting: Setting, choices: Sequence[Record], repetitions: int) -> tuple[list[Record], list[float]]:
    """Run the winners live; give their figures, and the CPU seconds of starting only, once for each repetition."""
    rows, startup = [], []
    for repetition in range(repetitions):
        seed = repetition + 1
        startup.append(startup_cpu_s(setting, choices[0], seed))
        for transfer_s in setting.transfers_s:
            mine = [choice for choice in choices if choice["transfer_s"] == transfer_s]
            for choice in rotated(mine, repetition):
                spec = spec_of(setting, transfer_s, choice["params"], choice["learning_rate"], seed)
                load_before = os.getloadavg()[0]
                figures = until_target(carry_out(spec, setting.budget_s), setting.budget_s, startup[-1])
                virtual_s = trial(spec).time_s
                rows.append(
                    {
                        "transfer_s": transfer_s,
                        "repetition": seed,
                        "policy": choice["policy"],
                        "load": load_before,
                        "virtual_s": virtual_s if virtual_s < math.inf else None,
                        **figures,
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
    return rows, startup


def startup_cpu_s(setting: Setting, choice: Record, seed: int) -> float:
    """Measure the CPU seconds of server and workers in a run that ends after one iteration of each worker."""
    spec = spec_of(setting, choice["transfer_s"], choice["params"], choice["learning_rate"], seed)
    events = carry_out(dataclasses.replace(spec, stop=StopSpec(iterations=1, seconds=None)), expected_s=10.0)
    return trained_with_s(events, max(event.at_s for event in events))


def trained_with_s(events: Sequence[Event], until_s: float) -> float:
    """Give the CPU seconds of server and workers; the evaluator only watches, and is left out."""
    used = cpu_s(events, until_s)
    return sum(seconds for node, seconds in used.items() if node == SERVER or node.startswith("worker-"))


def until_target(events: Sequence[Event], budget_s: float, startup_s: float) -> Record:
    """Fold a live log up to its target, or to the end of the budget; see the head of this module."""
    reached = [event.at_s for event in events if isinstance(event, TargetReached)]
    first_s = first_release_s(events)
    until_s = reached[0] if reached else budget_s
    before = [event for event in events if event.at_s <= until_s]
    summary = Summary()
    for event in before:
        summary.update(event)
    report = summary.report()
    landed = [event.received_bytes for event in before if isinstance(event, ExchangeFinished)]
    num_pushes = sum(isinstance(event, PushArrived) for event in before)
    used_s = trained_with_s(events, until_s)
    return {
        "is_reached": bool(reached),
        "time_s": until_s - first_s,
        "waiting_s": report["wait_s"],
        "utilisation": report["utilisation"],
        "num_iterations": report["num_iterations"],
        "busy_s": sum(event.compute_s for event in before if isinstance(event, IterationFinished)),
        "cpu_s": used_s,
        "net_cpu_s": max(0.0, used_s - startup_s),
        "bytes": sum(landed) + num_pushes * max(landed, default=0),  # a delta is as long as the weights
    }


if __name__ == "__main__":
    main()
