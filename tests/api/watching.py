"""A client of the live stream that notes what it was sent."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.api.server import TOKEN, Server


class Watcher:
    """Frames of one connection, in order, and how it was closed."""

    def __init__(self, connection: ClientConnection, after: int = 0) -> None:
        self._connection = connection
        self.frames: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.last_seq = after
        self.code: int | None = None

    def read(self, until: Callable[[Watcher], bool] = lambda _: False) -> None:
        """Read until the condition holds or the connection is closed."""
        while not until(self):
            try:
                self.take(json.loads(self._connection.recv(timeout=30)))
            except ConnectionClosed as closed:
                self.code = closed.rcvd.code if closed.rcvd else None
                return

    def take(self, frame: dict[str, Any]) -> None:
        states = [one for one in self.frames if one["type"] == "state"]
        assert states[-1:] != [frame], "a state that has not changed was sent again"
        self.frames.append(frame)
        if frame["type"] == "events":
            self.events += frame["events"]
            self.last_seq = frame["last_seq"]
            assert frame["events"][-1]["seq"] == self.last_seq

    @property
    def seqs(self) -> list[int]:
        return [event["seq"] for event in self.events]

    @property
    def states(self) -> list[str]:
        return [frame["run"]["state"] for frame in self.frames if frame["type"] == "state"]


@contextlib.contextmanager
def watching(
    server: Server, run_id: str, after: int | None = None, *, receive_bytes: int | None = None
) -> Iterator[Watcher]:
    """Watch a run inside the block.

    Args:
        server: where.
        run_id: which run.
        after: the cursor.
        receive_bytes: of the kernel's buffer; a small one, so that a reader that sleeps is felt by the server.
    """
    plain = socket.socket()
    if receive_bytes is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plain.connect(("127.0.0.1", server.port))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = server.live_url(run_id, after)
    with connect(
        url, sock=plain, additional_headers=headers, compression=None, max_size=None, max_queue=1, ping_interval=None
    ) as connection:
        yield Watcher(connection, after or 0)


def watch_to_the_end(server: Server, run_id: str, after: int | None = None) -> Watcher:
    """Watch a run until the server closes the connection."""
    with watching(server, run_id, after) as watcher:
        watcher.read()
    return watcher


@contextlib.contextmanager
def watching_aside(server: Server, run_id: str) -> Iterator[Watcher]:
    """Watch a run in a thread; after the block the connection has been read to its end."""
    with watching(server, run_id) as watcher:
        thread = threading.Thread(target=watcher.read)
        thread.start()
        yield watcher
        thread.join()
