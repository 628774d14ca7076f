"""The stream between a process and its coordinator."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from predictor.events import MessageLogged, NodeSampled
from predictor.log import decode, with_seq
from tests.workers.live import HANG_S
from workers.clock import RunClock
from workers.telemetry import Telemetry

PROGRAM = """
import socket, sys, threading
from workers.clock import RunClock
from workers.telemetry import Telemetry
telemetry = Telemetry(socket.socket(fileno=int(sys.argv[1])), "worker-0", RunClock())
telemetry.listen(lambda command: telemetry.tell("heard", command=command))
threading.Event().wait()
"""


class Coordinator:
    """The other end, read by the test."""

    def __init__(self) -> None:
        self.stream, theirs = socket.socketpair()
        self.stream.settimeout(HANG_S)
        self.telemetry = Telemetry(theirs, "worker-0", RunClock())
        self._lines = self.stream.makefile("rb")

    def line(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self._lines.readline())
        return fields


@pytest.fixture
def other() -> Iterator[Coordinator]:
    coordinator = Coordinator()
    yield coordinator
    coordinator.telemetry.close()  # before the stream ends: a process without a coordinator would end


def message(number: int) -> MessageLogged:
    return MessageLogged(float(number), "worker-0", "info", "text")


def test_events_come_in_order_and_whole_from_many_threads(other: Coordinator) -> None:

    def emit(first: int) -> None:
        for number in range(first, first + 500):
            if number % 7:
                other.telemetry.emit(message(number))
            else:
                other.telemetry.emit_now([message(number), message(number)])

    lines: list[dict[str, Any]] = []

    def read() -> None:
        while not lines or "control" not in lines[-1]:
            lines.append(other.line())

    reader = threading.Thread(target=read)
    reader.start()
    threads = [threading.Thread(target=emit, args=(1000 * thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.telemetry.tell("end")
    reader.join(HANG_S)
    assert lines[-1] == {"control": "end"}
    seen = [int(fields["at_s"]) for fields in lines if fields.get("kind") == "MessageLogged"]
    for first in range(0, 4000, 1000):
        queued = [number for number in seen if first <= number < first + 1000 and number % 7]
        sent_at_once = [number for number in seen if first <= number < first + 1000 and not number % 7]
        assert queued == [number for number in range(first, first + 500) if number % 7]
        assert sent_at_once == [number for number in range(first, first + 500) if not number % 7 for _ in (1, 2)]


def test_what_is_queued_is_sent_at_the_end_with_a_last_sample(other: Coordinator) -> None:
    other.telemetry.traffic.sent_bytes = 12
    other.telemetry.emit(message(1))
    other.telemetry.close()
    other.stream.settimeout(0.0)
    lines = other.stream.recv(1 << 16).splitlines()
    events = [decode(with_seq(line, 1))[1] for line in lines]
    assert message(1) in events
    [sample] = [event for event in events if isinstance(event, NodeSampled)]
    assert (sample.node, sample.sent_bytes, sample.received_bytes) == ("worker-0", 12, 0)
    assert sample.memory_bytes > 1_000_000
    assert sample.cpu_share >= 0


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_process_without_a_coordinator_ends_at_once(is_busy: bool) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", PROGRAM, str(theirs.fileno())]
    orphan = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
    theirs.close()
    ours.sendall(b'{"command": "anything"}\n')
    ours.settimeout(HANG_S)
    assert b"heard" in ours.recv(4096)
    if is_busy:
        ours.sendall(b'{"command": "any')
    ours.close()
    _, said = orphan.communicate(timeout=HANG_S)
    assert orphan.returncode == 1
    assert said.endswith("worker-0: the coordinator is gone, ending\n") or is_busy
