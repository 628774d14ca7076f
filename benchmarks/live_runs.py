"""Carry out live runs for a benchmark, and fold their logs. No program of its own.

Times are counted from the first release of weights: what comes before it is the start of the processes, which no
simulation knows of.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.machine import machine as machine  # noqa: PLC0414 (an export)
from predictor.events import Event, NodeSampled, NodeStarted, PushArrived, RunFinished, WorkerReleased
from predictor.log import decode
from predictor.spec import RunSpec, to_data
from workers.telemetry import SAMPLE_EVERY_S

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
GRACE_S = 120.0  # beyond what a run should take; whoever hangs longer is ended

Record = dict[str, Any]
Item = TypeVar("Item")


def carry_out(spec: RunSpec, expected_s: float) -> list[Event]:
    """Run one spec to its end in processes of its own; give the events of its log, in the order of the log.

    Raises:
        RuntimeError: the run failed; the message ends with what its processes printed.
        subprocess.TimeoutExpired: it took `GRACE_S` longer than expected. Its processes end without their coordinator.
    """
    with tempfile.TemporaryDirectory(prefix="foresync-") as folder:
        run = Path(folder) / "run"
        run.mkdir()
        (run / "spec.json").write_text(json.dumps(to_data(spec)))
        command = [sys.executable, "-m", "workers", "run", str(run)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        timeout_s = expected_s + GRACE_S
        done = subprocess.run(command, cwd=ROOT, env=environment, timeout=timeout_s, capture_output=True, check=False)
        lines = (run / "events.jsonl").read_bytes().splitlines() if (run / "events.jsonl").exists() else []
        events = [decode(line)[1] for line in lines]
        ends = [event for event in events if isinstance(event, RunFinished)]
        if done.returncode != 0 or not ends or ends[-1].outcome != "completed":
            reason = ends[-1].reason if ends else "its log has no end"
            raise RuntimeError(f"the run {spec.name} failed: {reason}\n{done.stderr.decode(errors='replace')[-2000:]}")
        return events


def first_release_s(events: Iterable[Event]) -> float:
    """Give when the first weights were released."""
    return min(event.at_s for event in events if isinstance(event, WorkerReleased))


def releases_s(events: Iterable[Event]) -> dict[int, float]:
    """Give when each worker was given its first weights."""
    found: dict[int, float] = {}
    for event in events:
        if isinstance(event, WorkerReleased):
            found[event.worker] = min(event.at_s, found.get(event.worker, event.at_s))
    return found


def last_pushes_s(events: Iterable[Event]) -> dict[int, float]:
    """Give when each worker's last push arrived."""
    found: dict[int, float] = {}
    for event in events:
        if isinstance(event, PushArrived):
            found[event.worker] = max(event.at_s, found.get(event.worker, event.at_s))
    return found


def cpu_s(events: Iterable[Event], until_s: float) -> dict[str, float]:
    """Give the CPU seconds of each process up to a moment, from the gauges of the log.

    A gauge is a mean since the one before it, about a second; the one in which the moment lies counts in proportion.
    The first one counts from where its process began to measure, a little before it said that it had started.
    """
    before: dict[str, float] = {}
    used: dict[str, float] = {}
    for event in events:
        if isinstance(event, NodeStarted):
            before[event.node] = event.at_s
        elif isinstance(event, NodeSampled):
            since_s = before.get(event.node, event.at_s)
            if event.node not in used:
                since_s = min(since_s, event.at_s - SAMPLE_EVERY_S)
            length_s = max(0.0, min(event.at_s, until_s) - since_s)
            used[event.node] = used.get(event.node, 0.0) + event.cpu_share * length_s
            before[event.node] = event.at_s
    return used


def rotated(items: Sequence[Item], by: int) -> list[Item]:
    """Give the items in another order for each repetition, so that none is always first."""
    start = by % len(items)
    return [*items[start:], *items[:start]]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Give the lines of a table."""
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def write(folder: Path, name: str, text: str, data: object) -> None:
    """Write the page and the figures of a benchmark."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
