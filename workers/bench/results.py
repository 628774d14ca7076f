"""What the benchmark writes and prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.statistics import Interval, interval, mean
from workers.bench.bounds import BOUND, bound_name, gap_closed
from workers.bench.peers import OURS
from workers.bench.scenario import Scenario
from workers.bench.statistics import compare, compare_final, summarise

Record = dict[str, Any]
Cells = Mapping[tuple[str, str], Record]  # by scenario and policy


def results_of(scenarios: Sequence[Scenario], cells: Cells) -> Record:
    """Give the results as METHOD section 8 has them; cells in the order of scenarios and policies."""
    comparisons = []
    for scenario in scenarios:
        mine = {policy: cell for (name, policy), cell in cells.items() if name == scenario.name}
        one = compare(scenario.name, scenario.transfer.transfer_s, mine)
        if one:
            best = mine[one["best_peer"]]
            one |= _against_bound(mine[OURS], best, cells.get((bound_name(scenario), BOUND)))
            if scenario.target.metric == "test_loss":
                one |= compare_final(mine[OURS], best)
            comparisons.append(one)
    names = {scenario.name for scenario in scenarios}
    written = [_written(cell) for (name, _), cell in cells.items() if name in names]
    return {"cells": written, "summary": summarise(comparisons)}


def _against_bound(ours: Record, peer: Record, bound: Record | None) -> Record:
    """Give the time of the bound, and the share of the gap to it that is closed; nothing where there is none."""
    if bound is None:
        return {}
    bound_s = mean(bound["per_seed"])
    return {"bound_s": bound_s, "gap_closed": gap_closed(mean(ours["per_seed"]), mean(peer["per_seed"]), bound_s)}


def _written(cell: Record) -> Record:
    times = cell["per_seed"]
    written: Record = {}
    for key, value in cell.items():
        if key == "per_seed":
            ci95 = interval(times) or (None, None)
            written["time_to_target_s"] = {"mean": mean(times), "ci95": list(ci95), "per_seed": times}
        else:
            written[key] = value
    return written


def table_of(scenarios: Sequence[Scenario], results: Record) -> str:
    """Give the table that is printed: a block for each scenario, its policies from fast to slow."""
    ratios = {one["scenario"]: one for one in results["summary"]["ratios"]}
    lines = []
    for scenario in scenarios:
        cells = [cell for cell in results["cells"] if cell["scenario"] == scenario.name]
        cells.sort(key=lambda cell: cell["time_to_target_s"]["mean"])
        ours = next((cell["time_to_target_s"]["mean"] for cell in cells if cell["policy"] == OURS), None)
        goal = f"{scenario.target.metric} {scenario.target.value:g}"
        lines += ["", f"{scenario.name}  (virtual seconds to {goal}, budget {scenario.budget_s:g} s)"]
        rows = [["policy", "parameters", "rate", "mean", "95% interval", "reached", "utilisation", f"{OURS} / policy"]]
        rows += [_row(cell, ours) for cell in cells]
        lines += _aligned(rows)
        if scenario.name in ratios:
            one = ratios[scenario.name]
            lines.append(f"  best peer {one['best_peer']}: {_ratio(one['vs_best_peer'], one['vs_best_peer_ci95'])}")
            if "bound_s" in one:
                lines.append(f"  bound on throughput (nobody idle, nothing travels): {one['bound_s']:.1f} s")
    return "\n".join([*lines, "", *_summary_lines(results["summary"])])


def _row(cell: Record, ours: float | None) -> list[str]:
    time = cell["time_to_target_s"]
    low, high = time["ci95"]
    return [
        cell["policy"],
        " ".join(f"{key}={value:g}" for key, value in cell["params"].items() if isinstance(value, int | float)) or "-",
        f"{cell['learning_rate']:g}",
        f"{time['mean']:.1f}",
        "-" if low is None else f"{low:.1f} to {high:.1f}",
        f"{cell['num_reached']} of {len(time['per_seed'])}",
        f"{100 * cell['utilisation']:.1f} %",
        "-" if ours is None else f"{ours / time['mean']:.3f}",
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _summary_lines(summary: Record) -> list[str]:
    if not summary["ratios"]:
        return [f"No ratios: they need {OURS} and at least one peer."]
    worst = summary["worst_cell"]
    lines = [
        f"{OURS} / best tuned peer, geometric mean of {summary['num_scenarios']} scenarios: "
        f"{_ratio(summary['vs_best_peer_geomean'], summary['vs_best_peer_ci95'])}",
        *(
            f"  at a transfer of {key} s: {_ratio(ratio, summary['by_transfer_ci95'][key])}"
            for key, ratio in summary["by_transfer"].items()
        ),
        f"  lost: {summary['num_lost']}; worst: {worst['scenario']} with {worst['ratio']:.3f}",
    ]
    if summary["vs_best_ssp_geomean"] is not None:
        lines.append(f"{OURS} / ssp: {_ratio(summary['vs_best_ssp_geomean'], summary['vs_best_ssp_ci95'])}")
    if summary["gap_closed_median"] is not None:
        closed = f"{100 * summary['gap_closed_median']:.0f} %"
        lines.append(f"share of the gap from the best peer to the bound that is closed, median: {closed}")
    if summary["num_final_compared"]:
        num_above, num = summary["num_final_above"], summary["num_final_compared"]
        lines.append(f"final test loss above the best peer's by more than its 95% interval: {num_above} of {num}")
    return lines


def _ratio(ratio: float, ci95: Interval | None) -> str:
    return f"{ratio:.3f}" + (f" (95%: {ci95[0]:.3f} to {ci95[1]:.3f})" if ci95 else "")
