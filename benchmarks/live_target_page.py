"""The page of `live_target`: from figures to ratios, verdicts and Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from benchmarks.live_runs import Record, markdown
from predictor.statistics import geometric_mean

OURS = "foresync"
FIGURES = ("time_s", "busy_s", "cpu_s", "net_cpu_s", "bytes")  # of which ratios are given
TARGETS = {"time_s": 0.7, "cpu_s": 0.8, "busy_s": 0.8, "bytes": 0.8}  # against ssp
PEER = "ssp"


def ratios(rows: Sequence[Record]) -> list[Record]:
    """Give ours / peer for each transfer, peer and figure: of every repetition, and the geometric mean.

    A run that missed the target stands with the figures that it had at its budget, so a ratio to such a peer is an
    upper bound, and one of our own misses a lower bound; `num_missed` says how many of each there are.
    """
    found = []
    for transfer_s in dict.fromkeys(row["transfer_s"] for row in rows):
        here = [row for row in rows if row["transfer_s"] == transfer_s]
        ours = {row["repetition"]: row for row in here if row["policy"] == OURS}
        for peer in dict.fromkeys(row["policy"] for row in here if row["policy"] != OURS):
            theirs = {row["repetition"]: row for row in here if row["policy"] == peer}
            pairs = [(ours[number], theirs[number]) for number in sorted(ours.keys() & theirs.keys())]
            line: Record = {"transfer_s": transfer_s, "peer": peer}
            line["num_missed"] = {
                OURS: sum(not one["is_reached"] for one, _ in pairs),
                peer: sum(not other["is_reached"] for _, other in pairs),
            }
            for name in FIGURES:
                each = [one[name] / other[name] for one, other in pairs if one[name] > 0 and other[name] > 0]
                line[name] = {"each": each, "geomean": geometric_mean(each)}
            found.append(line)
    return found


def verdicts(lines: Sequence[Record], rows: Sequence[Record]) -> list[str]:
    """Say for each transfer whether the targets against ssp are met, and where not, why."""
    said = []
    for line in lines:
        if line["peer"] != PEER:
            continue
        for name, limit in TARGETS.items():
            ratio = line[name]["geomean"]
            if ratio is None:
                continue
            words = "met" if ratio <= limit else "**missed**"
            sentence = (
                f"* Transfer {line['transfer_s']:g} s, {_NAMES[name]}: {ratio:.2f}x, wanted <= {limit:g}x: {words}."
            )
            if ratio > limit:
                sentence += f" {_reason(rows, line['transfer_s'])}"
            said.append(sentence)
    return said


def _reason(rows: Sequence[Record], transfer_s: float) -> str:
    """Give what a miss is made of: iterations, and what one of them costs."""
    ours, theirs = (_per_iteration(rows, transfer_s, policy) for policy in (OURS, PEER))
    return (
        f"It took {ours['num'] / theirs['num']:.2f}x the iterations in all, at {ours['rate'] / theirs['rate']:.2f}x "
        f"the iterations per second; one iteration cost {ours['cpu'] / theirs['cpu']:.2f}x the CPU time and "
        f"{ours['bytes'] / theirs['bytes']:.2f}x the bytes."
    )


def _per_iteration(rows: Sequence[Record], transfer_s: float, policy: str) -> Mapping[str, float]:
    mine = [row for row in rows if row["transfer_s"] == transfer_s and row["policy"] == policy]
    num = sum(row["num_iterations"] for row in mine)
    return {
        "num": num,
        "rate": num / sum(row["time_s"] for row in mine),
        "cpu": sum(row["cpu_s"] for row in mine) / num,
        "bytes": sum(row["bytes"] for row in mine) / num,
    }


_NAMES = {
    "time_s": "time",
    "busy_s": "busy seconds",
    "cpu_s": "CPU seconds",
    "net_cpu_s": "CPU seconds without the start",
    "bytes": "bytes",
}


def page(figures: Record) -> str:
    """Give the page in Markdown."""
    rows, setting = figures["runs"], figures["setting"]
    lines = ratios(rows)
    num, load = len({row["repetition"] for row in rows}), [row["load"] for row in rows]
    return "\n".join(
        [
            "# Time to a target with real processes (measured)",
            "",
            f"Command: `{figures['command']}`. {figures['machine']}.",
            f"Five workers, one of them four times slower, base {setting['base_s']:g} s, cv 0.1; mlp on digits, batch",
            f"16; target: test loss {setting['target']:g}; {num} repetitions with a seed each, order rotating.",
            f"Load of the machine before a run: {fmean(load):.1f} ({min(load):.1f} to {max(load):.1f}).",
            "",
            "Times count from the first release of weights. *Busy*: compute time of all workers, the emulated slowness",
            "included. *CPU*: seconds of server and workers from their start to the target; starting alone takes "
            f"{fmean(figures['startup_cpu_s']):.2f} s.",
            "The emulated slowness is slept, not computed, so it is no part of *CPU*.",
            "",
            "## Chosen in virtual time, on other seeds",
            "",
            *_choices(figures["choices"]),
            "",
            "## Ratios foresync / peer: geometric mean (least to largest of the repetitions)",
            "",
            *_ratios(lines),
            "",
            *verdicts(lines, rows),
            "",
            "## Every run",
            "",
            *_runs(rows),
            "",
        ]
    )


def _choices(choices: Sequence[Record]) -> list[str]:
    header = ["transfer (s)", "policy", "parameters", "learning rate", "mean virtual time (s)", "points tried"]
    rows = []
    for one in choices:
        keys = {key: value for key, value in one["params"].items() if isinstance(value, int | float)}
        rows.append(
            [
                f"{one['transfer_s']:g}",
                one["policy"],
                ", ".join(f"{key} {value:g}" for key, value in keys.items()) or "-",
                f"{one['learning_rate']:g}",
                f"{one['virtual_mean_s']:.1f}",
                str(one["num_runs"]),
            ]
        )
    return markdown(header, rows)


def _ratios(lines: Sequence[Record]) -> list[str]:
    header = ["transfer (s)", "peer", *(_NAMES[name] for name in FIGURES), "missed targets (foresync, peer)"]
    rows = []
    for line in lines:
        missed = [str(num) for num in line["num_missed"].values()]
        cells = [_spread(line[name]["each"]) for name in FIGURES]
        rows.append([f"{line['transfer_s']:g}", line["peer"], *cells, ", ".join(missed)])
    return markdown(header, rows)


def _spread(each: Sequence[float]) -> str:
    mean = geometric_mean(each)
    return "-" if mean is None else f"{mean:.2f}x ({min(each):.2f} to {max(each):.2f})"


def _runs(rows: Sequence[Record]) -> list[str]:
    header = ["transfer (s)", "repetition", "policy", "time (s)", "virtual (s)", "iterations", "utilisation"]
    header += ["waiting (s)", "busy (s)", "CPU (s)", "MB"]
    ordered = sorted(rows, key=lambda row: (row["transfer_s"], row["repetition"], row["policy"] != OURS, row["policy"]))
    return markdown(
        header,
        [
            [
                f"{row['transfer_s']:g}",
                str(row["repetition"]),
                row["policy"],
                f"{row['time_s']:.1f}" if row["is_reached"] else f"> {row['time_s']:.1f}",
                "missed" if row["virtual_s"] is None else f"{row['virtual_s']:.1f}",
                str(row["num_iterations"]),
                f"{row['utilisation']:.1%}",
                f"{row['waiting_s']:.1f}",
                f"{row['busy_s']:.1f}",
                f"{row['cpu_s']:.2f}",
                f"{row['bytes'] / 1e6:.2f}",
            ]
            for row in ordered
        ],
    )
