"""Whether 20 open dashboards slow a training down: iteration times with and without them, in pairs inside one run.

    python -m benchmarks.dashboards_effect [--pairs 10] [--native-pairs 40] [--control-pairs 20] [--out ...]

The training is real: worker processes and a parameter server, started by a real server. They have one core to
themselves; the server of the dashboards, a Chromium with the run's page, 19 clients on the same socket and this program
share another one. While the run goes on, the dashboards are opened and closed in turns; opening them counts.

Twice: with emulated durations, as experiments are run, and at native speed, where the processes fill their core and
each microsecond that something takes from them shows. How fast a core of a virtual machine is changes with what its
host does, by far more than 1% within seconds. So at native speed a small program on the training's core does the same
computation again and again, and iterations are given in its CPU seconds as well. And cores share a cache and a way to
the memory. So native speed is looked at with the 19 clients alone as well, and with a program that has nothing to do
with a dashboard in their place: it copies 64 MiB of memory to and fro.

Written: `dashboards_effect.md`. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.stream_browser import CHROMIUMS, FLAGS
from benchmarks.stream_clients import Audience, audience
from benchmarks.stream_server import ROOT, TOKEN, Server, serving
from predictor.events import IterationFinished, RunStarted
from predictor.log import decode
from predictor.statistics import median_interval

NUM_CLIENTS = 19
SETTLE_S = 1.0  # after a change of the dashboards; the opening itself is not left out, only what was closed before
WARM_UP_S = 5.0
EMULATED_TURN_S, NATIVE_TURN_S = 6.0, 3.0
COPIED_BYTES = 2**26
ASKED = 0.01
# What trains begins on a core of its own; it is started as `PROGRAM CORE WORD ...`, and so are the processes it starts.
PIN = (
    "import os, runpy, sys; os.sched_setaffinity(0, {int(sys.argv.pop(1))}); "
    "runpy.run_module('workers', None, '__main__', True)"
)
TASK = {"model": "mlp", "dataset": "digits"}
EMULATED = {
    "name": "emulated",
    "task": {**TASK, "batch_size": 64},
    "cluster": {"num_workers": 8},
    "speed": {"kind": "lognormal", "base_s": 0.04, "cv": 0.0, "factors": [1, 1, 1, 1, 1, 1, 1, 2]},
    "transfer": {"transfer_s": 0.01},
}
NATIVE = {
    "name": "native",
    "task": {**TASK, "batch_size": 512},
    "cluster": {"num_workers": 2},
    "speed": {"kind": "native"},
}
DASHBOARDS = ("clients", "page")
Window = tuple[float, float]  # by the wall clock


@dataclass(frozen=True)
class Plan:
    spec: dict[str, Any]
    num_pairs: int
    turn_s: float
    beside: tuple[str, ...] = DASHBOARDS


@dataclass(frozen=True)
class Company:
    """What is opened and closed beside a training."""

    server: Server
    page: Page
    clients: Audience
    copying: Any  # an event: set while memory is to be copied
    chosen: tuple[str, ...]

    def open(self, run_id: str) -> None:
        """Open what was chosen."""
        if "clients" in self.chosen:
            self.clients.open(after=self.server.run(run_id)["last_seq"])
        if "page" in self.chosen:
            address = f"http://127.0.0.1:{self.server.port}/runs/{run_id}?token={TOKEN}"
            self.page.goto(address, wait_until="commit")
        if "copying" in self.chosen:
            self.copying.set()

    def close(self) -> None:
        """Close all; return when the last client has gone."""
        if "clients" in self.chosen:
            self.clients.close()
        self.page.goto("about:blank")
        self.copying.clear()


@dataclass(frozen=True)
class Pair:
    watched: Window
    alone: Window


@dataclass(frozen=True)
class Part:
    """What one run showed; times with and without dashboards of each pair, in seconds."""

    iterations_s: list[tuple[float, float]]
    probes_s: list[tuple[float, float]]  # of the computation beside the training; empty without it
    num_iterations: int  # behind a mean, at the least
    num_wrong: int  # frames that a client missed, or got twice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="with emulated durations (default: 10, of 2 x 6 s)")
    parser.add_argument("--native-pairs", type=int, default=40, help="at native speed (default: 40, of 2 x 3 s)")
    parser.add_argument("--control-pairs", type=int, default=20, help="of either control (default: 20, of 2 x 3 s)")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    if min(options.pairs, options.native_pairs, options.control_pairs) < 2:
        parser.error("one pair has no spread: --pairs, --native-pairs and --control-pairs must be >= 2")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("two cores are needed: one for the training, one for the dashboards")
    place = machine()
    os.sched_setaffinity(0, {cores[1]})  # and so for all that is started from here
    with tempfile.TemporaryDirectory() as home, chromium() as page:
        command = (sys.executable, "-c", PIN, str(cores[0]))
        with serving(Path(home), free_port(), command) as server:
            emulated = carry_out(server, page, Plan(EMULATED, options.pairs, EMULATED_TURN_S))
            native = []
            for beside, num_pairs in (
                (DASHBOARDS, options.native_pairs),
                (("clients",), options.control_pairs),
                (("copying",), options.control_pairs),
            ):
                with probing(cores[0], Path(home) / "probe.txt") as probes:
                    plan = Plan(NATIVE, num_pairs, NATIVE_TURN_S, beside)
                    native.append(carry_out(server, page, plan, probes))
    text = page_of(emulated, native, place, cores)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "dashboards_effect.md").write_text(text)
    print(text)


def carry_out(server: Server, page: Page, plan: Plan, probes: Path | None = None) -> Part:
    """Train, and open and close the dashboards meanwhile.

    Raises:
        RuntimeError: the run does not start, or ended before all pairs were done.
    """
    rest = {"policy": {"name": "ssp"}, "evaluate_every_s": 300, "checkpoint_every_s": 0}
    at_most_s = 60 + 2 * plan.num_pairs * (plan.turn_s + 4 * SETTLE_S)
    run_id = server.submit_spec({**plan.spec, **rest, "stop": {"seconds": at_most_s}})
    wait_for(server, page, run_id, "running")
    page.wait_for_timeout(WARM_UP_S * 1000)
    with audience(server.port, run_id, NUM_CLIENTS) as clients, copier() as copying:
        company = Company(server, page, clients, copying, plan.beside)
        turn(page, company, run_id, plan.turn_s, is_watched=True)  # the first opening reads more from the disk
        pairs = []
        for number in range(plan.num_pairs):
            turns = (True, False) if number % 2 == 0 else (False, True)
            windows = {
                is_watched: turn(page, company, run_id, plan.turn_s, is_watched=is_watched) for is_watched in turns
            }
            pairs.append(Pair(windows[True], windows[False]))
        if server.run(run_id)["state"] != "running":
            raise RuntimeError("the run has ended before the pairs were done")
        server.http.post(f"/runs/{run_id}/stop").raise_for_status()
        wait_for(server, page, run_id, "stopped")
        num_wrong = clients.num_wrong()
    return part_of(server.log(run_id).splitlines(), pairs, probes, num_wrong)


def turn(page: Page, company: Company, run_id: str, turn_s: float, *, is_watched: bool) -> Window:
    """Let the training go on for a while, in company or alone, and say from when to when."""
    page.wait_for_timeout(SETTLE_S * 1000)
    from_s = time.time()
    if is_watched:
        company.open(run_id)
    page.wait_for_timeout((from_s + turn_s - time.time()) * 1000)
    to_s = time.time()
    if is_watched:
        company.close()
    return from_s, to_s


def wait_for(server: Server, page: Page, run_id: str, state: str) -> None:
    until_s = time.monotonic() + 120
    while (run := server.run(run_id))["state"] != state:
        if run["state"] == "failed" or time.monotonic() > until_s:
            raise RuntimeError(f"the run is {run['state']}: {run['reason']}")
        page.wait_for_timeout(200)  # the browser's messages are taken meanwhile


def part_of(lines: Sequence[bytes], pairs: Sequence[Pair], probes: Path | None, num_wrong: int) -> Part:
    events = [decode(line)[1] for line in lines]
    start = next(event for event in events if isinstance(event, RunStarted))
    ends_s: dict[int, list[float]] = {}
    for event in events:
        if isinstance(event, IterationFinished):
            ends_s.setdefault(event.worker, []).append(start.wall_time_s + event.at_s - start.at_s)
    times = [(iteration_time(ends_s, pair.watched), iteration_time(ends_s, pair.alone)) for pair in pairs]
    done = [tuple(map(float, line.split())) for line in probes.read_text().splitlines()[:-1]] if probes else []

    def probed(window: Window) -> float:
        return statistics.fmean(cpu_s for at_s, cpu_s in done if window[0] <= at_s <= window[1])

    return Part(
        [(watched[0], alone[0]) for watched, alone in times],
        [(probed(pair.watched), probed(pair.alone)) for pair in pairs] if probes else [],
        min(min(watched[1], alone[1]) for watched, alone in times),
        num_wrong,
    )


def iteration_time(ends_s: dict[int, list[float]], window: Window) -> tuple[float, int]:
    """Give the mean seconds of an iteration, with waiting and transfer, and for how many iterations it stands."""
    inside = [[at_s for at_s in times if window[0] <= at_s <= window[1]] for times in ends_s.values()]
    num = sum(len(times) - 1 for times in inside)
    return sum(times[-1] - times[0] for times in inside) / num, num


@contextlib.contextmanager
def probing(core: int, path: Path) -> Iterator[Path]:
    """Measure how fast a core is inside the block: lines of the time and of the CPU seconds of a fixed computation."""
    process = multiprocessing.get_context("spawn").Process(target=compute_for_ever, args=(core, path), daemon=True)
    process.start()
    try:
        yield path
    finally:
        process.kill()
        process.join()


def compute_for_ever(core: int, path: Path) -> None:
    os.sched_setaffinity(0, {core})
    samples, weights = np.ones((512, 64), np.float32), np.ones((64, 128), np.float32)
    with path.open("w") as file:
        while True:
            time.sleep(0.025)
            from_s = time.thread_time()
            for _ in range(4):
                np.exp(-np.maximum(samples @ weights, 0)).sum()
            file.write(f"{time.time()} {time.thread_time() - from_s}\n")
            file.flush()


@contextlib.contextmanager
def copier() -> Iterator[Any]:
    """Give an event; while it is set, a program on this process's cores copies memory that no cache holds."""
    context = multiprocessing.get_context("spawn")
    event = context.Event()
    process = context.Process(target=copy_memory, args=(event,), daemon=True)
    process.start()
    try:
        yield event
    finally:
        process.kill()
        process.join()


