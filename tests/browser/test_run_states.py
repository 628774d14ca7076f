"""The page of a run in every state that a reader can meet, made for real: pictures of each, and checks of all."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from backend.client import Client
from backend.store.database import Database
from benchmarks.timeline_runs import LongRun, make
from predictor.events import NodeStarted
from tests.browser.conftest import PageMaker
from tests.browser.looking import look
from tests.browser.site import Site
from tests.cli.program import serving

TASK = {"task": {"model": "mlp", "dataset": "digits"}, "evaluate_every_s": 0.5}
LIVE: dict[str, Any] = {
    **TASK,
    "cluster": {"num_workers": 4},
    "speed": {"kind": "lognormal", "base_s": 0.05, "factors": [1, 1, 1, 4]},
    "policy": {"name": "predictive"},
    "stop": {"seconds": 600, "target": {"metric": "test_accuracy", "value": 0.999}},
}
VIRTUAL: dict[str, Any] = {
    **LIVE,
    "cluster": {
        "num_workers": 4,
        "launcher": "virtual",
        "churn": [{"worker": 1, "leaves_at_s": 4, "joins_at_s": 7}, {"worker": 2, "joins_at_s": 3}],
    },
    "stop": {"seconds": 12},
}
WIDE: dict[str, Any] = {
    **TASK,
    "cluster": {"num_workers": 64, "launcher": "virtual"},
    "speed": {"kind": "lognormal", "base_s": 0.2, "cv": 0.3},
    "transfer": {"transfer_s": 0.05},
    "policy": {"name": "ssp", "threshold": 3},
    "stop": {"seconds": 12},
}
TABS = ("Synchronisations", "Why it waited", "What if", "Log", "Settings")
SMALL = {1280: 800, 400: 860}  # of what looks the same at 2560


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with ended runs of 4 and 64 workers, one that trains, one that waits for it, and one of 256 workers."""
    home = tmp_path_factory.mktemp("states")
    with serving(home, "--concurrency", "1") as (_, url), Client(url) as client:
        names = {"A worker leaves and comes back": VIRTUAL, "Sixty-four workers": WIDE}
        ended = [client.submit({"name": name, "run": run}) for name, run in names.items()]
        assert {client.wait(one.id, timeout_s=120).runs[0].state for one in ended} == {"completed"}
        others = [client.submit({"name": name, "run": LIVE}) for name in ("Trains now", "Waits for its turn")]
        largest, _ = make(Database(f"sqlite:///{home / 'foresync.db'}"), LongRun("256 workers", 256, 12))
        yield Site(url, "", (*(one.run_ids[0] for one in (*ended, *others)), largest))


def open_run(open_page: PageMaker, site: Site, run_id: str, query: str = "") -> Page:
    page = open_page(site, f"/runs/{run_id}{query}")
    expect(page.get_by_role("tablist", name="Tables")).to_be_visible()
    expect(page.get_by_role("main").locator("[aria-busy=true]")).to_have_count(0)
    page.wait_for_timeout(500)  # the lanes are drawn with the next frames
    return page


def test_a_run_in_virtual_time_and_its_tabs(site: Site, open_page: PageMaker) -> None:
    page = open_run(open_page, site, site.run_ids[0])
    look(page, "run-virtual", is_whole=True)
    page.emulate_media(contrast="more")
    look(page, "run-contrast", is_whole=True, sizes={1280: 800})
    page.emulate_media(contrast="no-preference")
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("main").locator("[aria-busy=true]")).to_have_count(0)
        page.wait_for_timeout(300)
        look(page, f"run-tab-{tab.lower().replace(' ', '-')}", is_whole=True, sizes=SMALL)


def test_what_opens_on_the_page_of_a_run(site: Site, open_page: PageMaker) -> None:
    page = open_run(open_page, site, site.run_ids[0])
    page.get_by_role("button", name="Export").click()
    look(page, "run-export", sizes=SMALL)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clone with changes").click()
    expect(page.get_by_role("dialog", name=re.compile("^Clone"))).to_be_visible()
    look(page, "run-clone", sizes=SMALL)
    page.keyboard.press("Escape")
    box = page.get_by_role("application", name="Timeline of the nodes").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.wait_for_timeout(300)
    look(page, "run-hover", sizes={1280: 800})
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
    look(page, "run-selected", sizes=SMALL)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    look(page, "run-keys", sizes=SMALL)


