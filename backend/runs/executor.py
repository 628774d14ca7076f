"""Starts coordinators: warm from `python -m workers host`, which has torch imported, or else cold.

The host lives as long as this process holds its standard input; the coordinators that it forks live on. When
it is dead it is started again once for a launch; when that fails too, the launch is a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from backend.errors import ExecutorError
from backend.runs.rundir import RunDirectory

WARM_UP_S = 90.0  # importing torch on a busy machine
ANSWER_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024
HOST_END_S = 5.0
MAX_SOCKET_PATH_BYTES = 103  # of a UNIX socket: 107 on Linux, 103 elsewhere
SECRETS = ("FORESYNC_TOKEN", "FORESYNC_DATABASE_URL")  # of no concern to what trains


class Executor:
    """Starts the coordinators of runs; for any thread."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        """Prepare; nothing is started.

        Args:
            command: what stands for `python -m workers`.
            home: where the host's socket and its own output lie.
        """
        self._command = tuple(command)
        self._home = home
        self._lock = threading.Lock()  # of all below
        self._host: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None
        self._is_closed = False
        self._cold: list[subprocess.Popen[bytes]] = []  # kept to be reaped

    def start(self) -> None:
        """Start the host, so that it is warm at the first launch; a failure shows at that launch."""
        with self._lock, contextlib.suppress(OSError):
            self._start_host()

    def launch(self, directory: RunDirectory, *, is_resume: bool) -> psutil.Process | None:
        """Start the coordinator of a run, and give its process; None if that has ended already.

        Raises:
            ExecutorError: why it could be started neither warm nor cold.
        """
        request = {"run_dir": str(directory.path), "resume": is_resume}
        for _ in range(2):
            try:
                answer = self._ask(request)
            except (OSError, ValueError):
                continue  # the host died or hangs: `_ask` starts it anew
            if "error" in answer:
                raise ExecutorError(str(answer["error"]))
            return _process(answer["pid"])
        return self._launch_cold(directory, is_resume)

    def reap(self) -> None:
        """Collect the exit codes of ended cold processes, which are zombies until then."""
        with self._lock:
            self._cold = [process for process in self._cold if process.poll() is None]

    def close(self) -> None:
        """End the host. What it started lives on."""
        with self._lock:
            self._is_closed = True
            self._end_host()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            if self._is_closed:
                raise ExecutorError("The program is shutting down.")
            if self._host is None or self._host.poll() is not None:
                self._end_host()
                self._start_host()
            host, path = self._host, self._socket
            assert path is not None
        try:
            with _connect(host, path) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(_read_line(connection))
        except (OSError, ValueError):
            with self._lock:
                if self._host is host:  # else another launch has replaced it already
                    self._end_host()
            raise
        if not isinstance(answer, dict) or not ("error" in answer or isinstance(answer.get("pid"), int)):
            raise ValueError(f"the host answered {answer!r}")
        return answer

    def _start_host(self) -> None:
        self._socket = self._home / "host.sock"
        if len(os.fsencode(self._socket)) > MAX_SOCKET_PATH_BYTES:
            self._socket = Path(tempfile.mkdtemp(prefix="foresync-")) / "host.sock"
        with (self._home / "host.log").open("ab") as log:
            self._host = subprocess.Popen(
                [*self._command, "host", str(self._socket)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=worker_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is for us
            )

    def _end_host(self) -> None:
        if self._host is not None:
            assert self._host.stdin is not None
            with contextlib.suppress(OSError):
                self._host.stdin.close()
            try:
                self._host.wait(HOST_END_S)
            except subprocess.TimeoutExpired:
                self._host.kill()
                self._host.wait()
            self._host = None
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)
            if self._socket.parent != self._home:
                self._socket.parent.rmdir()
            self._socket = None

    def _launch_cold(self, directory: RunDirectory, is_resume: bool) -> psutil.Process | None:
        arguments = [*self._command, "run", str(directory.path), *(["--resume"] if is_resume else [])]
        try:
            with directory.log.open("ab") as log:
                process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=worker_environment(),
                    start_new_session=True,
                )
        except OSError as error:
            raise ExecutorError(f"{self._command[0]} cannot be executed: {error.strerror or error}.") from error
        with self._lock:
            self._cold.append(process)
        return _process(process.pid)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def worker_environment() -> dict[str, str]:
    """Give the environment of what trains: ours, without our secrets, one thread for each process."""
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return {**kept, "OMP_NUM_THREADS": "1"}


def _connect(host: subprocess.Popen[bytes] | None, path: Path) -> socket.socket:
    """Connect to the host as soon as it listens.

    Raises:
        OSError: it died, or does not listen in time.
    """
    deadline = time.monotonic() + WARM_UP_S
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
        else:
            return connection
        if host is None or host.poll() is not None:
            raise ConnectionError("the host is dead")
        if time.monotonic() > deadline:
            raise TimeoutError("the host does not answer")
        time.sleep(0.05)


def _read_line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_ANSWER_BYTES:
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the host hung up")
        line += part
    return line
