"""How the player plays runs; see `tests.api.player`."""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import socket
import sys
import time
from pathlib import Path
from typing import BinaryIO

from predictor import log
from predictor.events import (
    CheckpointWritten,
    EvaluationFinished,
    Event,
    Retuned,
    RunFinished,
    RunStarted,
    TargetReached,
)
from predictor.simulator import scenario_of, simulate
from predictor.spec import RunSpec, read_run

POLL_S = 0.01
WALL_TIME_S = 1_750_000_000.0


class Log:
    """Appends to events.jsonl with seqs that go on where it ends."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes() if path.exists() else b""
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._file.truncate(log.complete_length(data))
        self._seq = data.count(b"\n")
        self.at_s = log.decode(data.splitlines()[-1])[1].at_s if data else 0.0

    def append(self, events: list[Event]) -> None:
        lines = []
        for event in events:
            self._seq += 1
            self.at_s = max(self.at_s, event.at_s)
            lines.append(log.with_seq(log.encode(event), self._seq))
        self._file.write(b"".join(lines))


def play(directory: Path, *, is_resume: bool) -> None:
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.write(lock, str(os.getpid()).encode())
    os.write(1, f"playing {directory.name}\n".encode())
    spec = read_run(json.loads((directory / "spec.json").read_text()))
    written = Log(directory / "events.jsonl")
    started = RunStarted(written.at_s, WALL_TIME_S, directory.name, False, {"python": "3"})
    written.append([started])
    if spec.stop.iterations is not None and not is_resume:
        written.append(simulated(spec))
    else:
        follow(directory, written)


def simulated(spec: RunSpec) -> list[Event]:
    made: list[Event] = []
    simulate(scenario_of(spec, lambda path: Path(path).read_text()), made.append)
    closing = made[-1]
    made = [event for event in made if not isinstance(event, RunStarted | RunFinished)]
    accuracy = 1 - 1 / (spec.seed + 1)
    made.append(EvaluationFinished(closing.at_s, closing.at_s, 1, 0.5, accuracy, 10, is_final=True))
    if spec.stop.target is not None:
        made.append(TargetReached(closing.at_s, spec.stop.target.metric, spec.stop.target.value))
    return [*made, closing]


def follow(directory: Path, written: Log) -> None:
    told = {directory / "say.jsonl": 0, directory / "control.jsonl": 0}
    while True:
        for path, offset in told.items():
            data = path.read_bytes()[offset:] if path.exists() else b""
            data = data[: log.complete_length(data)]
            told[path] += len(data)
            for line in data.splitlines():
                if not obey(directory, written, json.loads(line)):
                    return
        time.sleep(POLL_S)


def obey(directory: Path, written: Log, said: object) -> bool:
    """Do what the test or the backend says; False at the end."""
    if said == "die":
        return False
    assert isinstance(said, dict)
    if said.get("command") == "stop":
        (directory / "checkpoints").mkdir(exist_ok=True)
        (directory / "checkpoints" / "checkpoint.npz").touch()
        checkpoint = CheckpointWritten(written.at_s, "checkpoint.npz", 1, {"0": 1})
        written.append([checkpoint, RunFinished(written.at_s, "stopped", said["reason"])])
        return False
    if said.get("command") == "retune":
        written.append([Retuned(written.at_s, said["params"], said["forecaster"])])
        return True
    event = log.from_fields(said)
    written.append([event])
    return not isinstance(event, RunFinished)


def host(path: str) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(sys.stdin, selectors.EVENT_READ)
    while all(key.fileobj is listener for key, _ in selector.select()):
        connection, _ = listener.accept()
        with connection:
            request = json.loads(connection.makefile().readline())
            pid = fork(Path(request["run_dir"]), is_resume=request["resume"])
            connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def fork(directory: Path, *, is_resume: bool) -> int:
    """Play in a process of its own, whose parent is gone; give its pid."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        grandchild = os.fork()
        if grandchild:
            os.write(writing, str(grandchild).encode())
        else:
            output = os.open(directory / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(output, 1)
            os.dup2(output, 2)
            play(directory, is_resume=is_resume)
        os._exit(0)
    os.waitpid(child, 0)
    pid = int(os.read(reading, 20))
    os.close(reading)
    os.close(writing)
    return pid
