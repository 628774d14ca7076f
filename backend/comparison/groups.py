"""Settings over their seeds: means with intervals, and each setting against the baseline's, seed by seed.

Runs that differ in name and seed alone are repetitions of one setting. The same seed gives the same first weights,
order of the data and speeds, so two settings are compared in pairs of runs with the same seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson

from predictor import statistics

Direction = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of one run. A bound is known from below only: the target was not reached in so many seconds."""

    value: float
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """What is compared, and how two values are: by ratio, or by difference where values are shares near 1."""

    key: str
    better: Direction
    is_ratio: bool


METRICS = (
    Metric("time_to_target_s", "low", True),
    Metric("final_loss", "low", True),
    Metric("final_accuracy", "high", False),
    Metric("utilisation", "high", False),
    Metric("wait_share", "low", False),
    Metric("iterations_per_s", "high", True),
    Metric("bytes", "low", True),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What is needed of a run."""

    id: str
    spec: Mapping[str, Any]  # the settings in force
    summary: Mapping[str, Any]
    is_finished: bool
    started_with: Mapping[str, Any] | None = None  # the spec of the start, of a run that was retuned

    @property
    def seed(self) -> int:
        return int(self.spec["seed"])

    def value(self, metric: Metric) -> Value | None:
        """Give a figure; None: the run has none. A run that ended in order without its target needs longer."""
        found = self.summary.get(metric.key)
        if found is not None:
            return Value(float(found)) if math.isfinite(found) else None
        if metric.key != "time_to_target_s" or self.summary.get("outcome") not in ("completed", "stopped"):
            return None
        has_target = (self.spec.get("stop") or {}).get("target") is not None
        return Value(float(self.summary["duration_s"]), is_bound=True) if has_target else None


@dataclass(frozen=True, slots=True)
class Spread:
    """A metric over the seeds of one setting. Mean and interval are of the runs that have an exact value."""

    num: int
    num_bounds: int  # runs that did not reach the target
    mean: float | None
    low: float | None  # 95% interval of the mean, Student's t; None for fewer than two values
    high: float | None
    least: float | None
    most: float | None


@dataclass(frozen=True, slots=True)
class Against:
    """A setting against the baseline's in runs of the same seed: ratio (geometric mean) or difference (mean)."""

    num_pairs: int  # with two exact values
    centre: float | None
    low: float | None  # 95% interval, Student's t on the logarithms of ratios, or on differences
    high: float | None
    effect: float | None  # Cohen's d of the pairs: mean over standard deviation; None: fewer than two, or no spread
    num_better: int  # pairs that this setting wins; a missed target loses to one that was reached in less time
    num_worse: int


@dataclass(frozen=True, slots=True)
class Group:
    """One setting."""

    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    metrics: dict[str, Spread | None] = field(default_factory=dict)
    against: dict[str, Against | None] = field(default_factory=dict)  # empty for the baseline itself

    def to_data(self) -> dict[str, Any]:
        return asdict(self)


def group_runs(runs: Sequence[Compared]) -> list[list[Compared]]:
    """Put runs of the same settings together, in the order of their first run.

    A run that was retuned repeats only those that came from the same settings to the same ones.
    """
    groups: dict[bytes, list[Compared]] = {}
    for run in runs:
        settings = [_settings(spec) for spec in (run.spec, run.started_with) if spec is not None]
        groups.setdefault(orjson.dumps(settings, option=orjson.OPT_SORT_KEYS), []).append(run)
    return list(groups.values())


def _settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in ("name", "seed")}


def compare_groups(runs: Sequence[Compared], baseline_id: str | None) -> list[Group]:
    """Give every setting with its spreads, and how it stands to the setting of the baseline run.

    Args:
        runs: any number.
        baseline_id: one of the runs; None or another id stands for the first.
    """
    groups = group_runs(runs)
    if not groups:
        return []
    base = next((group for group in groups if any(run.id == baseline_id for run in group)), groups[0])
    return [_describe(group, None if group is base else base) for group in groups]


def _describe(group: list[Compared], base: list[Compared] | None) -> Group:
    return Group(
        tuple(run.id for run in group),
        tuple(sorted({run.seed for run in group})),
        {metric.key: spread(metric, group) for metric in METRICS},
        {} if base is None else {metric.key: against(metric, group, base) for metric in METRICS},
    )


def spread(metric: Metric, runs: Sequence[Compared]) -> Spread | None:
    """Give a metric over runs; None where no run has it."""
    values = [value for run in runs if (value := run.value(metric)) is not None]
    if not values:
        return None
    exact = [one.value for one in values if not one.is_bound]
    low, high = statistics.interval(exact) or (None, None)
    return Spread(
        len(exact),
        len(values) - len(exact),
        statistics.mean(exact) if exact else None,
        low,
        high,
        min(exact, default=None),
        max(exact, default=None),
    )


def against(metric: Metric, runs: Sequence[Compared], base: Sequence[Compared]) -> Against | None:
    """Compare in pairs of one seed; None where there is no pair. Of several runs of a seed the last one counts."""
    theirs = {run.seed: value for run in base if (value := run.value(metric)) is not None}
    mine = {run.seed: value for run in runs if (value := run.value(metric)) is not None}
    pairs = [(mine[seed], theirs[seed]) for seed in sorted(mine.keys() & theirs.keys())]
    if not pairs:
        return None
    better = [_is_better(metric, one, other) for one, other in pairs]
    worse = [_is_better(metric, other, one) for one, other in pairs]
    exact = [(one.value, other.value) for one, other in pairs if not (one.is_bound or other.is_bound)]
    if metric.is_ratio:
        moved = [math.log(one) - math.log(other) for one, other in exact if one > 0 and other > 0]
    else:
        moved = [one - other for one, other in exact]
    centre = statistics.mean(moved) if moved else None
    low, high = statistics.interval(moved) or (None, None)
    undo = _exp if metric.is_ratio else float
    return Against(
        num_pairs=len(moved),
        centre=None if centre is None else undo(centre),
        low=None if low is None else undo(low),
        high=None if high is None else undo(high),
        effect=_effect(moved),
        num_better=sum(better),
        num_worse=sum(worse),
    )


def _exp(logarithm: float) -> float:
    return math.exp(min(logarithm, 700.0))  # beyond is no number that a float holds


def _effect(moved: Sequence[float]) -> float | None:
    """Give mean over standard deviation; None for fewer than two, or where they differ by rounding alone."""
    if len(moved) < 2:
        return None
    deviation = statistics.deviation(moved)
    return statistics.mean(moved) / deviation if deviation > 1e-9 * max(map(abs, moved)) else None


def _is_better(metric: Metric, one: Value, other: Value) -> bool:
    """Tell whether one value surely beats the other; what is known from below only can but lose."""
    if metric.better == "high":
        return one.value > other.value
    return not one.is_bound and one.value < other.value
