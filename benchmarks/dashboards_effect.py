"""Whether 20 open dashboards slow a training down: iteration times with and without them, in pairs.

    python -m benchmarks.dashboards_effect [--pairs 10] [--seconds 10] [--out benchmarks/results]

The training is real: two worker processes and a parameter server, started by a real server, at native speed, so that an
effect could show. They have one core to themselves; the server of the dashboards, a Chromium with the run's page, 19
clients on the same socket and this program share another one. Each pair is one run with and one without them, and every
other pair begins with the one without. Written: `dashboards_effect.md`. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.stream_browser import CHROMIUMS, FLAGS
from benchmarks.stream_clients import Client, following
from benchmarks.stream_server import ROOT, TOKEN, Server, serving
from predictor.events import Event, IterationFinished, RunFinished, WorkerReleased
from predictor.log import decode
from predictor.statistics import interval

NUM_WORKERS = 2
NUM_CLIENTS = 19
WARM_UP_S = 3.0  # after the first weights: the page has opened, the processes are warm
START_S = 120.0  # that a run may take beyond its seconds
ASKED = 0.01
# What trains begins on a core of its own; it is started as `PROGRAM CORE WORD ...`, and so are the processes it starts.
PIN = (
    "import os, runpy, sys; os.sched_setaffinity(0, {int(sys.argv.pop(1))}); "
    "runpy.run_module('workers', None, '__main__', True)"
)


@dataclass(frozen=True)
class Measured:
    """One run."""

    iteration_s: float  # mean over both workers: waiting and the server's work are part of it
    num_iterations: int
    num_seen: int  # events that the clients got, all together
    num_events: int  # of the log


@dataclass(frozen=True)
class Pair:
    watched: Measured
    alone: Measured

    @property
    def effect(self) -> float:
        """How much longer an iteration took with the dashboards, as a share."""
        return self.watched.iteration_s / self.alone.iteration_s - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="runs with and without dashboards (default: 10 of each)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of training in each run (default: 10)")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if options.pairs < 2:
        parser.error(f"--pairs must be >= 2, got {options.pairs}: one pair has no spread")
    if options.seconds < 2 * WARM_UP_S:
        parser.error(
            f"--seconds must be >= {2 * WARM_UP_S:g}, got {options.seconds:g}: the first {WARM_UP_S:g} are left out"
        )
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("two cores are needed: one for the training, one for the dashboards")
    place = machine()
    os.sched_setaffinity(0, {cores[1]})  # and so for all that is started from here
    with tempfile.TemporaryDirectory() as home, chromium() as page:
        command = (sys.executable, "-c", PIN, str(cores[0]))
        with serving(Path(home), free_port(), command) as server:
            carry_out(server, page, 2 * WARM_UP_S, is_watched=True)  # the first start reads more from the disk
            pairs = [one_pair(server, page, options.seconds, number) for number in range(options.pairs)]
    text = page_of(pairs, options.seconds, place, cores)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "dashboards_effect.md").write_text(text)
    print(text)


def one_pair(server: Server, page: Page, seconds: float, number: int) -> Pair:
    found: dict[bool, Measured] = {}
    for is_watched in (True, False) if number % 2 == 0 else (False, True):
        found[is_watched] = carry_out(server, page, seconds, is_watched=is_watched)
    pair = Pair(found[True], found[False])
    with_ms, without_ms = pair.watched.iteration_s * 1000, pair.alone.iteration_s * 1000
    print(f"pair {number + 1}: {with_ms:.3f} ms with, {without_ms:.3f} ms without, {pair.effect:+.2%}", flush=True)
    return pair


def carry_out(server: Server, page: Page, seconds: float, *, is_watched: bool) -> Measured:
    """Train once, with 20 dashboards or without any.

    Raises:
        RuntimeError: the run failed, or took far too long.
    """
    run_id = server.submit_spec(
        {
            "name": "dashboards",
            "task": {"model": "mlp", "dataset": "digits", "batch_size": 512},
            "cluster": {"num_workers": NUM_WORKERS},
            "policy": {"name": "ssp"},
            "speed": {"kind": "native"},
            "evaluate_every_s": 60,
            "checkpoint_every_s": 0,
            "stop": {"seconds": seconds},
        }
    )
    clients: list[Client] = []
    with contextlib.ExitStack() as stack:
        if is_watched:
            clients = stack.enter_context(following(server.port, run_id, NUM_CLIENTS))
            page.goto(f"http://127.0.0.1:{server.port}/runs/{run_id}?token={TOKEN}", wait_until="commit")
        wait_for_end(server, page, run_id, seconds)
    page.goto("about:blank")
    lines = server.log(run_id).splitlines()
    iteration_s, num_iterations = iteration_time([decode(line)[1] for line in lines])
    return Measured(iteration_s, num_iterations, sum(client.num_events for client in clients), len(lines))


def wait_for_end(server: Server, page: Page, run_id: str, seconds: float) -> None:
    until_s = time.monotonic() + seconds + START_S
    while (run := server.run(run_id))["state"] != "completed":
        if run["state"] in ("failed", "stopped") or time.monotonic() > until_s:
            raise RuntimeError(f"the run is {run['state']}: {run['reason']}")
        page.wait_for_timeout(500)  # the browser's messages are taken meanwhile


def iteration_time(events: Sequence[Event]) -> tuple[float, int]:
    """Give the mean seconds of an iteration after the warm-up, and the number of iterations that it stands for."""
    from_s = min(event.at_s for event in events if isinstance(event, WorkerReleased)) + WARM_UP_S
    end_s = next(event.at_s for event in events if isinstance(event, RunFinished))
    ends_s: dict[int, list[float]] = {}
    for event in events:
        if isinstance(event, IterationFinished) and from_s <= event.at_s <= end_s:
            ends_s.setdefault(event.worker, []).append(event.at_s)
    num = sum(len(times) - 1 for times in ends_s.values())
    return sum(times[-1] - times[0] for times in ends_s.values()) / num, num


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """Give an empty page of a real browser."""
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        raise RuntimeError("no Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser.new_page(viewport={"width": 1280, "height": 800})
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def page_of(pairs: Sequence[Pair], seconds: float, place: str, cores: Sequence[int]) -> str:
    """Give the report as Markdown; every figure is measured."""
    effects = [pair.effect for pair in pairs]
    low, high = interval(effects) or (float("nan"), float("nan"))
    num_lost = sum(NUM_CLIENTS * pair.watched.num_events - pair.watched.num_seen for pair in pairs)
    times_ms: dict[str, list[float]] = {
        "with": [pair.watched.iteration_s * 1000 for pair in pairs],
        "without": [pair.alone.iteration_s * 1000 for pair in pairs],
    }
    rows: list[tuple[str, Any, str]] = [
        ("longer with the dashboards, median of the pairs", f"{statistics.median(effects):+.2%}", f"< {ASKED:.0%}"),
        (
            "the same, mean with its 95% interval",
            f"{statistics.fmean(effects):+.2%} ({low:+.2%} to {high:+.2%})",
            "includes 0 or less",
        ),
        *(
            (f"iteration {name} them, median (ms)", f"{statistics.median(times):.3f}", "")
            for name, times in times_ms.items()
        ),
        (
            "iterations behind a mean, at the least",
            f"{min(min(one.alone.num_iterations, one.watched.num_iterations) for one in pairs):,}",
            "",
        ),
        ("events that a client missed", f"{num_lost:,}", "0"),
    ]
    head = [
        "# What 20 open dashboards cost a training (measured)",
        "",
        f"Command: `python -m benchmarks.dashboards_effect {' '.join(sys.argv[1:])}".rstrip() + "`.",
        f"{place}, load of the machine at the end {os.getloadavg()[0]:.1f}.",
        "",
        f"{len(pairs)} pairs of runs of {seconds:g} s, of which the first {WARM_UP_S:g} are left out: one with a",
        f"Chromium on the run's page and {NUM_CLIENTS} clients on its socket, one without; every other pair in the",
        f"other order. {NUM_WORKERS} workers and a parameter server at native speed (`ssp`, digits, 512 samples) on",
        f"core {cores[0]}; the server of the dashboards, the browser and the clients on core {cores[1]}. An iteration",
        "takes the time from one end to the next, with waiting and transfer.",
        "",
        "| figure | value | asked |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *(f"| {name} | {value} | {asked} |" for name, value, asked in rows)]) + "\n"


if __name__ == "__main__":
    main()
