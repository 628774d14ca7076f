"""One cell of the benchmark: a policy in a scenario, tuned on some seeds and reported on others.

Reported seeds run to the budget, so that `final_metric` is taken after equal virtual time by all policies (the last
evaluation at or before `budget_s`), and utilisation and pushes are those of the whole run. The bytes are counted up
to the evaluation that meets the target.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from predictor import simulator
from predictor.events import Event
from predictor.forecasters import ForecasterParams
from predictor.policies import PolicyParams
from predictor.simulator import SimulationResult, simulate
from predictor.spec import suited
from workers.bench.cache import Cache, version_of
from workers.bench.peers import forecaster_of, grid_of
from workers.bench.scenario import Scenario
from workers.bench.tasks import Task
from workers.bench.trainer import GridTrainer
from workers.bench.tuner import MISS, Trial, Tuner

TUNING_SEEDS = (101, 102)  # are never reported
_WEIGHT_BYTES = 4
_INCLUSIVE = 1 + 1e-9  # a run ends just after its time, so that the evaluation at that time takes place

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What one process computes at a time."""

    scenario: Scenario
    policy: str
    seeds: tuple[int, ...]
    cache: Path
    has_same_terms: bool = False  # peers have the momentum and the bound of ours


class MeteredTrainer(GridTrainer):
    """Goes on after the target, and counts the messages with weights that it took to get there."""

    def __init__(self, task: Task, rate: float, scenario: Scenario, seed: int) -> None:
        super().__init__(task, [rate], scenario.num_workers, seed, stops=False, optimizer=scenario.task.optimizer)
        self._last_s = scenario.budget_s - scenario.evaluate_every_s  # an evaluation at or before it has a successor
        self._num_messages = 0
        self._num_to_target: int | None = None

    @property
    def num_messages(self) -> int:
        """Give the pushes and releases up to the target, or of the whole run where that was missed."""
        return self._num_messages if self._num_to_target is None else self._num_to_target

    def push(self, worker: int, iteration: int) -> None:
        super().push(worker, iteration)
        self._num_messages += 1

    def release(self, worker: int) -> None:
        super().release(worker)
        self._num_messages += 1

    def evaluate(self, at_s: float, version: int) -> Sequence[Event]:
        if self._num_to_target is not None and at_s <= self._last_s:
            return []
        events = super().evaluate(at_s, version)
        if self._num_to_target is None and math.isfinite(self.reached_s[0]):
            self._num_to_target = self._num_messages
        return events


def run_cell(job: Job) -> Record:
    """Compute a cell, or read it from the cache; give what stands in the results (METHOD section 8)."""
    cache, scenario = Cache(job.cache), job.scenario
    grid, forecaster = grid_of(job.policy, job.has_same_terms), forecaster_of(job.policy)
    choice = cache.get_or_make(_choice_key(job, grid), lambda: _tune(scenario, grid, forecaster))
    params, rate = grid[choice["place"]], choice["learning_rate"]
    contestant = Contestant(scenario, params, forecaster)
    seeds = [
        cache.get_or_make(_seed_key(job, params, rate, seed), partial(contestant.report, rate, seed))
        for seed in job.seeds
    ]
    return _summed(job, params, choice, seeds)


def is_cached(job: Job) -> bool:
    """Tell whether nothing is left to be computed."""
    cache, grid = Cache(job.cache), grid_of(job.policy, job.has_same_terms)
    choice = cache.get(_choice_key(job, grid))
    if choice is None:
        return False
    params, rate = grid[choice["place"]], choice["learning_rate"]
    return all(cache.get(_seed_key(job, params, rate, seed)) is not None for seed in job.seeds)


