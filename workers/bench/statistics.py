"""The ratios that sum a comparison up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from predictor.statistics import geometric_interval, geometric_mean, interval, mean
from workers.bench.peers import OURS, PEERS, SSP

Record = dict[str, Any]


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


def compare_final(ours: Record, peer: Record) -> Record:
    """Compare the test loss at the budget with a peer's: ours less the peer's, paired over the seeds.

    It counts as above where the whole 95% interval lies above 0. Nothing is given where a run diverged, or without an
    interval (one seed).
    """
    pairs = list(zip(ours.get("final_per_seed", ()), peer.get("final_per_seed", ()), strict=True))
    if any(None in pair for pair in pairs):
        return {}
    differences = [one - other for one, other in pairs]
    ci95 = interval(differences)
    if ci95 is None:
        return {}
    return {"final_vs_best_peer": mean(differences), "final_ci95": list(ci95), "is_final_above": ci95[0] > 0}


def summarise(comparisons: Sequence[Record]) -> Record:
    """Give the summary of all scenarios (METHOD section 8). The intervals are those over the scenarios."""
    best = [one["vs_best_peer"] for one in comparisons]
    ssp = [one["vs_ssp"] for one in comparisons if one["vs_ssp"] is not None]
    transfers = sorted({one["transfer_s"] for one in comparisons})
    groups = {
        f"{transfer_s:g}": [one["vs_best_peer"] for one in comparisons if one["transfer_s"] == transfer_s]
        for transfer_s in transfers
    }
    closed = [one["gap_closed"] for one in comparisons if one.get("gap_closed") is not None]
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
        "num_final_compared": sum("is_final_above" in one for one in comparisons),
        "num_final_above": sum(one.get("is_final_above", False) for one in comparisons),
        "gap_closed_median": median(closed) if closed else None,
        "ratios": list(comparisons),
    }
