"""How fast the history of many runs is: questions over REST, and the page in a real browser.

    python benchmarks/history.py --runs 100000 --out benchmarks/results/history.md
    python benchmarks/history.py --keep /tmp/history                  # the next time the same rows are there
    python benchmarks/history.py --runs 100000 --postgres --out ...   # a server that this program starts

The rows are invented, the server, the database and the browser are real. One client asks one question after the
other of one server process; each question is asked once before any is timed. Where "after a change" stands, a run gets
another note before each question, untimed, so that no answer is kept in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from history_rows import fill
from sqlalchemy import func, select

from backend.store.database import Database
from backend.store.tables import Run

TOKEN = "a-token-for-the-benchmark"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
GOAL_MS = 50.0  # of the slowest p95 of each kind
PAGE_GOAL_MS = 500.0
SETTLE_S = 3.0  # between the first questions of all and those that are timed; the server keeps a connection for 5

QUESTIONS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("list", "newest", "/runs/rows", {}),
    ("list", "newest, complete runs", "/runs", {}),
    ("list", "500 rows", "/runs/rows", {"limit": 500}),
    ("filter", "policy", "/runs/rows", {"filter": "policy:foresync"}),
    (
        "filter",
        "policy, state and figure",
        "/runs/rows",
        {"filter": "policy:foresync state:completed utilisation>=0.95"},
    ),
    ("filter", "state", "/runs/rows", {"filter": "state:completed,failed"}),
    ("filter", "figure and workers", "/runs/rows", {"filter": "time_to_target<60 workers>=8"}),
    ("filter", "a tag", "/runs/rows", {"filter": "tag:baseline"}),
    ("filter", "without a tag", "/runs/rows", {"filter": "-tag:old"}),
    ("filter", "last 7 days", "/runs/rows", {"filter": "created>-7d"}),
    ("filter", "text", "/runs/rows", {"filter": '"grid 3"'}),
    ("filter", "a setting", "/runs/rows", {"filter": "spec.policy.threshold>=4"}),
    ("filter", "alternatives", "/runs/rows", {"filter": "tag:paper or (policy:ssp seed:1)"}),
    ("filter", "no match", "/runs/rows", {"filter": "name:nothing"}),
    ("sort", "name", "/runs/rows", {"sort": "name"}),
    ("sort", "utilisation", "/runs/rows", {"sort": "-utilisation"}),
    ("sort", "time to target", "/runs/rows", {"sort": "time_to_target_s"}),
    ("sort", "experiment", "/runs/rows", {"sort": "experiment_name"}),
    ("sort", "start", "/runs/rows", {"sort": "-started_at"}),
    ("sort", "utilisation, filtered", "/runs/rows", {"sort": "-utilisation", "filter": "state:completed"}),
    ("sort", "utilisation, a tag", "/runs/rows", {"sort": "-utilisation", "filter": "tag:baseline"}),
    ("facets", "of all, after a change", "/runs/facets", {}),
    ("facets", "policy, after a change", "/runs/facets", {"filter": "policy:foresync"}),
    ("facets", "state, after a change", "/runs/facets", {"filter": "state:completed,failed"}),
    ("facets", "a tag, after a change", "/runs/facets", {"filter": "tag:baseline"}),
    ("facets", "of all, again", "/runs/facets", {}),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--postgres", action="store_true", help="use a Postgres server that is started here")
    parser.add_argument("--keep", type=Path, help="a folder in which the SQLite database is kept, or stands already")
    parser.add_argument("--pages", type=int, default=10, help="times that the page is opened; 0: never")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.keep and arguments.postgres:
        parser.error("--keep goes with SQLite only.")
    with tempfile.TemporaryDirectory(prefix="foresync-history-") as folder, _database(arguments, Path(folder)) as url:
        home = arguments.keep or Path(folder) / "home"
        (home / "runs").mkdir(parents=True, exist_ok=True)
        database = Database(url)
        database.upgrade()
        num_found = _count_runs(database)
        if num_found not in (0, arguments.runs):
            parser.error(f"the database in {arguments.keep} holds {num_found:,} runs, not {arguments.runs:,}.")
        if num_found == 0:
            fill(database, arguments.runs)
        if not database.is_sqlite:
            with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
        database.close()
        with _serving(home, url) as (base, process):
            lines = [*_rest(base, process, arguments.repeats), *_page(base, arguments.pages)]
    text = "\n".join([*_head(arguments), *lines, ""])
    print(text)
    if arguments.out:
        arguments.out.write_text(text)
    return 0


@contextlib.contextmanager
def _database(arguments: argparse.Namespace, folder: Path) -> Iterator[str]:
    if not arguments.postgres:
        home = arguments.keep or folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        yield f"sqlite:///{home / 'foresync.db'}"
        return
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.backend import databases  # noqa: PLC0415 - only who asks for Postgres needs the tests

    start = contextlib.contextmanager(databases.postgres_server.__wrapped__)  # type: ignore[attr-defined]
    with start() as server:
        yield databases.create_database(server, "foresync_history")


def _count_runs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


@contextlib.contextmanager
def _serving(home: Path, url: str) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-m", "backend.cli", "serve", "--port", "0", "--database-url", url]
    environment = {**os.environ, "FORESYNC_HOME": str(home), "FORESYNC_TOKEN": TOKEN}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().decode().partition("/?")[0]  # said once it listens
        if not address:
            sys.exit("The server did not start.")
        yield address, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


class _Client:
    """One connection that is kept open, by the standard library: a client in Python takes as long as the server."""

    def __init__(self, base: str) -> None:
        self._connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=60)

    def ask(self, path: str, query: dict[str, Any], method: str = "GET", body: Any = None) -> bytes:
        """Give the answer; anything but success ends the program."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        url = f"/api/v1{path}?{urlencode(query)}"
        self._connection.request(method, url, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        answer = response.read()
        assert response.status == 200, (url, answer)
        return answer


def _rest(base: str, process: psutil.Process, repeats: int) -> list[str]:
    lines = [
        "",
        "| kind | question | p50 | p95 | slowest | CPU of the server | answer |",
        "|---|---|---|---|---|---|---|",
    ]
    p95s: dict[str, list[float]] = {}
    client = _Client(base)
    sizes = [len(client.ask(path, query)) for _, _, path, query in QUESTIONS]
    time.sleep(SETTLE_S)
    for (kind, name, path, query), num_bytes in zip(QUESTIONS, sizes, strict=True):
        times_ms = []
        changed = json.loads(client.ask("/runs/rows", {"limit": 1}))["rows"][0]["id"]
        cpu_s = 0.0
        for number in range(repeats):
            if kind == "facets" and not name.endswith("again"):
                client.ask(f"/runs/{changed}", {}, "PATCH", {"notes": f"Note {number}"})
            cpu_before_s = _cpu_s(process)
            start = time.perf_counter()
            client.ask(path, query)
            times_ms.append((time.perf_counter() - start) * 1e3)
            cpu_s += _cpu_s(process) - cpu_before_s
        cpu_ms = cpu_s / repeats * 1e3
        p50, p95 = statistics.median(times_ms), statistics.quantiles(times_ms, n=20)[-1]
        p95s.setdefault(kind, []).append(p95)
        size = f"{num_bytes / 1e3:,.0f} kB"
        times = f"{p50:.1f} ms | {p95:.1f} ms | {max(times_ms):.1f} ms | {cpu_ms:.1f} ms"
        lines.append(f"| {kind} | {name} | {times} | {size} |")
    worst = ", ".join(f"{kind} {max(values):.0f} ms" for kind, values in p95s.items())
    num_kept = sum(value <= GOAL_MS for values in p95s.values() for value in values)
    asked = f"Asked: p95 of at most {GOAL_MS:.0f} ms; reached by {num_kept} of {len(QUESTIONS)} questions."
    return [*lines, "", f"{asked} Worst p95 of each kind: {worst}."]


def _cpu_s(process: psutil.Process) -> float:
    """Give what a process has computed so far; on a busy machine it says more than the time that went by."""
    times = process.cpu_times()
    return float(times.user + times.system)


WATCH = """
(function look() {
  if (document.querySelector("tr[data-run]")) window.rowsAt = performance.now();
  else requestAnimationFrame(look);
})();
"""  # looks once a frame: a driver that looks from outside takes the page's own thread for it


def _page(base: str, num: int) -> list[str]:
    """Open the history and time it until its rows stand and the filter can be typed into."""
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if num == 0 or program is None:
        return ["", "The page was not opened."]
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    lines = ["", "| page, real Chromium | p50 | slowest | asked | reached |", "|---|---|---|---|---|"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{base}/runs?token={TOKEN}")
        for name, path in (("newest 100", "/runs"), ("filtered, 500 a page", "/runs?filter=policy:ssp&size=500")):
            times_ms = []
            for _ in range(num):
                page.goto(f"{base}{path}", wait_until="commit")
                while (rows_at := page.evaluate("window.rowsAt")) is None:
                    page.wait_for_timeout(100)
                times_ms.append(rows_at)
            p50 = statistics.median(times_ms)
            is_kept = "yes" if p50 <= PAGE_GOAL_MS else "no"
            lines.append(f"| {name} | {p50:.0f} ms | {max(times_ms):.0f} ms | {PAGE_GOAL_MS:.0f} ms | {is_kept} |")
        num_drawn = page.evaluate("document.querySelectorAll('tr[data-run]').length")
        browser.close()
    words = "From the start of the navigation to the first frame with rows; scripts come from the browser's store."
    return [*lines, "", f"{words} Of 500 rows {num_drawn} are drawn."]


def _head(arguments: argparse.Namespace) -> list[str]:
    load = os.getloadavg()[0]
    kind = "Postgres" if arguments.postgres else "SQLite"
    command = f"python benchmarks/history.py --runs {arguments.runs} --repeats {arguments.repeats}"
    return [
        f"# The history of {arguments.runs:,} runs (measured)",
        "",
        f"{kind}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}; "
        f"load of the machine at the end: {load:.1f}. {arguments.repeats} repeats of each question.",
        "",
        f"    {command}{' --postgres' * arguments.postgres}",
    ]


if __name__ == "__main__":
    sys.exit(main())
