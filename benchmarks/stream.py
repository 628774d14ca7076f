"""Measure the live stream: from a worker's event to the painted pixel, what it costs, and that it loses nothing.

    python -m benchmarks.stream [--short] [--parts a,b,c,d] [--repetitions 3] [--out benchmarks/results]

(a) 8 workers, 50 events a second each, one page in a real Chromium: the time from the writing of an event into the
    run's log to the painting of the frame that shows it.
(b) 64 workers, 10,000 events a second together, 20 clients: CPU seconds of the server per second, events lost.
(c) 1,000 random disconnects, and 20 kills of the server (SIGKILL), while a run writes: events lost, doubled or
    reordered in what the client holds, compared with the log itself.
(d) 20 clients that never read: the longest gap in what a healthy client gets, and the server's memory for each.

The server, the runs (`stream_player`) and the clients are processes of their own. Written: `stream.md`. Nothing else
should run on the machine; `--short` is for a look.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
import random
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from websockets.exceptions import ConnectionClosed

from benchmarks.stream_browser import measure_painting
from benchmarks.stream_clients import Client, following, longest_gap_s, open_stalled, open_stream
from benchmarks.stream_server import ROOT, Server, serving

NUM_STALLED = 20
NUM_PAGES = 20
SETTLE_S = 4.0  # the stalled clients' buffers fill; less than the server's patience with them
PARTS = "abcd"


@dataclass(frozen=True)
class Sizes:
    """How much is done."""

    watch_s: float  # of (a) and (b)
    num_breaks: int
    num_kills: int
    stalled_s: float


FULL = Sizes(watch_s=30, num_breaks=1000, num_kills=20, stalled_s=20)
SHORT = Sizes(watch_s=10, num_breaks=150, num_kills=4, stalled_s=12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a fraction of everything")
    parser.add_argument("--parts", default=",".join(PARTS), help="which of a, b, c, d")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--note", default="", help="a sentence for the report, e.g. on what else ran")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    wanted = options.parts.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"parts must be of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    sizes = SHORT if options.short else FULL
    rows: list[str] = []
    for part in wanted:
        found = [_in_fresh_home(PART[part], sizes) for _ in range(options.repetitions)]
        for line in zip(*found, strict=True):
            rows.append(row(part, list(line)))
            print(rows[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "stream.md").write_text(report(rows, sizes, options.repetitions, options.note))


@dataclass(frozen=True)
class Figure:
    """One number of one repetition."""

    name: str
    value: float
    wish: str = ""


def _in_fresh_home(part: Callable[[Server, Sizes], list[Figure]], sizes: Sizes) -> list[Figure]:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home, serving(Path(home), port) as server:
        return part(server, sizes)


def paint(server: Server, sizes: Sizes) -> list[Figure]:
    run_id = server.submit(f"stamped nodes=8 rate=400 seconds={sizes.watch_s + 30:g}", 8)
    server.wait_for_events(run_id, 100)
    latencies_ms = measure_painting(server, run_id, sizes.watch_s)
    return [
        Figure("iterations seen", len(latencies_ms)),
        Figure("written to painted, median (ms)", float(np.quantile(latencies_ms, 0.5)), "<= 100"),
        Figure("written to painted, 99% (ms)", float(np.quantile(latencies_ms, 0.99)), "<= 250"),
    ]


def flood(server: Server, sizes: Sizes) -> list[Figure]:
    run_id = server.submit(f"replay nodes=64 rate=10000 seconds={sizes.watch_s:g}", 64)
    with following(server.port, run_id, NUM_PAGES) as clients:
        server.wait_for_events(run_id, 5000)
        begun_cpu_s, begun_s, begun_seq = server.cpu_s(), time.monotonic(), server.run(run_id)["last_seq"]
        while server.run(run_id)["state"] != "completed":
            time.sleep(0.5)
        cpu_s, took_s = server.cpu_s() - begun_cpu_s, time.monotonic() - begun_s
        num_stored = server.run(run_id)["last_seq"] - begun_seq
    num_written = server.log(run_id).count(b"\n")
    num_missing = sum(num_written - client.num_events for client in clients)
    return [
        Figure("events stored per second", num_stored / took_s, "10,000 are written"),
        Figure("CPU seconds of the server per second", cpu_s / took_s, "<= 1"),
        Figure("CPU seconds of the server per 10,000 events", cpu_s / num_stored * 10_000),
        Figure("events missing at a client", num_missing, "0"),
        Figure("frames that do not follow", sum(client.num_wrong for client in clients), "0"),
    ]


def break_off(server: Server, sizes: Sizes) -> list[Figure]:
    """Break the client's connection and kill the server again and again while a run writes."""
    lasts_s = 0.5 * sizes.num_breaks + 20 * sizes.num_kills  # longer than all of this takes
    run_id = server.submit(f"replay nodes=8 rate=800 seconds={lasts_s:g}", 8)
    server.wait_for_events(run_id, 100)
    source = random.Random(1)
    held = Holder(run_id)
    kills = set(source.sample(range(1, sizes.num_breaks), sizes.num_kills))
    asyncio.run(held.suffer(server, sizes.num_breaks, kills, source))
    log = [json.loads(line) for line in server.log(run_id).splitlines()[: len(held.events)]]
    seqs = [event["seq"] for event in held.events]
    return [
        Figure("disconnects", sizes.num_breaks),
        Figure("kills of the server", sizes.num_kills),
        Figure("events held at the end", len(seqs)),
        Figure("events lost, doubled or reordered", sum(a != b for a, b in enumerate(seqs, 1)), "0"),
        Figure("events that differ from the log", sum(a != b for a, b in zip(held.events, log, strict=True)), "0"),
    ]


