"""A stand-in for `python -m workers`: real processes, locks and files, but no training.

What a run does stands in its name, e.g. "num=100 pause=0.01 deaf": see `Script`.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from predictor import log
from predictor.events import CheckpointWritten, Event, NodeStarted, RunFinished, RunResumed, RunStarted
from tests.backend.logs import training

CATALOGUE = {"models": [{"name": "mlp"}], "datasets": [{"name": "digits"}], "versions": {"torch": "2"}}


class Script:
    """What a run does."""

    def __init__(self, text: str) -> None:
        words = dict(word.partition("=")[::2] for word in text.split())
        self.num = int(words.get("num", 20))  # events before the end
        self.pause_s = float(words.get("pause", 0.002))  # after each of them
        self.is_deaf = "deaf" in words  # ignores a stop
        self.is_stubborn = "stubborn" in words  # ignores SIGTERM too
        self.dies_at = int(words.get("dies_at", 0))  # number of events after which it kills itself
        self.tears = "tears" in words  # leaves half a line when it dies
        self.breaks_at = int(words.get("breaks_at", 0))  # number of events after which a line is no event
        self.refusal = words.get("refuses", "")  # a sentence (with _ for spaces) instead of a start
        self.lingers_s = float(words.get("lingers", 0))  # from the closing event to the end
        self.is_unlocked = "unlocked" in words  # never takes the lock


def run(path: Path, is_resume: bool) -> int:
    script = Script(json.loads((path / "spec.json").read_text())["name"])
    if script.refusal:
        sys.stderr.write(script.refusal.replace("_", " ") + "\n")
        return 2
    if script.is_unlocked:
        time.sleep(600)
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    ends = []
    signal.signal(signal.SIGTERM, lambda *_: None if script.is_stubborn else ends.append("stopped by a signal"))
    os.write(1, b"started\n")

    lines = (path / "events.jsonl").read_bytes().splitlines() if is_resume else []
    seq, now_s = (log.decode(lines[-1])[0], log.decode(lines[-1])[1].at_s) if lines else (0, 0.0)
    log_file = os.open(path / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    control = (path / "control.jsonl").open("rb")

    def add(event: Event) -> None:
        nonlocal seq
        seq += 1
        os.write(log_file, log.with_seq(log.encode(event), seq))

    add(RunStarted(at_s=now_s, wall_time_s=time.time(), run_id=path.name, is_simulated=False, versions={}))
    add(NodeStarted(at_s=now_s, node="coordinator", pid=os.getpid(), incarnation=0))
    if is_resume:
        control.seek(0, 2)
        add(RunResumed(at_s=now_s, checkpoint_seq=seq, version=1, clocks={"0": 1}))
    for index, event in enumerate(training(script.num), 1):
        add(event)
        if index == script.dies_at:
            if script.tears:
                os.write(log_file, b'{"seq":99,"kind":"Iter')
            os.kill(os.getpid(), signal.SIGKILL)
        if index == script.breaks_at:
            os.write(log_file, b"this is no event\n")
        commands = [] if script.is_deaf else [json.loads(line) for line in control.read().splitlines()]
        ends.extend(command["reason"] for command in commands)
        if ends:
            (path / "checkpoints").mkdir(exist_ok=True)
            (path / "checkpoints" / "checkpoint.npz").write_bytes(b"weights")
            add(CheckpointWritten(at_s=event.at_s, file="checkpoint.npz", version=1, clocks={"0": 1}))
            break
        time.sleep(script.pause_s)
    add(RunFinished(event.at_s, "stopped" if ends else "completed", ends[0] if ends else "all events are written"))
    time.sleep(script.lingers_s)
    return 0


def host(path: Path) -> int:
    path.unlink(missing_ok=True)  # of a host that was killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return 0
        serve(listener)


def serve(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    request = json.loads(connection.makefile("rb").readline())
    run_dir = Path(request["run_dir"])
    name = json.loads((run_dir / "spec.json").read_text())["name"]
    if "host_dies" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "host_refuses" in name:
        connection.sendall(b'{"error": "no memory is left."}\n')
        return
    pid = os.fork()
    if pid == 0:
        os.setsid()
        listener.close()
        connection.close()
        output = os.open(run_dir / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = run(run_dir, request["resume"])
        sys.stderr.flush()
        os._exit(code)
    connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")
    connection.close()


def catalogue(arguments: list[str]) -> int:
    counter = os.environ.get("FAKE_CATALOGUE_COUNTER")
    if counter:
        with Path(counter).open("a") as file:
            file.write(f"{arguments}\n")
    if arguments == ["--data-dir=/broken"]:
        sys.stderr.write("Traceback\nthe folder /broken holds no data set\n")
        return 2
    sys.stdout.write(json.dumps({**CATALOGUE, "asked": arguments}))
    return 0


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "run":
        sys.exit(run(Path(rest[0]), "--resume" in rest))
    sys.exit(host(Path(rest[0])) if command == "host" else catalogue(rest))
