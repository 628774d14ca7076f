"""Curves for many runs at once: few points each, and the mean of a setting's seeds with its 95% band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from predictor import statistics

Axis = Literal["seconds", "iterations"]
Quantity = Literal["loss", "accuracy"]

AXES: dict[Axis, str] = {"seconds": "at_s", "iterations": "iterations"}  # the axis in `schemas.EvaluationCurve`
NUM_BAND_POINTS = 80
LEAST_POINTS = 24
POINTS_IN_ALL = 6_000  # of all curves of a figure: what a browser draws at once without a stall


def thin(evaluations: dict[str, list[Any]], num_curves: int) -> dict[str, list[Any]]:
    """Leave evenly spaced points of an evaluation curve, first and last among them, so that `num_curves` are drawn."""
    num = len(evaluations["at_s"])
    wanted = max(LEAST_POINTS, POINTS_IN_ALL // max(1, num_curves))
    if num <= wanted:
        return evaluations
    chosen = np.unique(np.linspace(0, num - 1, wanted).round().astype(int))
    return {name: [values[place] for place in chosen] for name, values in evaluations.items()}


def band(curves: Sequence[dict[str, list[Any]]], quantity: Quantity, axis: Axis) -> dict[str, list[float]] | None:
    """Give the mean of several evaluation curves and its 95% band by Student's t, of logarithms for a loss.

    Between two evaluations of a run a straight line is assumed. The band ends where the first run ends: beyond, it
    would speak of other runs than before.

    Returns:
        x, mean, low, high, of one length; None for fewer than two curves that overlap.
    """
    lines = [line for one in curves if (line := _line(one, quantity, axis)) is not None]
    if len(lines) < 2 or len(lines) < len(curves):
        return None
    start, end = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    if not end > start:
        return None
    grid = np.linspace(start, end, NUM_BAND_POINTS)
    values = np.stack([np.interp(grid, x, y) for x, y in lines])
    centre = values.mean(axis=0)
    half = statistics.quantile(len(lines) - 1) * values.std(axis=0, ddof=1) / math.sqrt(len(lines))
    rows = {"mean": centre, "low": centre - half, "high": centre + half}
    if quantity == "loss":
        rows = {name: np.exp(np.minimum(row, 700)) for name, row in rows.items()}
    else:
        rows = {name: row.clip(0, 1) for name, row in rows.items()}
    return {"x": grid.tolist(), **{name: row.tolist() for name, row in rows.items()}}


def _line(
    curve: dict[str, list[Any]], quantity: Quantity, axis: Axis
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Give the finite points of a curve, those of a loss as logarithms; None where there are fewer than two."""
    x = np.asarray(curve[AXES[axis]], float)
    y = np.asarray([math.nan if value is None else value for value in curve[quantity]], float)
    if quantity == "loss":
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.log(y)
    known = np.isfinite(y)
    x, y = x[known], y[known]
    # After a resume iterations begin anew at the checkpoint: of what was done twice the later one counts.
    is_kept = x < np.append(np.minimum.accumulate(x[::-1])[::-1][1:], math.inf)
    return (x[is_kept], y[is_kept]) if is_kept.sum() > 1 else None