def copy_memory(event: Any) -> None:
    here = np.ones(COPIED_BYTES, np.uint8)
    there = np.empty_like(here)
    while True:
        event.wait()
        np.copyto(there, here)
        np.copyto(here, there)


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


def page_of(emulated: Part, native: Sequence[Part], place: str, cores: Sequence[int]) -> str:
    """Give the report as Markdown; every figure is measured."""
    names = ("20 dashboards", "the 19 clients alone", "a program that copies memory, no dashboard")
    rows = [row("20 dashboards, emulated durations: iteration", emulated.iterations_s, f"< {ASKED:.0%}")]
    for name, part in zip(names, native, strict=True):
        rows.append(row(f"{name}, native speed: iteration", part.iterations_s))
        rows.append(row(f"{name}: a computation beside it, CPU time", part.probes_s))
    told = (
        f"While a run goes on, a Chromium opens its page and {NUM_CLIENTS} clients its socket, and all are closed "
        f"again, in turns; the opening counts. {len(emulated.iterations_s)} pairs of turns of {EMULATED_TURN_S:g} s "
        f"with emulated durations (8 workers, 40 ms and once 80 ms), {len(native[0].iterations_s)} of "
        f"{NATIVE_TURN_S:g} s at native speed (2 workers, 512 samples). All that trains has core {cores[0]}; the "
        f"server of the dashboards, the browser and the clients have core {cores[1]}. An iteration takes the time "
        f"from one end to the next, with waiting and transfer; behind a mean lie at least {emulated.num_iterations} "
        f"and {min(part.num_iterations for part in native)} of them. The speed of the machine's cores changes by "
        "itself: a computation on the training's core that has nothing to do with the dashboards shows by how much. "
        f"And the cores share a cache and the memory: {len(native[1].iterations_s)} pairs each with the clients "
        f"alone, and with a program on core {cores[1]} that copies {COPIED_BYTES // 2**20} MiB to and fro, show what "
        "that does. Frames that a client missed or got twice: "
        f"{sum(part.num_wrong for part in (emulated, *native))}."
    )
    head = [
        "# What 20 open dashboards cost a training (measured)",
        "",
        f"Command: `python -m benchmarks.dashboards_effect {' '.join(sys.argv[1:])}".rstrip() + "`.",
        f"{place}, load of the machine at the end {os.getloadavg()[0]:.1f}.",
        "",
        textwrap.fill(told, 118),
        "",
        "| figure | with | without | longer with: median of the pairs (95% interval, by ranks) | asked |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows]) + "\n"


def row(name: str, times: Sequence[tuple[float, float]], asked: str = "") -> str:
    effects = [watched / alone - 1 for watched, alone in times]
    low, high = median_interval(effects) or (float("nan"), float("nan"))
    watched, alone = (statistics.median(column) for column in zip(*times, strict=True))
    with_text, without_text = (
        (f"{value * 1000:.3f} ms" if value < 1 else f"{value:.2f}") for value in (watched, alone)
    )
    longer = f"{statistics.median(effects):+.2%} ({low:+.2%} to {high:+.2%})"
    return f"| {name} | {with_text} | {without_text} | {longer} | {asked} |"


if __name__ == "__main__":
    main()
