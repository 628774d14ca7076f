"""A warm host: torch is imported, nothing is computed, and each request forks the coordinator of a run.

    request  {"run_dir": "/abs/path", "resume": false}
    answer   {"pid": 123}  or  {"error": "sentence"}

One JSON line each over a UNIX socket that only its owner may use. A coordinator lives in a session of its own and
outlives the host, which ends when its standard input does: then whoever started it is gone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from workers.coordinator import process
from workers.coordinator.children import close_inherited, leave, redirect
from workers.coordinator.directory import RunDirectory
from workers.errors import RunDirectoryError, WorkersError

_REQUEST_TIMEOUT_S = 5.0
_MAX_REQUEST_BYTES = 1 << 16


def main(path: Path) -> int:
    """Serve requests until standard input ends; return the exit code."""
    try:
        listener = _listen(path)
    except (OSError, WorkersError) as error:
        print(f"the host cannot listen on {path}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    # Whoever started the host stops it by closing its input; Ctrl-C in their terminal is not meant for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    gc.freeze()  # what is imported stays shared with the children: their collector does not touch it
    with listener, selectors.PollSelector() as selector:  # unlike epoll, it takes whatever standard input is
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if sys.stdin in ready and not os.read(sys.stdin.fileno(), 4096):
                break
            if listener in ready:
                _serve(listener)
    path.unlink(missing_ok=True)
    return 0


def _listen(path: Path) -> socket.socket:
    """Listen on the path; a socket that a dead host has left there is replaced.

    Raises:
        OSError: it cannot be listened on.
        WorkersError: another host does already.
    """
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(ConnectionRefusedError):
            probe.connect(str(path))
            raise WorkersError("another host listens there already")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen()
    return listener


def _serve(listener: socket.socket) -> None:
    """Answer one request; nobody else is served meanwhile, which takes milliseconds."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(_REQUEST_TIMEOUT_S)
        try:
            with connection.makefile("rb") as lines:
                line = lines.readline(_MAX_REQUEST_BYTES)
            answer: dict[str, object] = {"pid": _start(line)}
        except (OSError, WorkersError) as error:
            answer = {"error": str(error)}
        with contextlib.suppress(OSError):  # it does not want to know any more
            connection.sendall(json.dumps(answer).encode() + b"\n")


def _start(line: bytes) -> int:
    """Fork the coordinator that a request asks for and return its process id.

    Raises:
        WorkersError: the request cannot be understood, or its directory cannot be used.
    """
    try:
        request = json.loads(line)
        run_dir, is_resume = Path(request["run_dir"]), bool(request.get("resume", False))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkersError(f"a request must be a line of JSON with run_dir and resume, got {line[:120]!r}") from error
    if not run_dir.is_absolute():
        raise RunDirectoryError(f"run_dir must be an absolute path, got {str(run_dir)!r}")
    directory = RunDirectory(run_dir)
    directory.read_spec()
    pid = os.fork()
    if pid == 0:
        _coordinate(directory, is_resume)
    return pid


def _coordinate(directory: RunDirectory, is_resume: bool) -> NoReturn:
    exit_code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        redirect(directory.log)
        close_inherited()
        exit_code = process.main(directory.path, is_resume)
    except BaseException:
        traceback.print_exc()
    finally:
        leave(exit_code)


def _reap(*_: object) -> None:
    """Take note of coordinators that have ended, so that none stays behind as a zombie."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
