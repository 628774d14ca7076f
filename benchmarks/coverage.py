"""Measure whether 90% windows hold 90%: of single iterations, and of the cuts that `predictive` plans. No training.

    FORESYNC_TRACES=FOLDER python benchmarks/coverage.py [--seeds 1,2,3,4,5] [--seconds 500] [--out benchmarks/results]

Iterations: the durations of the eight speeds of METHOD section 7 are drawn directly; each is forecast before it is
seen. Cuts: the simulator runs `predictive` over the eight speeds and three transfers. Without `FORESYNC_TRACES` (the
folder with `alibaba_job_1.csv`) the speed `trace` is left out. Written: `coverage.md`.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import NormalDist
from typing import Any

from benchmarks.machine import machine
from predictor.events import AggregateApplied, Event, PlannedPush, PushArrived, SyncPlanned
from predictor.forecasters import ADVERSARIAL, FORECASTERS
from predictor.policies.predictive import PredictiveParams
from predictor.simulator import Scenario, simulate
from predictor.speeds import SPEEDS, SpeedParams, Transfer

ROOT = Path(__file__).resolve().parent.parent
NUM_WORKERS = 8
WARM_UP = 20  # iterations of each worker that are not judged
NUM_SEEDS = {"gru": 1}  # it takes milliseconds for each iteration, so fewer of the seeds
CV = 0.1
_SPREAD = [1, 1.43, 1.86, 2.29, 2.71, 3.14, 3.57, 4]
SCENARIOS: dict[str, dict[str, Any]] = {
    "alike": {"kind": "lognormal", "factors": (1,) * 8, "cv": CV},
    "two": {"kind": "lognormal", "factors": (1, 1, 1, 1, 2, 2, 2, 2), "cv": CV},
    "spread": {"kind": "lognormal", "factors": tuple(_SPREAD), "cv": CV},
    "one": {"kind": "lognormal", "factors": (1, 1, 1, 1, 1, 1, 1, 5), "cv": CV},
    "markov": {"kind": "markov", "cv": CV, "mean_fast_s": 45, "mean_slow_s": 15, "slow": 5},
    "pareto": {"kind": "pareto", "index": 1.6, "cap": 40},
    "drift": {"kind": "drift", "factors": tuple(_SPREAD), "then": tuple(_SPREAD[::-1]), "every_s": 40, "cv": CV},
    "trace": {"kind": "trace", "path": "alibaba_job_1.csv"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1,2,3,4,5")
    parser.add_argument("--seconds", type=float, default=500.0, help="virtual seconds of each worker")
    parser.add_argument("--forecasters", default=",".join([*FORECASTERS, *ADVERSARIAL]))
    parser.add_argument("--cuts", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    speeds = {name: SPEEDS[data["kind"]](base_s=1.0, **_without_kind(data)) for name, data in SCENARIOS.items()}
    if "FORESYNC_TRACES" not in os.environ:
        del speeds["trace"]
    text = head(seeds, options.seconds)
    text += iterations_table(speeds, options.forecasters.split(","), seeds, options.seconds)
    if options.cuts:
        text += "\n" + cuts_table(speeds, seeds, options.seconds)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "coverage.md").write_text(text)
    print(text)


def _without_kind(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "kind"}


def read_trace(path: str) -> str:
    """Read a trace of that name."""
    return (Path(os.environ["FORESYNC_TRACES"]) / path).read_text()


# ---- truth -------------------------------------------------------------------------------------------------

_Z = NormalDist().inv_cdf(0.95)
_VARIANCE = math.log1p(CV * CV)
# How wide the true 90% window of lognormal jitter of mean 1 is.
JITTER_WIDTH = math.exp(-_VARIANCE / 2) * 2 * math.sinh(_Z * math.sqrt(_VARIANCE))


def true_width_s(params: Any, factor_s: float | None) -> float | None:
    """Give the width of the true 5-95% window of an iteration; None where the truth is not known.

    Args:
        params: of the speed model.
        factor_s: its duration without jitter, in the state of the moment at which it starts.
    """
    if params.kind == "pareto":
        shortest_s = params.base_s * (params.index - 1) / params.index
        low, high = (shortest_s * (1 - share) ** (-1 / params.index) for share in (0.05, 0.95))
        return float(min(high, params.cap * params.base_s) - low)
    return None if factor_s is None else factor_s * JITTER_WIDTH


def mixture_width_s(params: Any) -> float:
    """Give the width of the 5-95% window of `markov` for someone who does not know the state."""
    slow: float = (params.mean_slow_s / params.slow) / (params.mean_slow_s / params.slow + params.mean_fast_s)
    jitter = NormalDist(-_VARIANCE / 2, math.sqrt(_VARIANCE))

    def below(value: float) -> float:
        return (1 - slow) * jitter.cdf(math.log(value)) + slow * jitter.cdf(math.log(value / float(params.slow)))

    return float(params.base_s) * (_inverse(below, 0.95) - _inverse(below, 0.05))


def _inverse(function: Callable[[float], float], wish: float) -> float:
    low, high = 0.01, 100.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if function(middle) < wish else (low, middle)
    return low


# ---- single iterations ---------------------------------------------------------------------------------------


@dataclasses.dataclass
class Tally:
    """Sums over the judged iterations of one forecaster in one scenario."""

    num: int = 0
    below: int = 0
    above: int = 0
    width_s: float = 0.0
    true_s: float = 0.0
    duration_s: float = 0.0
    error: float = 0.0  # relative
    loss_s: float = 0.0  # of decisions; the clairvoyant one has 0
    cpu_s: float = 0.0

    @property
    def coverage(self) -> float:
        return 1 - (self.below + self.above) / self.num


def durations(params: SpeedParams, worker: int, seed: int, seconds: float) -> Iterator[tuple[float, float | None]]:
    """Give (duration, true width) of each iteration of one worker."""
    model = params.build(worker, NUM_WORKERS, seed, read_trace)
    plain = None
    if hasattr(params, "cv"):
        plain = dataclasses.replace(params, cv=0.0).build(worker, NUM_WORKERS, seed, read_trace)  # type: ignore[type-var]
    at_s, iteration = 0.0, 0
    while at_s < seconds:
        duration_s = model.duration_s(iteration, at_s)
        yield duration_s, true_width_s(params, plain.duration_s(iteration, at_s) if plain else None)
        at_s += duration_s
        iteration += 1


def judge(tally: Tally, name: str, iterations: Iterable[tuple[float, float | None]]) -> None:
    """Forecast each iteration of one worker at its start, then show it to the forecaster."""
    forecaster = ({**FORECASTERS, **ADVERSARIAL})[name]().build()
    mean_s = 0.0
    for number, (duration_s, true_s) in enumerate(iterations):
        mean_s += (duration_s - mean_s) / (number + 1)
        started = time.perf_counter()
        forecast, aim_s = forecaster.forecast(), forecaster.aim_s()
        forecaster.observe(duration_s)
        tally.cpu_s += time.perf_counter() - started
        if number < WARM_UP or forecast is None:
            continue
        tally.num += 1
        tally.below += duration_s < forecast.low_s
        tally.above += duration_s > forecast.high_s
        tally.width_s += forecast.high_s - forecast.low_s
        tally.true_s += true_s or 0.0
        tally.duration_s += duration_s
        tally.error += abs(forecast.mean_s - duration_s) / duration_s
        tally.loss_s += mean_s if duration_s < aim_s else duration_s - aim_s


def iterations_table(speeds: dict[str, SpeedParams], names: list[str], seeds: list[int], seconds: float) -> str:
    """Give the table over scenarios and forecasters as Markdown."""
    lines = ["## Single iterations", "", *EXPLANATION, ""]
    lines += [
        "| scenario | forecaster | coverage | below / above | width / true | MAPE | decision loss | microseconds | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for scenario, params in speeds.items():
        for name in names:
            tally = Tally()
            for seed in seeds[: NUM_SEEDS.get(name)]:
                for worker in range(NUM_WORKERS):
                    judge(tally, name, durations(params, worker, seed, seconds))
            lines.append(row(scenario, name, params, tally))
            print(lines[-1], flush=True)
    return "\n".join([*lines, "", *SHORTCOMINGS]) + "\n"


SHORTCOMINGS = [  # as of the seeds and the length that the defaults give
    "What falls short: in `markov` every window is wider than the one given the true state, which nobody tells",
    "the forecaster. Part of it is that a run is short: over 4,000 virtual seconds (6 workers, seed 1) `ewma` has",
    "1.32. Its coverage is one over time: 91% of the iterations that follow a fast one are held, 66% of those",
    "that follow a slow one (`ewma`, seeds 1 to 3). Cuts: see the lines of `markov`, `pareto` and `drift` with a",
    "transfer of 3 s, where single pushes are held less often than 90%: their windows add the quantiles of",
    "several iterations as if independent.",
]

EXPLANATION = [
    "The 5-95% window of each iteration, forecast at its start and pooled over workers and seeds; the first",
    f"{WARM_UP} iterations of each worker are left out. Target: coverage of 87-93%, mean width at most 1.25 times that",
    "of the scenario's true window. The truth of `markov` is the window given the true state at the start of the",
    "iteration; in brackets the one for someone who never knows the state. `trace` has no known truth: its width is",
    "relative to the mean duration. MAPE is that of the mean. Decision loss: of `aim_s`, the mean of (late: the mean",
    "duration; early: the time until the end), as a share of the mean duration; a clairvoyant has 0. Microseconds:",
    "one forecast and one observation together, on a machine that others used too. `gru` has the first seed only.",
]


def row(scenario: str, name: str, params: Any, tally: Tally) -> str:
    """Give the line of one scenario and forecaster."""
    if scenario == "trace":
        ratio, width = 0.0, f"{tally.width_s / tally.duration_s:.2f} of the mean"
    else:
        ratio = tally.width_s / tally.true_s
        width = f"{ratio:.2f}"
        if scenario == "markov":
            width += f" ({tally.width_s / tally.num / mixture_width_s(params):.2f})"
    misses = [] if 0.87 <= tally.coverage <= 0.93 else ["coverage"]
    misses += ["width"] if ratio > 1.25 else []
    verdict = "" if name in ADVERSARIAL else ("misses " + ", ".join(misses) if misses else "met")
    return (
        f"| {scenario} | {name} | {tally.coverage:.1%} | {tally.below / tally.num:.1%} / {tally.above / tally.num:.1%} "
        f"| {width} | {tally.error / tally.num:.1%} | {tally.loss_s / tally.duration_s:.3f} "
        f"| {1e6 * tally.cpu_s / tally.num:.0f} | {verdict} |"
    )


# ---- cuts ----------------------------------------------------------------------------------------------------

TRANSFERS_S = (0.05, 0.5, 3.0)
WARM_UP_ROUNDS = 20


@dataclasses.dataclass
class Windows:
    """Sums over windows of one kind."""

    num: int = 0
    hits: int = 0
    width_s: float = 0.0

    def add(self, low_s: float, high_s: float, actual_s: float) -> None:
        self.num += 1
        self.hits += low_s - 1e-9 <= actual_s <= high_s + 1e-9
        self.width_s += high_s - low_s

    @property
    def coverage(self) -> float:
        return self.hits / max(1, self.num)


class CutJudge:
    """Follows the log of a run: compares each plan with what came of it."""

    def __init__(self) -> None:
        self.opening, self.newest, self.pushes = Windows(), Windows(), Windows()
        self.rounds_s = 0.0
        self.num_late = 0  # rounds that closed without somebody
        self.new_run()

    def new_run(self) -> None:
        self._started_s, self._plans = 0.0, list[SyncPlanned]()
        self._num_rounds = 0
        self._expected: dict[int, PlannedPush] = {}

    def take(self, event: Event) -> None:
        if isinstance(event, SyncPlanned):
            self._plans.append(event)
            self._expected = {push.worker: push for push in event.pushes}
        elif isinstance(event, PushArrived):
            push = self._expected.get(event.worker)
            if push and push.iteration == event.iteration and self._num_rounds >= WARM_UP_ROUNDS:
                self.pushes.add(push.low_at_s, push.high_at_s, event.at_s)
        elif isinstance(event, AggregateApplied):
            plans = [plan for plan in self._plans if plan.version == event.version]
            self._num_rounds += 1
            if self._num_rounds > WARM_UP_ROUNDS and plans:
                self.opening.add(plans[0].low_at_s, plans[0].high_at_s, event.at_s)
                self.newest.add(plans[-1].low_at_s, plans[-1].high_at_s, event.at_s)
                self.rounds_s += event.at_s - self._started_s
                self.num_late += "overdue" in event.reason
            self._started_s = event.at_s
            self._plans.clear()


def cuts_table(speeds: dict[str, SpeedParams], seeds: list[int], seconds: float) -> str:
    """Give the table over scenarios and transfers as Markdown."""
    lines = ["## Cuts that `predictive` plans", "", *CUT_EXPLANATION, ""]
    lines += [
        "| scenario | transfer (s) | rounds | opening: coverage | width / round | newest: coverage | width / round "
        "| pushes: coverage | closed without somebody |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, params in speeds.items():
        for transfer_s in TRANSFERS_S:
            judge_ = CutJudge()
            for seed in seeds:
                judge_.new_run()
                simulate(cut_scenario(params, transfer_s, seed, seconds), judge_.take)
            opening, newest = judge_.opening, judge_.newest
            lines.append(
                f"| {name} | {transfer_s:g} | {opening.num} | {opening.coverage:.1%} "
                f"| {opening.width_s / judge_.rounds_s:.2f} | {newest.coverage:.1%} "
                f"| {newest.width_s / judge_.rounds_s:.2f} | {judge_.pushes.coverage:.1%} "
                f"| {judge_.num_late / max(1, opening.num):.1%} |"
            )
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


CUT_EXPLANATION = [
    "The window of each round's cut against the moment at which the round was applied, with the forecaster `ewma`;",
    f"the first {WARM_UP_ROUNDS} rounds of a run are left out. Opening: the plan with which the round began. Newest:",
    "the last one in the log before the round was applied. Pushes: the window of a single push in the newest plan",
    "before it arrived, if it came at the planned iteration. Closed without somebody: the late rule.",
]


def cut_scenario(params: SpeedParams, transfer_s: float, seed: int, seconds: float) -> Scenario:
    """Give the simulation of `predictive` on one scenario."""
    workers = range(NUM_WORKERS)
    return Scenario(
        policy=PredictiveParams(),
        speeds=[params.build(worker, NUM_WORKERS, seed, read_trace) for worker in workers],
        transfers=[Transfer(transfer_s, 0.0, worker, seed) for worker in workers],
        until_s=seconds,
    )


# ---- the page --------------------------------------------------------------------------------------------------


def head(seeds: list[int], seconds: float) -> str:
    """Give the page's title and how it was made."""
    return (
        "# Coverage of forecast windows (virtual time, no training)\n\n"
        f"Command: `python benchmarks/coverage.py` with `FORESYNC_TRACES` set. {machine()}.\n"
        f"Seeds {', '.join(map(str, seeds))}; {NUM_WORKERS} workers; {seconds:g} virtual seconds each.\n\n"
    )


if __name__ == "__main__":
    main()
