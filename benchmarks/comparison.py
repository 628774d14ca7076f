"""How long the comparison of 100 runs takes, from the server and in a browser.

    python benchmarks/comparison.py [--seeds 10] [--repetitions 5] [--home FOLDER]

Ten settings times ten seeds are trained in virtual time by a server of its own (a minute; a home that has them already
is used again). Then both requests of the page are timed, and the page itself in Chromium, from the navigation until
the tables stand and until the curves are drawn. Writes benchmarks/results/comparison.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page, sync_playwright

from backend.client import Client

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "benchmarks" / "results" / "comparison.md"
PORT = 8931
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
NAME = "Comparison of 100 runs"
TARGET_S = 1.0

POLICIES: list[dict[str, Any]] = [
    *({"name": name} for name in ("bsp", "asp", "predictive", "foresync", "local_sgd", "fsp")),
    *({"name": "ssp", "threshold": threshold} for threshold in (1, 2, 4, 8)),
]


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Run a server on a home; give the address that it prints."""
    environment = {**os.environ, "FORESYNC_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "backend.cli", "serve", f"--port={PORT}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, "the server did not start"
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def make_runs(client: Client, num_seeds: int) -> list[str]:
    """Train the runs, unless the home has them."""
    for experiment in client.experiments():
        if experiment.name == NAME and experiment.num_done == experiment.num_runs == len(POLICIES) * num_seeds:
            return client.experiment(experiment.id).run_ids
    run = {
        "task": {"model": "mlp", "dataset": "digits", "batch_size": 32, "learning_rate": 0.2},
        "cluster": {"num_workers": 4, "launcher": "virtual"},
        "speed": {"kind": "lognormal", "base_s": 0.5, "factors": [1, 1, 1, 4], "cv": 0.15},
        "transfer": {"transfer_s": 0.3},
        "stop": {"seconds": 90, "target": {"metric": "test_loss", "value": 0.7}},
        "evaluate_every_s": 1.0,
    }
    spec = {"name": NAME, "run": run, "grid": {"policy": POLICIES}, "seeds": list(range(1, num_seeds + 1))}
    experiment = client.submit(spec)
    return client.wait(experiment.id).run_ids


def timed(work: Callable[[], object], repetitions: int) -> list[float]:
    """Give the seconds of each repetition."""
    seconds = []
    for _ in range(repetitions):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return seconds


WATCH = """
(() => {
  const found = (window.__found = { tables: null, figures: null });
  const figures = document.querySelectorAll.bind(document, "main figure canvas");
  function look() {
    if (found.tables === null && document.getElementById("part-settings-that-differ")) found.tables = performance.now();
    const isDrawn = figures().length > 3;
    if (isDrawn && found.tables !== null) found.figures = performance.now();
    else requestAnimationFrame(look);
  }
  requestAnimationFrame(look);
})();
"""  # looks once a frame: a driver that looks from outside searches the whole page each time, in the page's own thread


def open_page(page: Page, url: str) -> tuple[float, float]:
    """Open the comparison; give the seconds from the navigation until the tables stand, and all figures are drawn."""
    page.goto("about:blank")
    page.goto(url, wait_until="commit")
    while (found := page.evaluate("window.__found"))["figures"] is None:
        page.wait_for_timeout(200)
    return found["tables"] / 1000, found["figures"] / 1000


def row(what: str, seconds: list[float]) -> str:
    reached = "yes" if median(seconds) <= TARGET_S else "no"
    return f"| {what} | {median(seconds):.3f} | {min(seconds):.3f} to {max(seconds):.3f} | {reached} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--home", type=Path, default=None)
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="foresync-"))
    with serving(home) as url, Client(url) as client:
        run_ids = make_runs(client, options.seeds)
        rows = [
            row(
                "server: runs, differences, settings over seeds",
                timed(lambda: client.compare(run_ids), options.repetitions),
            ),
            row("server: curves and bands", timed(lambda: client.compared_curves(run_ids), options.repetitions)),
        ]
        rows += browser_rows(url, run_ids, options.repetitions)
        num_events = sum(run.last_seq for run in client.compare(run_ids).runs)
    if options.home is None:
        shutil.rmtree(home, ignore_errors=True)
    OUT.write_text(
        "# Comparison of many runs (measured)\n\n"
        f"Command: `python {' '.join(sys.argv)}`. {datetime.date.today()}, {os.cpu_count()} cores "
        f"{platform.machine()}, Python {platform.python_version()}.\n\n"
        f"{len(run_ids)} runs of {len(POLICIES)} settings, {num_events:,} events in all. Seconds, "
        f"{options.repetitions} repetitions, client and browser on the same machine. Asked: {TARGET_S:g} s.\n\n"
        "| what | median | least to largest | reached |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    sys.stdout.write(OUT.read_text())


def browser_rows(url: str, run_ids: list[str], repetitions: int) -> list[str]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    origin = url.partition("/?")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.add_init_script(WATCH)
        page.goto(url)  # sets the cookie, warms the cache
        found = [open_page(page, f"{origin}/compare?runs={','.join(run_ids)}") for _ in range(repetitions)]
        browser.close()
    return [row("page: tables stand", [one[0] for one in found]), row("page: figures drawn", [one[1] for one in found])]


if __name__ == "__main__":
    main()
