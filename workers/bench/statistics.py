"""Means with their intervals, and the ratios that sum a comparison up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workers.bench.peers import OURS, PEERS, SSP

Interval = tuple[float, float]
Record = dict[str, Any]

# 97.5% quantiles of Student's t for 1 to 30 degrees of freedom.
_QUANTILES = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
_NORMAL = 1.959964


def quantile(freedom: int) -> float:
    """Give the 97.5% quantile of Student's t; above 30 by the first terms of its expansion in 1 / freedom."""
    if freedom <= len(_QUANTILES):
        return _QUANTILES[freedom - 1]
    z = _NORMAL
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def interval(values: Sequence[float]) -> Interval | None:
    """Give the 95% interval of the mean by Student's t; None for fewer than two values."""
    if len(values) < 2:
        return None
    centre = mean(values)
    variance = sum((value - centre) ** 2 for value in values) / (len(values) - 1)
    half = quantile(len(values) - 1) * math.sqrt(variance / len(values))
    return centre - half, centre + half


def geometric_mean(ratios: Sequence[float]) -> float | None:
    return math.exp(mean([math.log(ratio) for ratio in ratios])) if ratios else None


def geometric_interval(ratios: Sequence[float]) -> Interval | None:
    """Give the 95% interval of the geometric mean, by Student's t on the logarithms."""
    logarithms = interval([math.log(ratio) for ratio in ratios])
    return logarithms and (math.exp(logarithms[0]), math.exp(logarithms[1]))


def compare(scenario: str, transfer_s: float, cells: Mapping[str, Record]) -> Record | None:
    """Compare ours with the peers of one scenario; None unless ours and a peer were run.

    The best peer is the one with the least reported mean. A ratio is that of the mean times; its interval is the
    paired one, of the mean logarithm of the ratio on each seed.
    """
    peers = [name for name in PEERS if name in cells]
    if OURS not in cells or not peers:
        return None
    best = min(peers, key=lambda name: mean(cells[name]["per_seed"]))
    ratios: Record = {"scenario": scenario, "transfer_s": transfer_s, "best_peer": best}
    ours = cells[OURS]["per_seed"]
    for key, peer in (("vs_best_peer", best), ("vs_ssp", SSP)):
        theirs = cells[peer]["per_seed"] if peer in cells else None
        ratios[key] = mean(ours) / mean(theirs) if theirs else None
        pairs = zip(ours, theirs, strict=True) if theirs else ()
        ratios[f"{key}_ci95"] = geometric_interval([one / other for one, other in pairs])
    return ratios


def summarise(comparisons: Sequence[Record]) -> Record:
    """Give the summary of all scenarios (METHOD section 8). The intervals are those over the scenarios."""
    best = [one["vs_best_peer"] for one in comparisons]
    ssp = [one["vs_ssp"] for one in comparisons if one["vs_ssp"] is not None]
    transfers = sorted({one["transfer_s"] for one in comparisons})
    groups = {
        f"{transfer_s:g}": [one["vs_best_peer"] for one in comparisons if one["transfer_s"] == transfer_s]
        for transfer_s in transfers
    }
    worst = max(comparisons, key=lambda one: float(one["vs_best_peer"]), default=None)
    return {
        "vs_best_peer_geomean": geometric_mean(best),
        "vs_best_ssp_geomean": geometric_mean(ssp),
        "worst_cell": worst and {"scenario": worst["scenario"], "ratio": worst["vs_best_peer"]},
        "by_transfer": {key: geometric_mean(ratios) for key, ratios in groups.items()},
        "vs_best_peer_ci95": geometric_interval(best),
        "vs_best_ssp_ci95": geometric_interval(ssp),
        "by_transfer_ci95": {key: geometric_interval(ratios) for key, ratios in groups.items()},
        "num_scenarios": len(comparisons),
        "num_lost": sum(ratio > 1 for ratio in best),
        "ratios": list(comparisons),
    }
