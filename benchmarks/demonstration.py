"""Repeat the demonstration experiment with real processes and report every repetition.

    python benchmarks/demonstration.py [--repetitions 5] [--out benchmarks/results]

Each repetition runs every policy of the committed experiment once, with its own seed, one run after the other;
the order of the policies alternates. Nothing else should run on the machine. Written: `demonstration.md` (the
table) and `demonstration.json` (the figures of each run).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.machine import machine
from predictor.log import decode
from predictor.spec import RunSpec, expand, read_experiment, to_data
from predictor.summary import Summary

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENT = ROOT / "backend" / "presets" / "demonstration.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    data = yaml.safe_load(EXPERIMENT.read_text())["experiment"]
    rows = []
    for repetition in range(options.repetitions):
        specs = expand(read_experiment({**data, "seeds": [repetition + 1]}))
        for spec in specs if repetition % 2 == 0 else reversed(specs):
            row = {"repetition": repetition + 1, "seed": spec.seed, "policy": spec.policy.name, **train(spec)}
            rows.append(row)
            print(json.dumps({k: v for k, v in row.items() if k != "wait_per_worker_s"}), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "demonstration.json").write_text(json.dumps({"machine": machine(), "runs": rows}, indent=1) + "\n")
    (options.out / "demonstration.md").write_text(table(rows, data["run"]["stop"]["seconds"]))


def train(spec: RunSpec) -> dict[str, Any]:
    """Run one spec to its end in processes of its own; give the figures of its log."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        run.mkdir()
        (run / "spec.json").write_text(json.dumps(to_data(spec)))
        command = [sys.executable, "-m", "workers", "run", str(run)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True)
        summary = Summary()
        with (run / "events.jsonl").open("rb") as log:
            for line in log:
                summary.update(decode(line)[1])
    report = summary.report()
    names = ("time_to_target_s", "final_accuracy", "utilisation", "wait_share", "wait_s", "bytes", "num_missed_pads")
    return {
        **{name: report[name] for name in names},
        "wait_per_worker_s": [round(worker["wait_s"], 2) for worker in report["workers"]],
        "num_iterations": report["num_iterations"],
    }


def table(rows: list[dict[str, Any]], budget_s: float) -> str:
    """Give the repetitions as Markdown, each pair with its ratio."""
    lines = [
        "# Demonstration experiment, repeated (measured, real processes)",
        "",
        f"Command: `python benchmarks/demonstration.py`. {machine()}. Each repetition has its own seed, the same for",
        f"both policies. A run that misses the target within {budget_s:g} s stands as `> {budget_s:g}`.",
        "",
        "| repetition | policy | time to target (s) | final accuracy | utilisation | waiting (s, all workers) "
        "| waiting per worker (s) | MB | predictive / ssp |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for repetition in sorted({row["repetition"] for row in rows}):
        pair = {row["policy"]: row for row in rows if row["repetition"] == repetition}
        for name, row in sorted(pair.items(), reverse=True):
            time_s = row["time_to_target_s"]
            ratio = ""
            if name == "predictive" and "ssp" in pair and time_s:
                slower_s = pair["ssp"]["time_to_target_s"]
                ratio = f"{time_s / slower_s:.2f}x" if slower_s else f"< {time_s / budget_s:.2f}x"
            waits = ", ".join(f"{wait:.1f}" for wait in row["wait_per_worker_s"])
            lines.append(
                f"| {repetition} | {name} | {f'{time_s:.1f}' if time_s else f'> {budget_s:g}'} "
                f"| {row['final_accuracy']:.3f} | {row['utilisation']:.1%} | {row['wait_s']:.1f} | {waits} "
                f"| {row['bytes'] / 1e6:.1f} | {ratio} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
