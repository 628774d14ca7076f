"""How the page of a very long run does: first paint and frames in a real browser, and the server's answers.

    python -m benchmarks.timeline [--quick] [--long-iterations N] [--wide-iterations N] [--home FOLDER] [--browser FILE]

It makes two runs in a store of its own, 1 million iterations of 8 workers, and 10 million events of 256 workers
(a twentieth of each with --quick), each in a process of its own, serves them, opens each page several times in
Chromium, drags and zooms, does the same on a page that holds an empty canvas of the same size (the control), and writes
benchmarks/results/timeline.md. Runs that are in the folder from an earlier call are not made again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from backend.store.database import Database
from benchmarks.timeline_frames import CONTROL, PROBE, drag, frames, plot, show, zoom
from benchmarks.timeline_runs import LongRun, make

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "timeline.md"
LONG = LongRun("1 million iterations", 8, 137_000)  # one of the workers is lost before its end
WIDE = LongRun("256 workers", 256, 6_250)
QUICK = 20
OPENINGS = 7
REQUESTS = 15
START_S = 60.0

Rows = list[tuple[str, str, str, str]]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the iterations")
    parser.add_argument("--home", type=Path, help="folder of the store, kept (default: a temporary one)")
    parser.add_argument("--browser", help="program of the browser (default: playwright's own)")
    parser.add_argument("--long-iterations", type=int, default=LONG.iterations, help="of each of the 8 workers")
    parser.add_argument("--wide-iterations", type=int, default=WIDE.iterations, help="of each of the 256 workers")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = arguments.home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="foresync-timeline-")))
        wished = [
            replace(LONG, iterations=arguments.long_iterations),
            replace(WIDE, iterations=arguments.wide_iterations),
        ]
        made = prepare(home, [smaller(run) if arguments.quick else run for run in wished])
        url = stack.enter_context(serving(home))
        playwright = stack.enter_context(sync_playwright())
        options: dict[str, Any] = {"executable_path": arguments.browser} if arguments.browser else {}
        browser = playwright.chromium.launch(args=["--no-sandbox", "--disable-gpu"], **options)
        parts = [measure(browser, url, run, one) for run, one in made]
        browser.close()
    RESULT.write_text(page_of(parts, " ".join(sys.argv[1:])))
    print(RESULT.read_text())


def smaller(run: LongRun) -> LongRun:
    return LongRun(run.name, run.num_workers, run.iterations // QUICK)


Made = tuple[str, int, float]  # id, number of events, seconds that the making took


def prepare(home: Path, wished: Sequence[LongRun]) -> list[tuple[LongRun, Made]]:
    """Make the runs that are not there yet, side by side."""
    home.mkdir(parents=True, exist_ok=True)
    notes = home / "benchmark.json"
    known: dict[str, Any] = json.loads(notes.read_text()) if notes.exists() else {}
    url = f"sqlite:///{home / 'foresync.db'}"
    database = Database(url)
    database.upgrade()
    database.close()
    missing = [run for run in wished if key_of(run) not in known]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        for run, made in zip(missing, processes.map(make_one, [url] * len(missing), missing), strict=True):
            known[key_of(run)] = made
            notes.write_text(json.dumps(known))
    return [(run, known[key_of(run)]) for run in wished]


def key_of(run: LongRun) -> str:
    return f"{run.num_workers} x {run.iterations}"


def make_one(url: str, run: LongRun) -> Made:
    begun_s = time.monotonic()
    database = Database(url)
    run_id, num_events = make(database, run)
    database.close()
    return run_id, num_events, time.monotonic() - begun_s


@contextlib.contextmanager
def serving(home: Path) -> Iterator[str]:
    """Serve the folder with a program of its own; give the link with the token."""
    command = [sys.executable, "-m", "backend.cli", "serve", "--home", str(home), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert server.stdout is not None
        deadline = time.monotonic() + START_S
        for line in server.stdout:
            if "token=" in line:
                url = line[line.index("http") :].strip()
                with client_of(url, "") as client:  # the program is still starting while it learns the catalogue
                    client.get(client.base_url.join("/api/v1/catalogue"), timeout=START_S).raise_for_status()
                yield url
                return
            if time.monotonic() > deadline:
                break
        raise RuntimeError("the server has not said its address")
    finally:
        server.terminate()
        server.wait()


def measure(browser: Browser, url: str, run: LongRun, made: Made) -> tuple[str, Rows]:
    """Give the title and the rows of one run's table."""
    run_id, num_events, made_s = made
    num_iterations = read(url, run_id)["summary"]["num_iterations"]
    rows: Rows = []
    rows += [row_of("first paint of the timeline, page opened anew", "ms", openings(browser, url, run_id))]
    page = open_page(browser, url, run_id)
    page.evaluate("window.painted_")
    page.wait_for_timeout(4_000)
    control = control_of(browser, plot(page))
    for what, act in (("drag", drag), ("zoom", zoom)):
        rows.append(row_of(f"{what}, control: from frame to frame", "ms", frames(control, act)[1]))
    control.context.close()
    for name, scale in (("whole run", 1.0), ("a hundredth", 0.01), ("single iterations", None)):
        show(page, scale)
        for what, act in (("drag", drag), ("zoom", zoom)):
            works, gaps = frames(page, act)
            rows.append(row_of(f"{what}, {name}: work of a frame", "ms", works))
            rows.append(row_of(f"{what}, {name}: from frame to frame", "ms", gaps))
    page.context.close()
    rows += answers(url, run_id)
    size = f"{run.num_workers} workers, {num_iterations:,} iterations, {num_events:,} events"
    return f"{size}, made in {made_s:.0f} s", rows


