"""How the page of a very long run does: first paint and frames in a real browser, and the server's answers.

    python -m benchmarks.timeline [--quick] [--long-iterations N] [--wide-iterations N] [--home FOLDER] [--browser FILE]

It makes two runs in a store of its own, 1 million iterations of 8 workers, and 10 million events of 256 workers
(a twentieth of each with --quick), serves them, opens each page several times in Chromium, drags and zooms, and
writes benchmarks/results/timeline.md. Runs that are in the folder from an earlier call are not made again.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from backend.store.database import Database
from benchmarks.timeline_runs import LongRun, make

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "timeline.md"
LONG = LongRun("1 million iterations", 8, 137_000)  # one of the workers is lost before its end
WIDE = LongRun("256 workers", 256, 7_800)
QUICK = 20
OPENINGS = 7
REQUESTS = 15
STEPS = 90  # of a drag or a zoom
START_S = 60.0

# Notes how long each frame's own work took, and when frames came; a canvas is painted when it has several colours.
PROBE = """
(() => {
  window.frames_ = []; let works = 0;
  const real = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) => real((at) => {
    const start = performance.now();
    callback(at);
    window.frames_.push([at, performance.now() - start]);
  });
  window.painted_ = new Promise((done) => {
    const look = () => {
      const canvas = document.querySelector('[data-timeline] canvas');
      if (canvas && canvas.width > 0) {
        const pixels = canvas.getContext('2d').getImageData(Math.floor(canvas.width / 2), 0, 1, canvas.height).data;
        const colours = new Set();
        for (let i = 0; i < pixels.length; i += 4) colours.add(pixels[i] * 65536 + pixels[i + 1] * 256 + pixels[i + 2]);
        if (colours.size > 4) { done(performance.now()); return; }
      }
      real(look);
    };
    real(look);
  });
})();
"""

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
        parts = [measure(browser, url, run, run_id, num_events) for run, run_id, num_events in made]
        browser.close()
    RESULT.write_text(page_of(parts, " ".join(sys.argv[1:])))
    print(RESULT.read_text())


def smaller(run: LongRun) -> LongRun:
    return LongRun(run.name, run.num_workers, run.iterations // QUICK)


def prepare(home: Path, wished: Sequence[LongRun]) -> list[tuple[LongRun, str, int]]:
    """Make the runs that are not there yet; give each with its id and number of events."""
    home.mkdir(parents=True, exist_ok=True)
    notes = home / "benchmark.json"
    known: dict[str, Any] = json.loads(notes.read_text()) if notes.exists() else {}
    database = Database(f"sqlite:///{home / 'foresync.db'}")
    database.upgrade()
    for run in wished:
        key = f"{run.num_workers} x {run.iterations}"
        if key not in known:
            known[key] = make(database, run)
            notes.write_text(json.dumps(known))
    database.close()
    return [(run, *known[f"{run.num_workers} x {run.iterations}"]) for run in wished]


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
                yield line[line.index("http") :].strip()
                return
            if time.monotonic() > deadline:
                break
        raise RuntimeError("the server has not said its address")
    finally:
        server.terminate()
        server.wait()


def measure(browser: Browser, url: str, run: LongRun, run_id: str, num_events: int) -> tuple[str, Rows]:
    """Give the title and the rows of one run's table."""
    num_iterations = read(url, run_id)["summary"]["num_iterations"]
    rows: Rows = []
    rows += [row_of("first paint of the timeline, page opened anew", "ms", openings(browser, url, run_id))]
    page = open_page(browser, url, run_id)
    page.evaluate("window.painted_")
    page.wait_for_timeout(4_000)
    for name, scale in (("whole run", 1.0), ("a hundredth", 0.01), ("single iterations", None)):
        show(page, scale)
        for what, act in (("drag", drag), ("zoom", zoom)):
            works, gaps = frames(page, act)
            rows.append(row_of(f"{what}, {name}: work of a frame", "ms", works))
            rows.append(row_of(f"{what}, {name}: from frame to frame", "ms", gaps))
    page.context.close()
    rows += answers(url, run_id)
    return f"{run.num_workers} workers, {num_iterations:,} iterations, {num_events:,} events", rows


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


def show(page: Page, scale: float | None) -> None:
    """Zoom by keys around the middle: to the whole run, to a share of it, or to some 30 iterations of a worker."""
    page.keyboard.press("f")
    page.wait_for_timeout(500)
    box = plot(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    steps = 0 if scale == 1.0 else 14 if scale else 26
    for _ in range(steps):
        page.keyboard.press("w")
        page.wait_for_timeout(60)
    page.wait_for_timeout(2_500)


def plot(page: Page) -> dict[str, float]:
    box = page.locator("[data-timeline] canvas").bounding_box()
    assert box is not None
    return {name: float(box[name]) for name in ("x", "y", "width", "height")}


def drag(page: Page) -> None:
    box = plot(page)
    middle = box["y"] + box["height"] * 0.5
    page.mouse.move(box["x"] + box["width"] * 0.7, middle)
    page.mouse.down()
    for step in range(STEPS):
        share = 0.7 - 0.3 * (1 - abs(1 - 2 * step / STEPS))
        page.mouse.move(box["x"] + box["width"] * share, middle)
        page.wait_for_timeout(8)
    page.mouse.up()


def zoom(page: Page) -> None:
    for step in range(STEPS):
        page.mouse.wheel(0, -20 if step < STEPS / 2 else 20)
        page.wait_for_timeout(8)


def frames(page: Page, act: Any) -> tuple[list[float], list[float]]:
    """Give the milliseconds of work of each frame while something is done, and those between two frames."""
    page.evaluate("window.frames_.length = 0")
    act(page)
    by_frame: dict[float, float] = {}
    for at_ms, work_ms in page.evaluate("window.frames_"):
        by_frame[at_ms] = by_frame.get(at_ms, 0.0) + work_ms
    times = sorted(by_frame)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    return list(by_frame.values()), gaps


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
