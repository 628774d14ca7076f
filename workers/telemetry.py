"""The stream between a process of a run and its coordinator: events up, commands down.

A UNIX stream socket of JSON lines. Upwards an event is `{"kind": ...}` (`predictor.log.encode`), anything else that
the coordinator is told is `{"control": ...}`; downwards a command is `{"command": ...}`. Nothing of this travels on the
transport, so that watching does not disturb what is watched.

The end of the stream means that the coordinator is dead. A process without a coordinator is an orphan and ends at once.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from predictor.events import Event, MessageLogged, NodeSampled
from predictor.log import encode
from workers.clock import RunClock

FLUSH_EVERY_S = 0.05
SAMPLE_EVERY_S = 1.0
MAX_QUEUED = 50_000  # events; beyond, whoever emits waits for the coordinator

Command = dict[str, Any]


@dataclass(slots=True)
class Traffic:
    """Payload of weights and deltas so far, in bytes."""

    sent_bytes: int = 0
    received_bytes: int = 0


class Telemetry:
    """A process's end of the stream. `emit` costs its caller a few microseconds; a thread does the rest."""

    def __init__(self, stream: socket.socket, node: str, clock: RunClock) -> None:
        """Start to send.

        Args:
            stream: connected to the coordinator, blocking.
            node: name of this process in its events.
            clock: of the run.
        """
        self.traffic = Traffic()
        self._stream, self._node, self._clock = stream, node, clock
        self._queue: list[Event] = []
        self._changed = threading.Condition()  # of the queue
        self._writing = threading.Lock()  # of the stream: lines of two threads must not mix
        self._is_closed = False
        self._process = psutil.Process()
        self._sampled_at_s = clock.now_s()
        self._cpu_s = self._used_cpu_s()
        self._flusher = threading.Thread(target=self._flush_for_ever, name="telemetry", daemon=True)
        self._flusher.start()

    def listen(self, obey: Callable[[Command], None]) -> None:
        """Call `obey` with each command, in a thread of its own."""
        threading.Thread(target=self._read, args=(obey,), name="commands", daemon=True).start()

    def emit(self, event: Event) -> None:
        """Hand an event in; it is sent within `FLUSH_EVERY_S`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._queue) < MAX_QUEUED)
            self._queue.append(event)

    def emit_now(self, events: Sequence[Event]) -> None:
        """Send events, in one piece, and return when they are in the coordinator's socket."""
        self._send(b"".join(encode(event) + b"\n" for event in events))

    def log(self, level: Any, text: str) -> None:
        """Say a sentence to the user."""
        self.emit(MessageLogged(self._clock.now_s(), self._node, level, text))

    def tell(self, control: str, **fields: object) -> None:
        """Tell the coordinator something that is no event, after all events so far."""
        self._flush()
        self._send(json.dumps({"control": control, **fields}).encode() + b"\n")

    def close(self) -> None:
        """Send what is queued and stop; the stream stays open until the process ends."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._flusher.join()

    def _flush_for_ever(self) -> None:
        is_closed = False
        while not is_closed:
            with self._changed:
                is_closed = self._changed.wait_for(lambda: self._is_closed, timeout=FLUSH_EVERY_S)
            if is_closed or self._clock.now_s() - self._sampled_at_s >= SAMPLE_EVERY_S:
                self._sample()
            self._flush()

    def _flush(self) -> None:
        with self._writing:  # held over both steps, so that two flushes keep the order of the queue
            with self._changed:
                events, self._queue = self._queue, []
                self._changed.notify_all()
            if events:
                self._write(b"".join(encode(event) + b"\n" for event in events))

    def _send(self, data: bytes) -> None:
        with self._writing:
            self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            self._stream.sendall(data)
        except OSError:
            _end_as_orphan(self._node)

    def _sample(self) -> None:
        now_s, cpu_s = self._clock.now_s(), self._used_cpu_s()
        sample = NodeSampled(
            now_s,
            self._node,
            (cpu_s - self._cpu_s) / max(now_s - self._sampled_at_s, 1e-3),
            self._process.memory_info().rss,
            self.traffic.sent_bytes,
            self.traffic.received_bytes,
        )
        with self._changed:  # not `emit`, which would wait for this very thread when the queue is full
            self._queue.append(sample)
        self._sampled_at_s, self._cpu_s = now_s, cpu_s

    def _used_cpu_s(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def _read(self, obey: Callable[[Command], None]) -> None:
        with self._stream.makefile("rb") as lines:
            for line in lines:
                obey(json.loads(line))
        _end_as_orphan(self._node)


def _end_as_orphan(node: str) -> None:
    """End this process: nobody is there to stop it later, or to store what it would do."""
    print(f"{node}: the coordinator is gone, ending", file=sys.stderr, flush=True)  # noqa: T201 (goes to log.txt)
    os._exit(1)
