"""A real Chromium in front of a real `foresync serve`.

Every page that a test opens is watched: an error in its console, or a request that leaves the server's own
address, fails the test. Where there is no Chromium the tests are skipped, but in CI that is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from backend.client import Client
from tests.browser.site import Site
from tests.cli.program import serving

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
UNLIMITED = "--disable-ipc-flooding-protection"  # Playwright's own: readers' browsers ignore what a page does too often
LIMIT_MS = 30_000
STATIC = Path(__file__).resolve().parents[2] / "backend" / "static" / "index.html"

PageMaker = Callable[..., Page]
expect.set_options(timeout=LIMIT_MS)  # the machine may be busy with other things


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None or not STATIC.is_file():
        wish = (
            "no Chromium: install the package chromium" if program is None else "the dashboard is not built: make setup"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(wish)
        pytest.skip(wish)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(FLAGS), ignore_default_args=[UNLIMITED])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[PageMaker]:
    """Give a function that opens a watched page: `open_page(site, "/runs", width=400, scheme="dark")`."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def make(site: Site, path: str = "/", *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        context.set_default_timeout(LIMIT_MS)
        page = context.new_page()
        _watch(page, urlsplit(site.url).netloc, troubles)
        page.goto(site.with_token(path))
        return page

    yield make
    for context in contexts:
        context.close()
    assert troubles == []


def _watch(page: Page, netloc: str, troubles: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(f"console of {page.url}: {message.text} ({message.location.get('url')})")

    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != netloc:
            troubles.append(f"request of {page.url} to {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: troubles.append(f"error in {page.url}: {error.stack or error}"))
    page.on("request", on_request)
    page.on("websocket", lambda socket: None if urlsplit(socket.url).netloc == netloc else troubles.append(socket.url))


@pytest.fixture(scope="session")
def empty_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server on which nothing was ever run."""
    with serving(tmp_path_factory.mktemp("empty")) as (_, url):
        yield Site(url)


@pytest.fixture(scope="session")
def full_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with finished runs: two policies, two seeds each."""
    with serving(tmp_path_factory.mktemp("full"), "--concurrency", "2") as (_, url), Client(url) as client:
        experiment = client.submit(
            {
                "name": "Finished runs",
                "run": {
                    "cluster": {"num_workers": 4},
                    "speed": {"kind": "lognormal", "base_s": 0.05, "factors": [1, 1, 1, 4]},
                    "stop": {"seconds": 6, "target": {"metric": "test_accuracy", "value": 0.6}},
                    "evaluate_every_s": 0.25,
                },
                "grid": {"policy": [{"name": "ssp", "threshold": 3}, {"name": "predictive"}]},
                "seeds": [1, 2],
            }
        )
        experiment = client.wait(experiment.id, timeout_s=180)
        assert {run.state for run in experiment.runs} == {"completed"}, [run.reason for run in experiment.runs]
        yield Site(url, experiment.id, tuple(experiment.run_ids))