def control_of(browser: Browser, box: dict[str, float]) -> Page:
    """Open a page with nothing but a canvas of that size."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.add_init_script(PROBE)
    page.goto("about:blank")
    page.evaluate(CONTROL, {"width": box["width"], "height": box["height"], "ratio": 1})
    return page


def open_page(browser: Browser, url: str, run_id: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url)  # the cookie, and the files that every page shares
    page.wait_for_timeout(500)
    page.add_init_script(PROBE)
    page.goto(f"{url.split('/?', maxsplit=1)[0]}/runs/{run_id}", wait_until="commit")
    return page


def openings(browser: Browser, url: str, run_id: str) -> list[float]:
    found: list[float] = []
    for _ in range(OPENINGS):
        page = open_page(browser, url, run_id)
        found.append(page.evaluate("window.painted_"))
        page.context.close()
    return found


def client_of(url: str, run_id: str) -> httpx.Client:
    base, token = url.split("/?token=")
    return httpx.Client(base_url=f"{base}/api/v1/runs/{run_id}", headers={"Authorization": f"Bearer {token}"})


def read(url: str, run_id: str) -> Any:
    with client_of(url, run_id) as client:
        return client.get(str(client.base_url).rstrip("/")).raise_for_status().json()


def answers(url: str, run_id: str) -> Rows:
    """Time the routes that the page asks."""
    with client_of(url, run_id) as client:
        state = client.get("/timeline").json()
        middle_s, block_s = state["to_s"] / 2, 128 * 2.0 ** state["level"]
        paths = {
            "state of the timeline": "/timeline",
            "tile of the whole run": f"/timeline/tiles/{state['top']}/0",
            "finest tile": f"/timeline/tiles/{state['level']}/{int(middle_s / (256 * 2.0 ** state['level']))}",
            "rare events": f"/timeline/landmarks?until={state['newest_seq']}",
            "overview in 400 columns": "/timeline/overview?columns=400",
            "events of a block": f"/timeline/events?from_s={middle_s}&to_s={middle_s + block_s}",
        }
        return [
            row_of(f"GET {name}", "ms", [timed(client, path) for _ in range(REQUESTS)]) for name, path in paths.items()
        ]


def timed(client: httpx.Client, path: str) -> float:
    start = time.perf_counter()
    client.get(path, timeout=60).raise_for_status()
    return (time.perf_counter() - start) * 1000


def row_of(name: str, unit: str, values: Sequence[float]) -> tuple[str, str, str, str]:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        name,
        f"{statistics.median(ordered):.1f} {unit}",
        f"{p95:.1f} {unit}",
        f"{ordered[0]:.1f} to {ordered[-1]:.1f}",
    )


def page_of(parts: Sequence[tuple[str, Rows]], options: str) -> str:
    """Write the page; every figure is measured."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        "# The timeline of very long runs",
        "",
        "The runs are simulated; every time below is measured, in headless Chromium without a graphics card, on the",
        "machine that also serves and that other programs used at the same time. A frame's work is what the page's own",
        "code takes of it; from frame to frame is what a reader sees, and also holds what the machine did besides.",
        "The control is a page with an empty canvas of the same size, painted in one colour in each frame: what this",
        "machine can do at best. In each frame the pointer moves once, or the wheel turns once.",
        "Other programs ran beside it: the load of the last 1, 5 and 15 minutes stands below.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, load {load}.",
        f"`python -m benchmarks.timeline {options}`".replace(" `", "`"),
    ]
    for title, rows in parts:
        lines += ["", f"## {title}", "", "| what | median | 95% | spread |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