class Holder:
    """A client that keeps every event and goes on at its cursor, as the page does."""

    def __init__(self, run_id: str) -> None:
        self._client = Client(run_id)
        self.events: list[dict[str, object]] = []

    async def suffer(self, server: Server, num_breaks: int, kills: set[int], source: random.Random) -> None:
        for number in range(num_breaks):
            with suppress(OSError, ConnectionClosed, TimeoutError):
                connection = await open_stream(server.port, self._client)
                async with asyncio.timeout(source.uniform(0.0, 0.2)):
                    while True:
                        self._take(str(await connection.recv()))
            if number in kills:
                server.kill()
                server.start()
            connection.transport.abort()
        connection = await open_stream(server.port, self._client)
        begun_s = time.monotonic()
        while time.monotonic() < begun_s + 2:  # what came meanwhile
            self._take(str(await connection.recv()))
        connection.transport.abort()

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["type"] == "events":
            self.events += frame["events"]
            self._client.cursor = frame["last_seq"]


def stall(server: Server, sizes: Sizes) -> list[Figure]:
    run_id = server.submit(f"replay nodes=8 rate=2000 seconds={3 * sizes.stalled_s:g}", 8)
    with following(server.port, run_id, 1) as clients:
        server.wait_for_events(run_id, int(2000 * sizes.stalled_s))
        growth_bytes = -server.memory_bytes()
        time.sleep(SETTLE_S)
        growth_bytes += server.memory_bytes()  # of the run itself, in as long a time
        begun_s = time.monotonic()
        stalled = _stalled(server, run_id)  # bears also what is needed once, for any number of them
        before_bytes = server.memory_bytes()
        stalled += _stalled(server, run_id)
        held_bytes = server.memory_bytes() - before_bytes - max(0, growth_bytes)
        while server.run(run_id)["state"] != "completed":
            time.sleep(0.2)
        ended_s = time.monotonic()
        for plain in stalled:
            plain.close()
    [healthy] = clients
    arrivals_s = [one for one in healthy.arrivals_s if begun_s <= one <= ended_s]
    return [
        Figure("frames at the healthy client", len(arrivals_s)),
        Figure("longest gap at the healthy client (ms)", longest_gap_s(arrivals_s) * 1000, "<= 150"),
        Figure("memory of the server for each stalled client (KiB)", held_bytes / NUM_STALLED / 1024, "<= 256"),
        Figure("frames that do not follow", healthy.num_wrong, "0"),
    ]


def _stalled(server: Server, run_id: str) -> list[socket.socket]:
    """Open the clients that never read, and wait until they have stalled."""
    stalled = [open_stalled(server.port, run_id) for _ in range(NUM_STALLED)]
    time.sleep(SETTLE_S)
    return stalled


PART: dict[str, Callable[[Server, Sizes], list[Figure]]] = {"a": paint, "b": flood, "c": break_off, "d": stall}


def row(part: str, found: list[Figure]) -> str:
    """Give one line: median of the repetitions, with the least and the largest."""
    values = sorted(one.value for one in found)
    shown = [f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}" for value in values]
    middle = median(values)
    middle_shown = f"{middle:,.0f}" if abs(middle) >= 100 or middle == int(middle) else f"{middle:.2f}"
    return f"| {part} | {found[0].name} | {middle_shown} ({shown[0]} to {shown[-1]}) | {found[0].wish} |"


def report(rows: list[str], sizes: Sizes, num_repetitions: int, note: str) -> str:
    """Give the report as Markdown."""
    cores = len(os.sched_getaffinity(0))
    head = [
        "# The live stream (measured)",
        "",
        f"Command: `python -m benchmarks.stream {' '.join(sys.argv[1:])}`.",
        f"{datetime.date.today().isoformat()}, {cores} cores {platform.machine()}, Python {platform.python_version()}, "
        f"load of the machine at the end {os.getloadavg()[0]:.1f}.{' ' + note if note else ''}",
        "",
        f"Of each figure the median of {num_repetitions} repetitions (least to largest).",
        "",
        f"* (a) 8 workers, 400 events a second, one page in Chromium for {sizes.watch_s:g} s; the time runs from the",
        "  writing of an event into the log to the end of the frame in which the page has drawn it.",
        f"* (b) 64 workers, {NUM_PAGES} clients, {sizes.watch_s:g} s.",
        f"* (c) one client, whose connection breaks {sizes.num_breaks:,} times; the server is killed {sizes.num_kills}",
        "  times. What the client holds is compared with the log.",
        f"* (d) {NUM_STALLED} clients that never read, then {NUM_STALLED} more, beside a healthy one. The memory is",
        "  what the server's resident memory grows by with the second ones, less what it grew by without any.",
        "",
        "| part | figure | value | asked |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    main()
