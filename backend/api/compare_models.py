"""Answers about compared runs."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.api.schemas import EvaluationCurve, Model, Run


class Difference(Model):
    """A setting in which runs differ; `values` in the order of the runs, null where a run has no such setting."""

    path: str
    values: list[Any]


class MetricSpread(Model):
    """A metric over the seeds of a setting."""

    num: int = Field(description="Runs with an exact value.")
    num_bounds: int = Field(description="Runs that ended without reaching the target.")
    mean: float | None
    low: float | None = Field(description="95% interval of the mean, Student's t; null for fewer than two runs.")
    high: float | None
    least: float | None
    most: float | None


class MetricAgainst(Model):
    """A setting against the baseline's, in pairs of runs with the same seed."""

    num_pairs: int = Field(description="Pairs of two exact values.")
    centre: float | None = Field(description="Geometric mean of ratios, or mean of differences.")
    low: float | None = Field(description="95% interval, Student's t over the pairs.")
    high: float | None
    effect: float | None = Field(description="Cohen's d of the pairs: mean over standard deviation.")
    num_better: int = Field(description="Pairs that this setting wins, those with a missed target included.")
    num_worse: int


class SettingGroup(Model):
    """Runs that differ in name and seed alone."""

    run_ids: list[str]
    seeds: list[int]
    metrics: dict[str, MetricSpread | None]
    against: dict[str, MetricAgainst | None] = Field(description="Empty for the baseline's own setting.")


class Comparison(Model):
    runs: list[Run]
    differences: list[Difference]
    groups: list[SettingGroup]


class RunCurve(Model):
    """Evaluations of one run, thinned evenly so that all compared runs can be drawn; first and last are kept."""

    run_id: str
    evaluations: EvaluationCurve


class Band(Model):
    """Mean of a setting's seeds with its 95% band; ends where the first of its runs ends."""

    x: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


class GroupBands(Model):
    """Bands of one setting; null: fewer than two runs that overlap. A loss is averaged by its logarithm."""

    run_ids: list[str]
    loss_over_seconds: Band | None
    loss_over_iterations: Band | None
    accuracy_over_seconds: Band | None
    accuracy_over_iterations: Band | None


class ComparedCurves(Model):
    runs: list[RunCurve]
    groups: list[GroupBands]
