"""Processes that the coordinator forks: they inherit torch and the data, and never outlive it.

The coordinator has imported torch but computes nothing and has one thread, so that a fork is safe. A child is killed by
the kernel when the coordinator dies (PR_SET_PDEATHSIG), and ends by itself when its stream does (`workers.telemetry`).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import psutil

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_RECEIVE_BYTES = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(eq=False, slots=True)
class Child:
    """A process of the run, as its coordinator sees it."""

    node: str
    pid: int
    exit_fd: int  # becomes readable when the process has ended
    stream: socket.socket
    worker: int | None = None  # its number, if it is a worker
    may_exit: bool = False  # it was told to
    is_gone: bool = False
    killed_because: str = ""  # why the coordinator killed it, if it did
    torn: bytes = b""  # begin of a line of which the rest is still to come

    def receive(self) -> tuple[list[bytes], bool]:
        """Give the lines that have come, and whether the stream has ended. Never waits."""
        try:
            data = self.stream.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return [], False
        except ConnectionResetError:  # it died before it read all that it was told
            data = b""
        *lines, self.torn = (self.torn + data).split(b"\n")
        return lines, not data

    def drain(self) -> list[bytes]:
        """Give all lines that a dead process has left behind."""
        lines, is_ended = self.receive()
        while not is_ended:
            more, is_ended = self.receive()
            lines += more
        return lines

    def is_suspended(self) -> bool:
        """Tell whether a signal or a debugger holds the process."""
        return psutil.Process(self.pid).status() in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)

    def kill(self, because: str) -> None:
        """Kill it; its end is noticed as any other."""
        self.killed_because = self.killed_because or because
        signal.pidfd_send_signal(self.exit_fd, signal.SIGKILL)

    def reap(self) -> int:
        """Give the exit code of the ended process (negative: the signal), and free what it held."""
        _, status = os.waitpid(self.pid, 0)
        self.is_gone = True
        self.stream.close()
        os.close(self.exit_fd)
        return os.waitstatus_to_exitcode(status)


class Family:
    """All living children, and what they say."""

    def __init__(self, log: Path, on_line: Callable[[bytes], None], on_exit: Callable[[Child, int], None]) -> None:
        """Start without children.

        Args:
            log: file to which their standard output and error are appended.
            on_line: called with each complete line of a child's stream, in its order.
            on_exit: called with a child that has ended, after its last line, and its exit code.
        """
        self._log, self._on_line, self._on_exit = log, on_line, on_exit
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []

    def __len__(self) -> int:
        return len(self._children)

    def workers(self) -> list[Child]:
        return [child for child in self._children if child.worker is not None]

    def find(self, node: str) -> Child | None:
        return next((child for child in self._children if child.node == node), None)

    def start(self, node: str, body: Callable[[socket.socket], int], worker: int | None = None) -> Child:
        """Fork a child.

        Args:
            node: its name in events.
            body: what it does with its end of the stream; returns the exit code.
            worker: its number, if it is a worker.
        """
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _live(node, self._log, body, theirs, parent)
        theirs.close()
        ours.setblocking(False)
        child = Child(node, pid, os.pidfd_open(pid), ours, worker)
        self._children.append(child)
        self._selector.register(child.stream, selectors.EVENT_READ, partial(self._read, child))
        self._selector.register(child.exit_fd, selectors.EVENT_READ, partial(self._bury, child))
        return child

    def listen(self, pause_s: float) -> None:
        """Take in what the children say, or wait for it.

        The first child's end comes first: it is the server, whose death explains that of others.
        """
        first = self._children[0].exit_fd if self._children else None
        ready = [key for key, _ in self._selector.select(pause_s)]
        for key in sorted(ready, key=lambda key: key.fd != first):
            key.data()

    def tell(self, child: Child, command: str, **fields: object) -> None:
        """Give a child a command."""
        try:
            child.stream.send(json.dumps({"command": command, **fields}).encode() + b"\n")
        except BlockingIOError:
            child.kill("it takes no commands")
        except (BrokenPipeError, ConnectionResetError):
            return  # it is dead, which will be noticed

    def kill(self, because: str) -> None:
        """Kill all children; their ends are noticed as any other."""
        for child in self._children:
            child.kill(because)

    def wipe_out(self) -> None:
        """Kill all children and wait for their ends, without a look at what they had to say."""
        for child in self._children:
            child.kill("")
            child.reap()
        self._children.clear()

    def _read(self, child: Child) -> None:
        if child.is_gone:  # in the same turn
            return
        lines, is_ended = child.receive()
        for line in lines:
            self._on_line(line)
        if is_ended:  # its death is noticed by itself
            self._selector.unregister(child.stream)

    def _bury(self, child: Child) -> None:
        if child.is_gone:
            return
        for line in child.drain():
            self._on_line(line)
        if child.stream in self._selector.get_map():
            self._selector.unregister(child.stream)
        self._selector.unregister(child.exit_fd)
        self._children.remove(child)
        self._on_exit(child, child.reap())


def _live(node: str, log: Path, body: Callable[[socket.socket], int], stream: socket.socket, parent: int) -> NoReturn:
    exit_code = 1
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)
        _libc.prctl(_PR_SET_NAME, node.encode())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's affair
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        redirect(log)
        close_inherited(keep=stream.fileno())
        exit_code = body(stream)
    except BaseException:
        traceback.print_exc()
    finally:
        leave(exit_code)


def leave(exit_code: int) -> NoReturn:
    """End a forked process at once: torch's own teardown takes most of a second, and the code above is its parent's."""
    with contextlib.suppress(OSError):  # the disk is full, and nobody can be told
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)


def redirect(log: Path) -> None:
    """Let this process read nothing, and append what it prints to a file."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(number, target)
    os.close(nothing)
    os.close(output)


def close_inherited(keep: int = -1) -> None:
    """Close what a fork has inherited: the lock, the log, the streams of others. Standard streams stay.

    Python's objects around these descriptors stay alive in the frames above: none closes a number that is used anew.
    """
    inherited = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    for number in inherited:
        if number > 2 and number != keep:
            with contextlib.suppress(OSError):  # the one of the listing itself is closed by now
                os.close(number)


def describe_exit(exit_code: int) -> str:
    """Say how a process ended."""
    if exit_code < 0:
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}" + (" (log.txt may say why)" if exit_code else "")
