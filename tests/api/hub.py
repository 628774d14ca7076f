"""A client of `WS /api/v1/live` that keeps of each run what a page would: its events, once and in order."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from backend.api import live_models
from tests.api.server import TOKEN, Server, check_model


class Hub:
    """What one page has been told, over one connection or several."""

    def __init__(self) -> None:
        self._connection: ClientConnection | None = None
        self.seqs: dict[str, list[int]] = {}
        self.states: dict[str, list[str]] = {}
        self.ended: list[str] = []
        self.gone: list[str] = []
        self.notices: list[dict[str, Any]] = []
        self.frames: list[tuple[str, str | None]] = []  # type and run of each, in order
        self.closed: tuple[int, str] | None = None

    def attach(self, connection: ClientConnection) -> None:
        """Go on over a new connection, from the cursors."""
        self._connection = connection
        self.closed = None

    @property
    def port(self) -> int:
        """Of this end of the connection."""
        assert self._connection is not None
        port: int = self._connection.socket.getsockname()[1]
        return port

    def say(self, **message: Any) -> None:
        assert self._connection is not None
        self._connection.send(json.dumps(message))

    def follow(self, *run_ids: str) -> None:
        """Subscribe to runs, each after the last event that has arrived."""
        for run_id in run_ids:
            seqs = self.seqs.setdefault(run_id, [])
            self.say(type="subscribe", run_id=run_id, after=seqs[-1] if seqs else 0)

    def read(self, until: Callable[[Hub], bool] = lambda _: False) -> None:
        """Read until the condition holds or the connection is closed."""
        assert self._connection is not None
        while not until(self):
            try:
                self.take(json.loads(self._connection.recv(timeout=30)))
            except ConnectionClosed as closed:
                self.closed = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
                return

    def take(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        run_id: str = frame.get("run_id")  # type: ignore[assignment]  # absent where it is not asked for
        self.frames.append((kind, run_id))
        if kind != "events":
            check_model(live_models.FRAMES[kind], frame)
        match kind:
            case "events":
                seqs = [event["seq"] for event in frame["events"]]
                assert seqs[-1] == frame["last_seq"]
                self.seqs[run_id] += seqs
            case "state":
                self.states.setdefault(run_id, []).append(frame["run"]["state"])
            case "end":
                self.ended.append(run_id)
            case "gone":
                self.gone.append(run_id)
            case "runs":
                self.notices.append(frame)

    def is_whole(self, run_id: str, last_seq: int) -> bool:
        """Tell whether every event up to one has arrived, once and in order."""
        return self.seqs[run_id] == list(range(1, last_seq + 1))


@contextlib.contextmanager
def opened(server: Server, hub: Hub | None = None, *, receive_bytes: int | None = None) -> Iterator[Hub]:
    """Connect inside the block.

    Args:
        server: where.
        hub: what goes on over this connection; a new one if not given.
        receive_bytes: of the kernel's buffer; a small one, so that a reader that sleeps is felt by the server.
    """
    hub = hub or Hub()
    plain = socket.socket()
    if receive_bytes is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plain.connect(("127.0.0.1", server.port))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{server.port}/api/v1/live"
    with connect(
        url,
        sock=plain,
        additional_headers=headers,
        compression="deflate",
        max_size=None,
        max_queue=1,
        ping_interval=None,
    ) as connection:
        assert connection.protocol.extensions == []  # offered, but not taken: it costs more than it saves
        hub.attach(connection)
        yield hub
