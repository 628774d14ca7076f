"""Compare live runs with simulations of the same spec, for every policy: is what the simulator says what happens?

    python -m benchmarks.live_vs_simulation [--repetitions 3] [--policies a,b] [--smoke] [--out benchmarks/results]

Each policy runs live, with real processes, for a fixed number of iterations, once in each repetition with its own
seed; the order rotates. The plain simulator then gets compute and transfer times only, nothing else of the live run:

    spec       those that the spec's speed model and transfer ask for
    computed   recorded compute times, the spec's transfers: the step between the two others, to name causes
    recorded   recorded compute and transfer times, as `predictor.what_if` reads them from the log

Makespan: from the first release of weights to the arrival of the last push, on all sides; a live run's clock starts
earlier, with its processes. Utilisation: compute time over the time from a worker's first release to the arrival of
its own last push, of all workers. Nothing else should run on the machine. Written: `live_vs_simulation.md`, `.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shlex
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.live_runs import (
    RESULTS,
    Record,
    carry_out,
    first_release_s,
    last_pushes_s,
    machine,
    markdown,
    releases_s,
    rotated,
    write,
)
from predictor.events import Event, ExchangeFinished, IterationFinished, PushArrived
from predictor.policies import POLICIES
from predictor.simulator import Scenario, scenario_of, simulate
from predictor.spec import RunSpec, read_run
from predictor.what_if import record

NAME = "live_vs_simulation"
TOLERANCE = 0.05
SLOW = 2.0  # factor of the one slow worker


@dataclass(frozen=True, slots=True)
class Setting:
    """What is run."""

    num_workers: int
    iterations: int  # of each worker
    base_s: float
    transfer_s: float


FULL = Setting(num_workers=4, iterations=40, base_s=0.15, transfer_s=0.1)
SMOKE = Setting(num_workers=3, iterations=6, base_s=0.1, transfer_s=0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--smoke", action="store_true", help="tiny settings, to see that it works")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    setting, repetitions = (SMOKE, 1) if options.smoke else (FULL, options.repetitions)
    rows = []
    for repetition in range(repetitions):
        for policy in rotated(options.policies.split(","), 5 * repetition):
            rows.append(compare(spec_of(setting, policy, seed=repetition + 1)))
            print(json.dumps(rows[-1]), flush=True)
    command = f"python -m benchmarks.{NAME} {shlex.join(sys.argv[1:])}".strip()
    about = {"machine": machine(), "command": command, "setting": dataclasses.asdict(setting)}
    write(options.out, NAME, page({**about, "runs": rows}), {**about, "runs": rows})


def spec_of(setting: Setting, policy: str, seed: int) -> RunSpec:
    """Give the spec that is run live and simulated."""
    factors = [1.0] * (setting.num_workers - 1) + [SLOW]
    return read_run(
        {
            "name": policy,
            "task": {"model": "mlp", "dataset": "digits", "batch_size": 16, "learning_rate": 0.2},
            "cluster": {"num_workers": setting.num_workers},
            "policy": {"name": policy},
            "speed": {"kind": "lognormal", "base_s": setting.base_s, "factors": factors, "cv": 0.1},
            "transfer": {"transfer_s": setting.transfer_s},
            "stop": {"iterations": setting.iterations, "seconds": None},
            "evaluate_every_s": 5.0,
            "checkpoint_every_s": 0.0,
            "seed": seed,
        }
    )


def compare(spec: RunSpec) -> Record:
    """Run a spec live and simulate it in three ways; give the figures of all four, and where the time went."""
    load = os.getloadavg()[0]
    live = carry_out(spec, expected_s=60.0)
    asked = scenario_of(spec, read_text)
    recorded = record(enumerate(live)).scenario(spec.policy, spec.forecaster)
    sides = {"live": figures(live)}
    for side, scenario in (
        ("spec", asked),
        ("computed", dataclasses.replace(recorded, transfers=asked.transfers)),
        ("recorded", recorded),
    ):
        sides[side] = figures(simulated(scenario))
    return {"policy": spec.policy.name, "seed": spec.seed, "load": load, **sides, "delays": delays(live, spec)}


def read_text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def simulated(scenario: Scenario) -> list[Event]:
    """Give the events of a simulation without gradients."""
    events: list[Event] = []
    simulate(scenario, events.append)
    return events


def figures(events: Sequence[Event]) -> Record:
    """Fold a log, live or simulated, in one and the same way; see the head of this module."""
    released_s, pushed_s = releases_s(events), last_pushes_s(events)
    compute_s = sum(event.compute_s for event in events if isinstance(event, IterationFinished))
    wall_s = sum(pushed_s[worker] - released_s[worker] for worker in pushed_s)
    return {
        "makespan_s": max(pushed_s.values()) - first_release_s(events),
        "utilisation": compute_s / wall_s,
        "num_iterations": sum(isinstance(event, IterationFinished) for event in events),
        "num_pushes": sum(isinstance(event, PushArrived) for event in events),
    }


def delays(events: Sequence[Event], spec: RunSpec) -> Record:
    """Give what a live run added to the times that were asked for, as means in milliseconds.

    `iteration` beyond the speed model, `up` and `down` beyond the emulated way. `first` is the way of the first
    weights, which is not emulated: from the first release of all to the start of a worker's first iteration.
    """
    half_s, released_s = spec.transfer.transfer_s / 2, first_release_s(events)
    over, up, down, first = [], [], [], []
    for event in events:
        if isinstance(event, IterationFinished):
            over.append(event.compute_s - event.target_s)
            if event.iteration == 1:
                first.append(event.started_at_s - released_s)
        elif isinstance(event, ExchangeFinished) and event.iteration > 0:
            up.append(event.arrived_at_s - event.sent_at_s - half_s)
            down.append(event.at_s - event.released_at_s - half_s)
    means = {"iteration": over, "up": up, "down": down, "first": first}
    return {name: 1000 * statistics.fmean(found or [0.0]) for name, found in means.items()}


# ---- from figures to a page ------------------------------------------------------------------------------


def causes(row: Record) -> dict[str, float]:
    """Share the difference between a live makespan and the spec's among its causes, in parts of the spec's.

    Each step of the ladder adds one kind of recorded time; what is left is the handling of messages, timers that ring
    late, and decisions that fell otherwise. The parts add up to live / spec - 1.
    """
    spec, computed, recorded, live = (row[side]["makespan_s"] for side in ("spec", "computed", "recorded", "live"))
    return {
        "longer iterations": (computed - spec) / spec,
        "longer transfers": (recorded - computed) / spec,
        "the rest": (live - recorded) / spec,
    }


def summarise(rows: Sequence[Record]) -> list[Record]:
    """Give one line for each policy: ratios live / simulated of each repetition, and the mean causes."""
    found = []
    for policy in dict.fromkeys(row["policy"] for row in rows):
        mine = [row for row in rows if row["policy"] == policy]
        line: Record = {"policy": policy, "causes": {}}
        for name in ("makespan_s", "utilisation"):
            line[name] = {side: statistics.fmean(row[side][name] for row in mine) for side in ("live", "spec")}
            for side in ("spec", "recorded"):
                line[name][f"per_{side}"] = [row["live"][name] / row[side][name] for row in mine]
        shares = [causes(row) for row in mine]
        line["causes"] = {cause: statistics.fmean(one[cause] for one in shares) for cause in shares[0]}
        line["is_close"] = {
            side: all(abs(ratio - 1) <= TOLERANCE for ratio in line["makespan_s"][f"per_{side}"])
            for side in ("spec", "recorded")
        }
        found.append(line)
    return found


def page(found: Record) -> str:
    """Give the page in Markdown."""
    rows, setting = found["runs"], Setting(**found["setting"])
    lines = summarise(rows)
    num = len({row["seed"] for row in rows})
    header = ["policy", "makespan live (s)", "spec (s)", "live / spec", "live / recorded"]
    header += ["utilisation live", "spec", "live / spec", "live / recorded", f"within {TOLERANCE:.0%}"]
    worst = max(lines, key=lambda line: max(abs(ratio - 1) for ratio in line["makespan_s"]["per_spec"]))
    parts = sorted(worst["causes"].items(), key=lambda item: -abs(item[1]))
    delay = {
        name: statistics.fmean(row["delays"][name] for row in rows) for name in ("iteration", "up", "down", "first")
    }
    return "\n".join(
        [
            "# Live runs against the simulator (measured, real processes)",
            "",
            f"Command: `{found['command']}`. {found['machine']}.",
            f"{setting.num_workers} workers, mlp on digits, lognormal speed with base {setting.base_s:g} s and cv 0.1,",
            f"one worker {SLOW:g}x slow, emulated transfer {setting.transfer_s:g} s, {setting.iterations} iterations "
            f"each, {num} repetitions.",
            f"Load of the machine before a run: {_range([row['load'] for row in rows])}.",
            "",
            "Makespan: first release of weights to the arrival of the last push, on all sides. *Spec*: simulated with",
            "the times that the spec asks for. *Recorded*: simulated with the compute and transfer times in the log.",
            "Ratios are means over the repetitions, with the least and the largest; *within* holds for the makespans",
            "of every repetition, against the spec / against the record.",
            "",
            *markdown(header, [_row(line) for line in lines]),
            "",
            f"{sum(line['is_close']['spec'] for line in lines)} of {len(lines)} policies are within {TOLERANCE:.0%} of "
            f"the simulated spec, {sum(line['is_close']['recorded'] for line in lines)} of the simulated record.",
            "",
            "## Where the difference to the spec comes from",
            "",
            "Parts of the simulated makespan, means over the repetitions. Each step gives the simulator one more kind",
            "of recorded time; the rest is the way of the first weights, the handling of messages, late timers, and",
            "decisions that fell otherwise.",
            "",
            *markdown(
                ["policy", *parts_of(lines)], [[line["policy"], *_percent(line["causes"].values())] for line in lines]
            ),
            "",
            f"Largest difference: {worst['policy']}; its largest part: {parts[0][0]} ({parts[0][1]:+.1%}).",
            f"On average an iteration took {delay['iteration']:.2f} ms longer than asked for, a message up "
            f"{delay['up']:.2f} ms and down {delay['down']:.2f} ms longer than emulated;",
            f"a worker's first iteration began {delay['first']:.2f} ms after the first release.",
            "",
        ]
    )


def parts_of(lines: Sequence[Record]) -> list[str]:
    """Name the causes, in the order of the table."""
    return list(lines[0]["causes"])


def _row(line: Record) -> list[str]:
    makespan, utilisation, is_close = line["makespan_s"], line["utilisation"], line["is_close"]
    return [
        line["policy"],
        f"{makespan['live']:.2f}",
        f"{makespan['spec']:.2f}",
        _range(makespan["per_spec"]),
        _range(makespan["per_recorded"]),
        f"{utilisation['live']:.1%}",
        f"{utilisation['spec']:.1%}",
        _range(utilisation["per_spec"]),
        _range(utilisation["per_recorded"]),
        " / ".join("yes" if is_close[side] else "no" for side in ("spec", "recorded")),
    ]


def _range(values: Sequence[float]) -> str:
    mean = f"{statistics.fmean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"


def _percent(values: Iterable[float]) -> list[str]:
    return [f"{value:+.2%}" for value in values]


if __name__ == "__main__":
    main()
