"""Real runs for tests: started through a warm host, watched through their directory, checked when they have ended."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import psutil

from predictor.events import (
    Event,
    ExchangeFinished,
    IterationFinished,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from predictor.log import decode
from predictor.replay import replay
from predictor.spec import RunSpec, read_run, to_data

HANG_S = 60.0  # nothing here takes that long unless it hangs
EventT = TypeVar("EventT", bound=Event)


def spec_of(**changes: Any) -> RunSpec:
    """Give a small quick run: three workers of 20 ms, one of them twice as slow."""
    data: dict[str, Any] = {
        "cluster": {"num_workers": 3},
        "policy": {"name": "bsp"},
        "speed": {"kind": "lognormal", "base_s": 0.02, "factors": [1, 1, 2]},
        "stop": {"iterations": 12, "seconds": None},
        "evaluate_every_s": 0.1,
    }
    return read_run(data | changes)


class WarmHost:
    """`python -m workers host`, and the protocol that the backend speaks with it."""

    def __init__(self, leftover: bool = False) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="fs-")  # short: a socket's path has 108 bytes at most
        self.path = Path(self.folder.name) / "host"
        if leftover:
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(self.path))
        command = [sys.executable, "-m", "workers", "host", str(self.path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)
        wait_until(self._is_listening)

    def _is_listening(self) -> bool:
        assert self.process.poll() is None
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.path)) == 0

    def ask(self, request: bytes) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(HANG_S)
            connection.connect(str(self.path))
            connection.sendall(request + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile("rb").readline())
            return answer

    def start(self, run_dir: Path, is_resume: bool = False) -> int:
        answer = self.ask(json.dumps({"run_dir": str(run_dir), "resume": is_resume}).encode())
        assert "pid" in answer, answer
        return int(answer["pid"])

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(HANG_S)
        self.folder.cleanup()


class LiveRun:
    """One run in its directory."""

    def __init__(self, host: WarmHost, path: Path, spec: RunSpec) -> None:
        self.host, self.path, self.spec = host, path, spec
        path.mkdir()
        (path / "spec.json").write_text(json.dumps(to_data(spec)))
        self.coordinator = -1
        self._exit_fd = -1
        self._read = 0  # bytes of the log that are decoded
        self._events: list[tuple[int, Event]] = []

    def start(self, is_resume: bool = False) -> LiveRun:
        self.coordinator = self.host.start(self.path, is_resume)
        self._exit_fd = os.pidfd_open(self.coordinator)
        return self

    def events(self) -> list[Event]:
        return [event for _, event in self.numbered_events()]

    def numbered_events(self) -> list[tuple[int, Event]]:
        """Give the whole lines of the log; what was read before is not read again."""
        path = self.path / "events.jsonl"
        if path.exists():
            with path.open("rb") as log:
                log.seek(self._read)
                *lines, _ = log.read().split(b"\n")
            self._read += sum(len(line) + 1 for line in lines)
            self._events += [decode(line) for line in lines]
        return self._events

    def forget(self) -> None:
        """Read the log anew: the test has changed it."""
        self._read, self._events = 0, []

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events() if isinstance(event, kind)]

    def log(self) -> str:
        path = self.path / "log.txt"
        return path.read_text() if path.exists() else ""

    def pid(self, node: str) -> int:
        """Give the process id of the newest life of a node; on a busy machine it may be a moment late."""
        self.wait_for(NodeStarted, lambda event: event.node == node)
        return [event.pid for event in self.of(NodeStarted) if event.node == node][-1]

    def wait_for(self, kind: type[EventT], fits: Callable[[EventT], bool] = lambda event: True) -> EventT:
        """Wait until such an event is in the log and return the first one."""
        found: list[EventT] = []

        def look() -> bool:
            found[:] = [event for event in self.of(kind) if fits(event)]
            return bool(found) or self.has_ended()

        wait_until(look)
        assert found, f"the run ended without it: {self.events()[-3:]}\n{self.log()}"
        return found[0]

    def wait_for_training(self, iteration: int = 3) -> None:
        """Wait until each worker has done that many iterations."""
        for worker in range(self.spec.cluster.num_workers):
            self.wait_for(IterationFinished, partial(_is_step, worker, iteration))

    def command(self, **command: object) -> None:
        with (self.path / "control.jsonl").open("a") as control:
            control.write(json.dumps(command) + "\n")

    def has_ended(self) -> bool:
        return bool(select.select([self._exit_fd], [], [], 0)[0])

    def finish(self) -> RunFinished:
        """Wait for the end, check what must hold of every run, and return the closing event."""
        ended, _, _ = select.select([self._exit_fd], [], [], HANG_S)
        assert ended, f"the run hangs: {self.events()[-3:]}\n{self.log()}"
        self.check()
        closing = self.events()[-1]
        assert isinstance(closing, RunFinished), closing
        return closing

    def check(self) -> None:
        """Check what holds of every log, whatever became of the run, and that nobody is left."""
        numbers = [seq for seq, _ in self.numbered_events()]
        assert numbers == list(range(1, len(numbers) + 1))
        for before, after in pairwise(self.events()):  # a closing event closes a life of the run
            assert isinstance(after, RunStarted) or not isinstance(before, RunFinished)
        report = replay(self.numbered_events(), self.spec)
        assert report.is_same, report
        wait_until(lambda: not self.living())

    def living(self) -> list[int]:
        """Give the processes of this run that still live."""
        pids = {event.pid for event in self.of(NodeStarted)} | ({self.coordinator} - {-1})
        return [pid for pid in pids if is_alive(pid)]

    def is_locked(self) -> bool:
        with (self.path / "lock").open("rb+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def clean_up(self) -> None:
        """Leave nothing behind, whatever the test has done."""
        for pid in self.living():
            os.kill(pid, signal.SIGKILL)
        if self._exit_fd >= 0:
            os.close(self._exit_fd)


def _is_step(worker: int, iteration: int, step: IterationFinished) -> bool:
    return (step.worker, step.iteration) == (worker, iteration)


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + HANG_S
    while not is_true():
        assert time.monotonic() < deadline_s, "it did not come"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process lives; one that is dead but not reaped by its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def times_of(events: list[Event], worker: int) -> dict[str, float]:
    """Add up a worker's life: compute, wait, transfer, and the wall time from its start to its last step."""
    compute_s = wait_s = transfer_s = 0.0
    started_s = next(e.at_s for e in events if isinstance(e, NodeStarted) and e.node == f"worker-{worker}")
    ended_s = started_s
    for event in events:
        if isinstance(event, IterationFinished) and event.worker == worker:
            compute_s += event.compute_s
            ended_s = event.at_s
        elif isinstance(event, ExchangeFinished) and event.worker == worker and event.blocked_from_s is not None:
            up_s = max(0.0, min(event.arrived_at_s, event.at_s) - event.blocked_from_s)
            down_s = event.at_s - max(event.released_at_s, event.blocked_from_s)
            transfer_s += up_s + down_s
            wait_s += event.at_s - event.blocked_from_s - up_s - down_s
    return {"compute_s": compute_s, "wait_s": wait_s, "transfer_s": transfer_s, "wall_s": ended_s - started_s}
