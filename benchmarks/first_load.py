"""How long the dashboard takes from the address to a page that can be used, with a cold cache, in a real Chromium.

A page counts as useful once what a person came for stands in the document and was painted: the form with its start
button, the rows of the history, the name and the figures of a run. The time runs from the start of the navigation, on
the page's own clock. Each load has a browser profile of its own; the server is warm. Charts may come later.

    python -m benchmarks.first_load --out benchmarks/results/first_load.md
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from backend.client import Client
from benchmarks.machine import machine
from tests.cli.program import serving

NUM_LOADS = 15
GOAL_MS = 300.0
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
USEFUL = {
    "experiments": "#start-experiment",
    "history": "main tbody tr",
    "run": "main h1",
}
WATCH = """(selector) => {
    const look = () => {
        if (!document.querySelector(selector)) return requestAnimationFrame(look);
        requestAnimationFrame(() => { window.usefulMs = performance.now(); });
    };
    requestAnimationFrame(look);
}"""

WAIT = """async () => {
    while (window.usefulMs === undefined) await new Promise((next) => setTimeout(next, 20));
}"""


@dataclass(frozen=True, slots=True)
class Load:
    """One load of a page."""

    first_paint_ms: float
    useful_ms: float
    num_requests: int
    num_bytes: int  # on the wire
    cpu_ms: float  # of the page's main thread; what a busy machine does not change so much


def load(browser: Browser, url: str, selector: str) -> Load:
    """Open a page in a fresh profile that has the cookie already, and see when it can be used."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        address, _, token = url.partition("?token=")
        _sign_in(context, address, token)
        inner = context.new_cdp_session(page)
        inner.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(f"({WATCH})({selector!r})")
        page.goto(address, wait_until="commit")
        page.evaluate(WAIT)
        found = page.evaluate("""() => {
            const entries = performance.getEntriesByType("resource");
            const [first] = performance.getEntriesByName("first-contentful-paint");
            const [page] = performance.getEntriesByType("navigation");
            const before = entries.filter((one) => one.startTime < window.usefulMs);
            return [first?.startTime ?? 0, window.usefulMs, before.length + 1,
                before.reduce((sum, one) => sum + one.transferSize, page.transferSize)];
        }""")
        metrics = {one["name"]: one["value"] for one in inner.send("Performance.getMetrics")["metrics"]}
        return Load(*[*found, metrics["TaskDuration"] * 1000])
    finally:
        context.close()


def _sign_in(context: BrowserContext, address: str, token: str) -> None:
    """Have the profile get the cookie that opening the link sets; the page itself is not loaded by it."""
    parts = urlsplit(address)
    context.request.get(f"{parts.scheme}://{parts.netloc}/?token={token}", max_redirects=0)


def measure(browser: Browser, url: str, num: int) -> dict[str, list[Load]]:
    """Load every page several times, in turn, so that a busy moment does not meet one of them alone."""
    with Client(url) as client:
        spec = {"cluster": {"num_workers": 4, "launcher": "virtual"}, "speed": {"kind": "lognormal"}}
        experiment = client.submit({"name": "First load", "run": {**spec, "stop": {"seconds": 10}}, "seeds": [1, 2, 3]})
        experiment = client.wait(experiment.id, timeout_s=120)
    origin, _, token = url.partition("/?token=")
    paths = {"experiments": "/experiments", "history": "/runs", "run": f"/runs/{experiment.run_ids[0]}"}
    loads: dict[str, list[Load]] = {name: [] for name in paths}
    for turn in range(num + 1):
        for name, path in paths.items():
            one = load(browser, f"{origin}{path}?token={token}", USEFUL[name])
            if turn > 0:  # the first one warms the server up
                loads[name].append(one)
    return loads


def report(loads: dict[str, list[Load]]) -> str:
    """Write the table."""
    lines = [
        "# First load",
        "",
        f"From the start of the navigation to a page that can be used; cold cache, warm server, {len(loads['run'])} "
        f"loads each. The goal is {GOAL_MS:.0f} ms. Written by `python -m benchmarks.first_load`.",
        "",
        "| page | first paint, median ms | useful, median ms | useful, slowest ms | reached | CPU of the page, ms "
        "| requests by then | kB by then |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in loads.items():
        useful = [one.useful_ms for one in found]
        paint = statistics.median(one.first_paint_ms for one in found)
        last = found[-1]
        lines.append(
            f"| {name} | {paint:.0f} | {statistics.median(useful):.0f} | {max(useful):.0f} "
            f"| {'yes' if statistics.median(useful) <= GOAL_MS else 'no'} "
            f"| {statistics.median(one.cpu_ms for one in found):.0f} | {last.num_requests} "
            f"| {last.num_bytes / 1000:.0f} |"
        )
    busy = f"Load of the machine in the last minute: {os.getloadavg()[0]:.1f}; what is above its cores is waiting."
    return "\n".join([*lines, "", f"{machine()}. {busy}", ""])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--loads", metavar="N", type=int, default=NUM_LOADS, help="of each page")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the report there")
    arguments = parser.parse_args(argv)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("There is no Chromium: install the package chromium.")
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as (_, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        text = report(measure(browser, url, arguments.loads))
        browser.close()
    print(text)
    if arguments.out:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
