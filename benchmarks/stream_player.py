"""What runs in the place of a training while the live stream is measured: it appends a valid log at a given pace.

    python -m benchmarks.stream_player run DIRECTORY | catalogue      (no host is offered: runs start cold)

A run's name says what it writes, e.g. "replay nodes=64 rate=10000 seconds=20": the log of a simulated run, that many
events a second; or "stamped nodes=8 rate=400 seconds=20": events that carry the moment at which they are written.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from predictor import log
from predictor.events import Event, IterationFinished, PushArrived, RunFinished, RunStarted, WorkerJoined
from predictor.forecasters import TimingParams
from predictor.policies import POLICIES
from predictor.simulator import Scenario, simulate
from predictor.speeds import LognormalParams, Transfer

TICK_S = 0.01
CATALOGUE = {
    "models": [{"name": "mlp", "help": "None.", "input_shapes": "any", "image_only": False}],
    "datasets": [
        {
            "name": "digits",
            "help": "None.",
            "is_available": True,
            "reason": "",
            "sample_shape": [1, 8, 8],
            "num_train": 1000,
            "num_test": 10,
            "num_classes": 10,
            "models": ["mlp"],
        }
    ],
    "versions": {},
    "step_s": {"mlp/digits": 0.0001},
}


class _EnoughError(Exception):
    """As many events as wanted have been made."""


def main(command: str, *rest: str) -> None:
    if command == "run":
        run(Path(rest[0]))
    elif command == "catalogue":
        sys.stdout.write(json.dumps(CATALOGUE))


def run(directory: Path) -> None:
    """Take the directory's lock, write the log, and end."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(lock, str(os.getpid()).encode())
    kind, *words = json.loads((directory / "spec.json").read_text())["name"].split()
    wishes = {name: float(value) for name, _, value in (word.partition("=") for word in words)}
    num_nodes, rate, seconds = int(wishes["nodes"]), wishes["rate"], wishes["seconds"]
    lines = Lines(directory)
    lines.add(RunStarted(0.0, time.time(), directory.name, False, {}))
    for worker in range(num_nodes):
        lines.add(WorkerJoined(0.0, worker, 0, 0))
    lines.flush()
    made: Iterator[Event | bytes] = (
        stamped(num_nodes, lines) if kind == "stamped" else replayed(num_nodes, int(rate * seconds))
    )
    begun_s = time.monotonic()
    num_written = 0
    while (passed_s := time.monotonic() - begun_s) < seconds:
        num_due = int(min(passed_s + TICK_S, seconds) * rate) - num_written
        for _ in range(num_due):
            lines.add(next(made))
        num_written += num_due
        lines.flush()
        time.sleep(TICK_S)
    while num_written < int(rate * seconds):
        lines.add(next(made))
        num_written += 1
    lines.add(RunFinished(lines.at_s, "completed", "All events are written."))
    lines.flush()


class Lines:
    """The log: lines that are added, and appended together."""

    def __init__(self, directory: Path) -> None:
        self._file = os.open(directory / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pending: list[bytes] = []
        self._seq = 0
        self.at_s = 0.0
        self.begun_s = time.monotonic()

    def add(self, made: Event | bytes) -> None:
        self._seq += 1
        if isinstance(made, Event):
            self.at_s = max(self.at_s, made.at_s)
            made = log.encode(made)
        self._pending.append(log.with_seq(made, self._seq))

    def flush(self) -> None:
        data = b"".join(self._pending)
        while data:
            data = data[os.write(self._file, data) :]
        self._pending.clear()


def replayed(num_nodes: int, num_events: int) -> Iterator[bytes]:
    """Give the events of a simulated run without its start, encoded beforehand, so that writing costs little."""
    made: list[Event] = []

    def keep(event: Event) -> None:
        if not isinstance(event, RunStarted | WorkerJoined | RunFinished):
            made.append(event)
            if len(made) == num_events:
                raise _EnoughError

    speed = LognormalParams(base_s=0.03, factors=tuple(1 + 0.1 * (one % 8) for one in range(num_nodes)), cv=0.1)
    scenario = Scenario(
        policy=POLICIES["foresync"](),
        speeds=[speed.build(worker, num_nodes, 1, str) for worker in range(num_nodes)],
        transfers=[Transfer(0.002, 0.0, worker, 1) for worker in range(num_nodes)],
        until_s=float("inf"),
        forecaster=TimingParams(),
    )
    with suppress(_EnoughError):
        simulate(scenario, keep)
    return iter([log.encode(event) for event in made])


def stamped(num_nodes: int, lines: Lines) -> Iterator[Event]:
    """Give iterations and pushes, worker after worker, each stamped with the moment at which it is asked for."""
    iteration = 0
    previous_s = [0.0] * num_nodes
    while True:
        iteration += 1
        for worker in range(num_nodes):
            now_s = time.monotonic() - lines.begun_s
            took_s = now_s - previous_s[worker]
            yield IterationFinished(
                now_s, worker, iteration, 0, previous_s[worker], took_s, 0.0, 1 / iteration, 32, 0.0
            )
            yield PushArrived(now_s, worker, iteration, 1, took_s, now_s, iteration, False)
            previous_s[worker] = now_s


if __name__ == "__main__":
    main(*sys.argv[1:])