def test_a_run_of_many_workers(site: Site, open_page: PageMaker) -> None:
    look(open_run(open_page, site, site.run_ids[1]), "run-wide", is_whole=True)
    page = open_run(open_page, site, site.run_ids[4])
    look(page, "run-256", is_whole=True, sizes={1280: 800, 2560: 1440})
    nodes = page.get_by_role("table", name="Nodes")
    expect(nodes).to_have_attribute("aria-rowcount", "257")  # the head too
    assert nodes.locator("tr[data-row]").count() < 100, "rows that are not seen are drawn"


def test_a_run_that_waits_trains_and_stops(site: Site, open_page: PageMaker) -> None:
    live, queued = site.run_ids[2:4]
    page = open_run(open_page, site, queued)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    look(page, "run-queued")
    page = open_run(open_page, site, live)
    with Client(site.url) as client:
        client.cancel_queued([queued])
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        page.wait_for_timeout(4000)  # some windows are predicted
        look(page, "run-live", is_whole=True)
        assert client.retune(live, {"horizon": 3}) is not None
        page.get_by_role("tab", name="Settings").click()
        expect(page.get_by_role("region", name="Changed since the start")).to_be_visible()
        look(page, "run-retuned", is_whole=True, sizes=SMALL)
        page.get_by_role("tab", name="Nodes").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        look(page, "run-stopped")
        page.get_by_role("button", name="Resume").click()
        stop = page.get_by_role("button", name="Stop", exact=True)
        expect(stop).to_be_visible()
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        page.wait_for_timeout(3000)  # it trains again
        look(page, "run-resumed", is_whole=True, sizes=SMALL)
        stop.click()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_a_run_that_fails(site: Site, open_page: PageMaker) -> None:
    with Client(site.url) as client:
        experiment = client.submit({"name": "Loses its server", "run": LIVE, "seeds": [1, 2]})
        run_id, other = experiment.run_ids
        client.cancel_queued([other])
        page = open_run(open_page, site, run_id)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        pids: dict[str, int] = {}
        for _, event in client.events(run_id, kinds=["NodeStarted"], follow=True):
            if isinstance(event, NodeStarted):
                pids[event.node] = event.pid
            if {"worker-1", "server"} <= pids.keys():
                break
        page.wait_for_timeout(3000)
        psutil.Process(pids["worker-1"]).kill()
        page.wait_for_timeout(2000)
        look(page, "run-worker-lost", sizes=SMALL)
        psutil.Process(pids["server"]).kill()
        expect(page.get_by_text("The run failed:")).to_be_visible()
        look(page, "run-failed", is_whole=True)
        page = open_page(site, f"/experiments/{experiment.id}")
        expect(page.get_by_text("2 of 2 runs done: 1 failed, 1 stopped")).to_be_visible()
        expect(page.get_by_role("table").get_by_text("not reached")).to_have_count(0)  # one failed, one never trained
        look(page, "experiment-failed", sizes=SMALL)


def test_answers_that_are_late_or_wrong(site: Site, browser: Browser) -> None:
    """The context is not watched: the browser itself reports answers of the status 500."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.goto(site.with_token("/runs"))
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    held: list[Route] = []
    page.route(re.compile(rf"/api/v1/runs/{site.run_ids[1]}"), lambda route: held.append(route))  # noqa: PLW0108 (a method cannot be one)
    page.get_by_role("link", name="Sixty-four workers").first.click()
    expect(page.get_by_role("status", name="Loading the page")).to_be_visible()
    look(page, "run-loading", sizes=SMALL, without=["page-has-heading-one"])
    for route in held:
        route.abort()
    page.unroute_all()
    page.goto(site.with_token(f"/runs/{site.run_ids[1][:-1]}"))  # the stream would bring a run that there is
    expect(page.get_by_role("heading", level=1, name=re.compile("^No such run|^This run cannot"))).to_be_visible()
    look(page, "run-error", sizes=SMALL)
    page.context.close()


def test_a_run_whose_server_is_gone(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url), Client(url) as client:
        run_id = client.submit({"name": "Goes on by itself", "run": LIVE}).run_ids[0]
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.goto(Site(url).with_token(f"/runs/{run_id}"))
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        page.wait_for_timeout(2000)
        page.context.set_offline(True)
        expect(page.get_by_text(re.compile("^No connection since"))).to_be_visible()
        look(page, "run-offline", sizes=SMALL)
        page.context.set_offline(False)
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        try:
            expect(page.get_by_text(re.compile("^No connection since"))).to_be_visible()
            look(page, "run-lost", sizes=SMALL)
        finally:  # a run outlives its server
            for one in started:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        page.context.close()