@dataclass(frozen=True)
class Contestant:
    """A policy with fixed keys, in a scenario."""

    scenario: Scenario
    params: PolicyParams
    forecaster: ForecasterParams

    def train(self, trainer: GridTrainer, seed: int, until_s: float) -> SimulationResult:
        """Train in virtual time; what comes of it is in the trainer."""
        virtual = simulator.Scenario(
            policy=suited(self.params, self.scenario.task.optimizer),
            forecaster=self.forecaster,
            speeds=self.scenario.speeds(seed),
            transfers=self.scenario.transfers(seed),
            until_s=until_s * _INCLUSIVE,
            evaluate_every_s=self.scenario.evaluate_every_s,
            churn=self.scenario.churn,
            server_message_s=self.scenario.transfer.server_message_s,
        )
        with np.errstate(all="ignore"):  # a rate that is too large overflows, and is seen by its loss
            return simulate(virtual, trainer=trainer)

    def try_rates(self, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        """Run all rates at once, until each has met the target or diverged, or until `until_s`."""
        task, optimizer = self.scenario.make_task(seed), self.scenario.task.optimizer
        trainer = GridTrainer(task, rates, self.scenario.num_workers, seed, optimizer=optimizer)
        self.train(trainer, seed, until_s)
        return [Trial(float(at_s), float(loss)) for at_s, loss in zip(trainer.reached_s, trainer.loss, strict=True)]

    def report(self, rate: float, seed: int) -> Record:
        """Run one rate to the budget and give its figures."""
        started_s = time.process_time()
        task = self.scenario.make_task(seed)
        trainer = MeteredTrainer(task, rate, self.scenario, seed)
        result = self.train(trainer, seed, self.scenario.budget_s)
        reached_s = float(trainer.reached_s[0])
        metric = float(trainer.loss[0] if task.metric == "test_loss" else trainer.accuracy[0])
        return {
            "time_s": reached_s if reached_s < math.inf else None,
            "utilisation": result.utilisation,
            "final_metric": metric if math.isfinite(metric) else None,
            "pushes_per_iteration": result.num_pushes / max(1, sum(one.num_iterations for one in result.workers)),
            "bytes": trainer.num_messages * task.shape.num_parameters * _WEIGHT_BYTES,
            "cpu_s": time.process_time() - started_s,
        }


def _tune(scenario: Scenario, grid: list[PolicyParams], forecaster: ForecasterParams) -> Record:
    started_s = time.process_time()

    def objective(params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        return Contestant(scenario, params, forecaster).try_rates(rates, seed, until_s)

    choice = Tuner(scenario.learning_rates, TUNING_SEEDS, scenario.budget_s, objective).tune(grid)
    return {
        "place": grid.index(choice.params),
        "learning_rate": choice.learning_rate,
        "mean_s": choice.mean_s,
        "num_runs": choice.num_runs,
        "cpu_s": time.process_time() - started_s,
    }


def _summed(job: Job, params: PolicyParams, choice: Record, seeds: list[Record]) -> Record:
    """Give the means over the seeds; the interval is added by whoever writes the results."""
    keys = dataclasses.asdict(suited(params, job.scenario.task.optimizer))  # type: ignore[call-overload]
    keys |= keys.pop("policy", {})
    del keys["name"]
    missed_s = MISS * job.scenario.budget_s
    metrics = [one["final_metric"] for one in seeds]
    return {
        "scenario": job.scenario.name,
        "policy": job.policy,
        "params": keys,
        "learning_rate": choice["learning_rate"],
        "per_seed": [missed_s if one["time_s"] is None else one["time_s"] for one in seeds],
        "num_reached": sum(one["time_s"] is not None for one in seeds),
        "utilisation": _mean([one["utilisation"] for one in seeds]),
        "final_metric": None if None in metrics else _mean(metrics),
        "final_per_seed": metrics,
        "pushes_per_iteration": _mean([one["pushes_per_iteration"] for one in seeds]),
        "cpu_s": choice["cpu_s"] + sum(one["cpu_s"] for one in seeds),
        "bytes": round(_mean([one["bytes"] for one in seeds])),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _choice_key(job: Job, grid: list[PolicyParams]) -> Record:
    return {
        **_common_key(job),
        "grid": [dataclasses.asdict(params) for params in grid],  # type: ignore[call-overload]
        "learning_rates": job.scenario.learning_rates,
        "seeds": TUNING_SEEDS,
    }


def _seed_key(job: Job, params: PolicyParams, rate: float, seed: int) -> Record:
    keys = dataclasses.asdict(params)  # type: ignore[call-overload]
    return {**_common_key(job), "params": keys, "learning_rate": rate, "seed": seed}


def _common_key(job: Job) -> Record:
    content = job.scenario.content()
    content["traces"] = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in content["traces"].items()}
    return {
        "scenario": content,
        "policy": job.policy,
        "forecaster": dataclasses.asdict(forecaster_of(job.policy)),  # type: ignore[call-overload]
        "version": source_version(job.policy, job.has_same_terms),
    }


def source_version(policy: str, has_same_terms: bool) -> str:
    """Give the version of all that decides about a policy's results; asked early, it is that of the loaded code."""
    parts = (grid_of(policy)[0], grid_of(policy, has_same_terms)[0], forecaster_of(policy))
    return version_of(*(type(part).__module__ for part in parts))
