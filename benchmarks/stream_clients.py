"""Clients of the live stream for measurements, in a process of their own, so that their work is not the server's.

They look at each frame as text: its first and last seq and how many events lie between. So a client costs little, and
an event that is lost, doubled or out of order still shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benchmarks.stream_server import HEADERS

FIRST = re.compile(r'"events":\[\{"seq":(\d+),')
LAST = re.compile(r'"last_seq":(\d+)\}$')


@dataclass
class Client:
    """What one client has seen of one run."""

    run_id: str
    cursor: int = 0
    num_events: int = 0
    num_wrong: int = 0  # frames that do not follow on the one before, or that hold another number of events
    has_ended: bool = False
    num_connections: int = 0
    arrivals_s: list[float] = field(default_factory=list)  # of frames with events

    def take(self, text: str) -> None:
        if text.startswith('{"type":"events"'):
            first, last = FIRST.search(text, 0, 200), LAST.search(text, len(text) - 40)
            assert first is not None
            assert last is not None
            num = text.count('{"seq":')
            self.num_wrong += int(first[1]) != self.cursor + 1 or int(last[1]) != self.cursor + num
            self.cursor = int(last[1])
            self.num_events += num
            self.arrivals_s.append(time.monotonic())
        elif text.startswith('{"type":"end"'):
            self.has_ended = True


async def open_stream(port: int, client: Client) -> ClientConnection:
    """Connect, and subscribe at the cursor."""
    url = f"ws://127.0.0.1:{port}/api/v1/live"
    connection = await connect(url, additional_headers=HEADERS, compression=None, max_size=None, ping_interval=None)
    client.num_connections += 1
    await connection.send(json.dumps({"type": "subscribe", "run_id": client.run_id, "after": client.cursor}))
    return connection


async def follow(port: int, client: Client) -> None:
    """Follow a run to its end, again after every loss."""
    while not client.has_ended:
        try:
            connection = await open_stream(port, client)
            try:
                while not client.has_ended:
                    client.take(str(await connection.recv()))
            finally:
                await connection.close()
        except (OSError, ConnectionClosed, TimeoutError):
            await asyncio.sleep(0.05)


def follow_all(port: int, run_id: str, num: int, answers: Any) -> None:
    async def run() -> list[Client]:
        clients = [Client(run_id) for _ in range(num)]
        await asyncio.gather(*(follow(port, client) for client in clients))
        return clients

    answers.put(asyncio.run(run()))


@contextlib.contextmanager
def following(port: int, run_id: str, num: int) -> Iterator[list[Client]]:
    """Follow a run in another process inside the block; the list is filled at its end, when the run has ended."""
    found: list[Client] = []
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=follow_all, args=(port, run_id, num, answers))
    process.start()
    try:
        yield found
        found += answers.get(timeout=300)
    finally:
        process.kill()
        process.join()


class Audience:
    """Clients in another process that come and go together, each time from a given event on."""

    def __init__(self, orders: Any) -> None:
        self._orders = orders

    def open(self, after: int) -> None:
        self._orders.send(after)

    def close(self) -> None:
        """Return when the last one has gone."""
        self._orders.send(None)
        self._orders.recv()

    def num_wrong(self) -> int:
        """Give how many frames did not follow on the one before, over all of them."""
        self._orders.send("wrong")
        return int(self._orders.recv())


@contextlib.contextmanager
def audience(port: int, run_id: str, num: int) -> Iterator[Audience]:
    """Have clients at hand inside the block; none is connected at first."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=come_and_go, args=(port, run_id, num, there), daemon=True)
    process.start()
    try:
        yield Audience(here)
    finally:
        process.kill()
        process.join()


def come_and_go(port: int, run_id: str, num: int, orders: Any) -> None:
    async def run() -> None:
        clients: list[Client] = []
        num_wrong = 0
        while True:
            order = await asyncio.to_thread(orders.recv)
            if order == "wrong":
                orders.send(num_wrong)
                continue
            clients = [Client(run_id, cursor=order) for _ in range(num)]
            following = [asyncio.create_task(follow(port, client)) for client in clients]
            await asyncio.to_thread(orders.recv)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
            num_wrong += sum(client.num_wrong for client in clients)
            orders.send(None)

    asyncio.run(run())


def open_stalled(port: int, run_id: str) -> socket.socket:
    """Open a socket as a browser does, subscribe to the whole run, and never read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", port))
    head = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c3RhbGxlZCByZWFkZXIuLg==",
        **HEADERS,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    plain.sendall(f"GET /api/v1/live HTTP/1.1\r\n{lines}\r\n".encode())
    while not plain.recv(4096).endswith(b"\r\n\r\n"):
        pass
    message = json.dumps({"type": "subscribe", "run_id": run_id, "after": 0}).encode()
    plain.sendall(bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)  # a mask of zeros leaves it as it is
    return plain


def longest_gap_s(arrivals_s: list[float]) -> float:
    """Give the longest time between two frames."""
    return max((later - earlier for earlier, later in itertools.pairwise(arrivals_s)), default=0.0)
