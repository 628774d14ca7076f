"""Write the page of a synchronisation benchmark from what `foresync bench sync --out` has written.

    python benchmarks/sync_page.py benchmarks/results/sync.json
    python benchmarks/sync_page.py benchmarks/results/weak.json benchmarks/weak/notes.md

Written: the same name with `.md`. With notes, the page begins with them (their first line is its title), and has a
table of the kinds of scenarios, which are what their names begin with.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine

Record = dict[str, Any]
OURS = "foresync"


def main(path: Path, notes: Path | None = None) -> None:
    results = json.loads(path.read_text(encoding="utf-8"))
    cells: dict[str, dict[str, Record]] = {}
    for cell in results["cells"]:
        cells.setdefault(cell["scenario"], {})[cell["policy"]] = cell
    title = notes.read_text(encoding="utf-8") if notes else "# Time to the target, against every peer (simulated)\n"
    parts = [title, head(results), *(kinds(results["summary"], cells) if notes else [])]
    parts += [summary(results["summary"], cells), policies(cells), scenarios(results["summary"], cells)]
    path.with_suffix(".md").write_text("\n".join(parts), encoding="utf-8")


def head(results: Record) -> str:
    num_seeds = len(results["cells"][0]["time_to_target_s"]["per_seed"])
    return (
        "Made by `foresync bench sync` ([how](../sync.md)) and `python benchmarks/sync_page.py`. "
        f"{machine()}. {num_seeds} reported seeds, tuned on two others. Times are virtual and exact, gradients "
        "are real. Ratios are `foresync` / the other: "
        "below 1 `foresync` is faster.\n"
    )


def summary(found: Record, cells: dict[str, dict[str, Record]]) -> str:
    """Give the geometric means, their intervals, and what else is asked of the grid as a whole."""
    rows = [("best tuned peer, all scenarios", found["vs_best_peer_geomean"], found["vs_best_peer_ci95"])]
    rows += [
        (f"best tuned peer, transfer {key} s", ratio, found["by_transfer_ci95"][key])
        for key, ratio in found["by_transfer"].items()
    ]
    long = [one["vs_best_peer"] for one in found["ratios"] if cells[one["scenario"]] and transfer_of(one) >= 0.5]
    if long:
        rows.append(("best tuned peer, transfer >= 0.5 s", geomean(long), None))
    if found["vs_best_ssp_geomean"] is not None:
        rows.append(("`ssp` with its best threshold", found["vs_best_ssp_geomean"], found["vs_best_ssp_ci95"]))
    lines = ["| against | ratio of times | 95% interval |", "|---|---|---|"]
    lines += [f"| {name} | {ratio:.3f} | {between(ci95)} |" for name, ratio, ci95 in rows]
    worst = found["worst_cell"]
    both = [mine for mine in cells.values() if OURS in mine and "ssp" in mine]
    least = min((mine[OURS]["utilisation"], name) for name, mine in cells.items() if OURS in mine)
    lines += [
        "",
        f"* Lost: {found['num_lost']} of {found['num_scenarios']}; worst: {worst['scenario']}, {worst['ratio']:.2f}.",
        f"* Least utilisation of `foresync`: {100 * least[0]:.1f}% ({least[1]}).",
        *against_ssp(both),
        f"* Final metric after equal virtual time: {final(cells)}.",
        *bounds(found),
        "",
    ]
    return "\n".join(lines)


def kinds(found: Record, cells: dict[str, dict[str, Record]]) -> list[str]:
    """Give one line for each kind of scenario, with the ratio to each peer: geometric means."""
    groups: dict[str, list[Record]] = {}
    for one in found["ratios"]:
        groups.setdefault(one["scenario"].split("-")[0], []).append(one)
    peers = sorted({policy for mine in cells.values() for policy in mine} - {OURS})
    lines = [f"| kind | scenarios | best peer | {' | '.join(f'`{name}`' for name in peers)} |"]
    lines += ["|---" * (3 + len(peers)) + "|"]
    for kind, ones in groups.items():
        every = [cells[one["scenario"]] for one in ones]
        to_each = [geomean([time_of(mine[OURS]) / time_of(mine[name]) for mine in every]) for name in peers]
        best = geomean([one["vs_best_peer"] for one in ones])
        lines.append(f"| {kind} | {len(ones)} | {best:.2f} | {' | '.join(f'{ratio:.2f}' for ratio in to_each)} |")
    return ["\n".join([*lines, ""])]


def against_ssp(both: Sequence[dict[str, Record]]) -> list[str]:
    """Compare what is sent and computed up to the target, over the scenarios in which both were run."""
    if not both:
        return []
    sent = geomean([mine[OURS]["bytes"] / mine["ssp"]["bytes"] for mine in both])
    work = geomean([computed_s(mine[OURS]) / computed_s(mine["ssp"]) for mine in both])
    return [f"* Against `ssp` to the target: {sent:.2f} x the bytes, {work:.2f} x the compute time of all workers."]


def policies(cells: dict[str, dict[str, Record]]) -> str:
    """Give, for each policy, how it stands to `foresync` over all scenarios."""
    names = sorted({policy for mine in cells.values() for policy in mine} - {OURS})
    rows = []
    for name in names:
        both = [mine for mine in cells.values() if OURS in mine and name in mine]
        ratios = [time_of(mine[OURS]) / time_of(mine[name]) for mine in both]
        rows.append((geomean(ratios), name, ratios, both))
    lines = [
        "| policy | `foresync` / policy | best | worst | faster than `foresync` in | its utilisation |",
        "|---|---|---|---|---|---|",
    ]
    for mean, name, ratios, both in sorted(rows, reverse=True):
        used = sum(mine[name]["utilisation"] for mine in both) / len(both)
        lines.append(
            f"| `{name}` | {mean:.3f} | {min(ratios):.2f} | {max(ratios):.2f} | "
            f"{sum(ratio > 1 for ratio in ratios)} of {len(ratios)} | {100 * used:.0f}% |"
        )
    return "\n".join([*lines, ""])


def scenarios(found: Record, cells: dict[str, dict[str, Record]]) -> str:
    """Give one line for each scenario."""
    lines = [
        "| scenario | `foresync`, s | best peer | its time, s | ratio | 95% interval | ratio to `ssp` | utilisation "
        "| bound, s | gap closed | final loss less the peer's (95%) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in found["ratios"]:
        mine = cells[one["scenario"]]
        peer = mine[one["best_peer"]]
        keys = " ".join(f"{key}={value:g}" for key, value in peer["params"].items() if isinstance(value, int | float))
        to_ssp = f"{time_of(mine[OURS]) / time_of(mine['ssp']):.2f}" if "ssp" in mine else "-"
        lines.append(
            f"| {one['scenario']} | {time_of(mine[OURS]):.1f} | {one['best_peer']} {keys} | {time_of(peer):.1f} | "
            f"{one['vs_best_peer']:.2f} | {between(one['vs_best_peer_ci95'])} | {to_ssp} | "
            f"{100 * mine[OURS]['utilisation']:.1f}% | {bound(one)} | {loss_difference(one)} |"
        )
    return "\n".join([*lines, ""])


def bounds(found: Record) -> list[str]:
    """Say how near the bound is, and in how many scenarios the final loss is clearly above the best peer's."""
    lines = []
    if found.get("gap_closed_median") is not None:
        lines.append(
            f"* Of the gap from the best peer to the bound, the median share that is closed is "
            f"{100 * found['gap_closed_median']:.0f}%. The bound is one on throughput, no peer: `asp` where nothing "
            "travels, with a rate tuned there. Where fewer iterations do, the share is above 100%."
        )
    if found.get("num_final_compared"):
        lines.append(
            f"* The final test loss is above the best peer's by more than its 95% interval (paired over seeds) in "
            f"{found['num_final_above']} of {found['num_final_compared']} scenarios."
        )
    return lines


def bound(one: Record) -> str:
    """Give the time of the bound and the share of the gap that is closed."""
    if "bound_s" not in one:
        return "- | -"
    closed = one["gap_closed"]
    return f"{one['bound_s']:.1f} | {'-' if closed is None else f'{100 * closed:.0f}%'}"


def loss_difference(one: Record) -> str:
    """Give the difference of the final losses with its interval, and whether all of that lies above 0."""
    if "is_final_above" not in one:
        return "-"
    low, high = one["final_ci95"]
    return f"{one['final_vs_best_peer']:+.4f} ({low:+.4f} to {high:+.4f}{'; above' if one['is_final_above'] else ''})"


def final(cells: dict[str, dict[str, Record]]) -> str:
    """Compare the metric at the budget with the best peer's: how often ours is the better one, and by how much."""
    differences = []
    for mine in cells.values():
        others = [cell["final_metric"] for policy, cell in mine.items() if policy not in (OURS, "predictive")]
        known = [one for one in others if one is not None]
        if known and mine.get(OURS, {}).get("final_metric") is not None:
            differences.append(mine[OURS]["final_metric"] / min(known))
    if not differences:
        return "not measured"
    num = sum(one <= 1 for one in differences)
    return (
        f"the test loss of `foresync` is the lowest of all in {num} of {len(differences)} scenarios, and "
        f"{geomean(differences):.2f} x that of the peer with the lowest one in the geometric mean"
    )


def transfer_of(ratio: Record) -> float:
    return float(ratio["transfer_s"])


def time_of(cell: Record) -> float:
    return float(cell["time_to_target_s"]["mean"])


def computed_s(cell: Record) -> float:
    """Give what is proportional to the compute time of all workers up to the target."""
    return time_of(cell) * float(cell["utilisation"])


def geomean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def between(ci95: Sequence[float] | None) -> str:
    return f"{ci95[0]:.2f} to {ci95[1]:.2f}" if ci95 else "-"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
