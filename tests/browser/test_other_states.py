"""The pages beside that of a run in every state that a reader can meet: pictures of each, and checks of all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from backend.client import Client
from backend.store.database import Database
from benchmarks.history_rows import fill
from tests.browser.looking import SCREENSHOTS, is_wider_than_the_window, violations
from tests.browser.site import Site
from tests.cli.program import serving

NUM_INVENTED = 560  # rows of the history that no run stands behind; the others were trained
RUN: dict[str, Any] = {
    "task": {"model": "mlp", "dataset": "digits"},
    "cluster": {"num_workers": 4, "launcher": "virtual"},
    "speed": {"kind": "lognormal", "base_s": 0.05, "factors": [1, 1, 1, 4]},
    "stop": {"seconds": 6, "target": {"metric": "test_accuracy", "value": 0.6}},
    "evaluate_every_s": 0.5,
}
LIVE: dict[str, Any] = {
    **RUN,
    "cluster": {"num_workers": 2},
    "speed": {"kind": "lognormal", "base_s": 1},
    "stop": {"seconds": 600},
    "evaluate_every_s": 20,
}
POLICIES = [{"name": name} for name in ("bsp", "asp", "ssp", "predictive", "foresync")]
SMALL = {1280: 800, 400: 860}  # of what looks the same at 2560 px
SIZES = {**SMALL, 2560: 1440}
Scheme = tuple[Literal["light", "dark"], Literal["more", "no-preference"]]
CONTRASTS: tuple[Scheme, ...] = (("light", "more"), ("dark", "more"))
SCHEMES: tuple[Scheme, ...] = (("dark", "no-preference"), ("light", "no-preference"))


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with a long history, and ten settings of three seeds."""
    home = tmp_path_factory.mktemp("other-states")
    with serving(home, "--concurrency", "2") as (_, url), Client(url) as client:
        fill(Database(f"sqlite:///{home / 'foresync.db'}"), NUM_INVENTED)
        grid = {"policy": POLICIES, "task.learning_rate": [0.05, 0.2]}
        spec = {"name": "Five policies at two learning rates", "run": RUN, "grid": grid, "seeds": [1, 2, 3]}
        ended = client.wait(client.submit(spec).id, timeout_s=120)
        assert {run.state for run in ended.runs} == {"completed"}
        first, *others = ended.run_ids[3:]
        client.change(first, tags=["for the paper", "thesis chapter 3"], notes="The fastest so far.")
        client.history.pin_baseline(first)
        client.history.change("delete", run_ids=ended.run_ids[:2])
        client.history.change("archive", run_ids=ended.run_ids[2:3])
        client.history.save_view("What waits most", filter="policy:ssp wait>0.3")
        yield Site(url, ended.id, (first, *others))


@pytest.fixture
def page(site: Site, browser: Browser) -> Iterator[Page]:
    """An open dashboard, whose console is not watched: answers fail on purpose here."""
    context = browser.new_context(reduced_motion="reduce", color_scheme="light")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(site.with_token("/experiments"))
    expect(page.get_by_role("heading", name="New experiment")).to_be_visible()
    yield page
    context.close()


def picture(page: Page, name: str, *, sizes: Mapping[int, int] = SMALL, is_whole: bool = False) -> None:
    """Take the pictures of a state, light and dark; of what is drawn in all sizes in high contrast too; check them."""
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)  # charts follow the size of their box with the next frames
        assert not is_wider_than_the_window(page), f"{name} scrolls sideways at {width} px"
        for scheme, contrast in (*(CONTRASTS if width == 1280 and sizes is SIZES else ()), *SCHEMES):
            page.emulate_media(color_scheme=scheme, contrast=contrast)
            page.wait_for_timeout(50)
            theme = f"contrast-{scheme}" if contrast == "more" else scheme
            page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{width}.png", full_page=is_whole)
            if width == (400 if theme == "light" else 1280):
                assert violations(page) == [], f"{name}, {theme}, at {width} px"
    page.set_viewport_size({"width": 1280, "height": 800})


def visit(page: Page, path: str, heading: str | re.Pattern[str]) -> None:
    """Go to a page as a link does, and wait until what it asks for is there."""
    page.evaluate("path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    expect(page.get_by_role("main").locator("[aria-busy=true]")).to_have_count(0)


def hold(page: Page, pattern: str) -> list[Route]:
    """Keep back the answers to some requests; give them as they come in."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(re.compile(pattern), keep)
    return held


def fail(routes: list[Route]) -> None:
    for route in list(routes):
        route.fulfill(status=500, json={"title": "Internal Server Error", "status": 500, "detail": "The disk is full."})


def test_the_form_of_a_new_experiment(page: Page) -> None:
    page.get_by_role("radio", name="Which threshold for SSP?").check()
    expect(page.get_by_role("table", name="Predicted time of each run")).to_be_visible()
    picture(page, "form-grid", sizes=SIZES, is_whole=True)
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_label("Seeds", exact=True).fill("1-")
    page.get_by_role("button", name=re.compile("^Policy")).click()
    expect(page.get_by_text(re.compile("settings? needs? another value"))).to_be_visible()
    picture(page, "form-invalid", is_whole=True)
    page.get_by_role("button", name="As a file").click()
    picture(page, "form-file")


def test_the_queue_and_the_experiments(site: Site, page: Page) -> None:
    with Client(site.url) as client:
        client.change_queue(concurrency=1)
        client.submit({"name": "Trains now", "run": LIVE})
        client.submit({"name": "Waits for its turn", "run": LIVE, "seeds": list(range(1, 12))})
    queue = page.get_by_role("region", name=re.compile("^Queue"))
    expect(queue.locator("tr[data-waiting]")).to_have_count(8)
    queue.locator("tr[data-waiting]").nth(1).get_by_role("checkbox").check()
    queue.scroll_into_view_if_needed()
    picture(page, "queue-waiting")
    queue.get_by_role("button", name="Pause").click()
    expect(queue.get_by_text("Paused: nothing new starts.")).to_be_visible()
    picture(page, "queue-paused")
    queue.get_by_role("button", name="Let it go on").click()
    page.get_by_role("link", name="Waits for its turn").last.click()
    expect(page.get_by_role("heading", level=1, name="Waits for its turn")).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()
    picture(page, "experiment-waiting")
    with Client(site.url) as client:  # what comes after has the processor for itself
        client.change_queue(is_paused=True)
        for experiment in client.experiments():
            if experiment.num_done < experiment.num_runs:
                client.delete_experiment(experiment.id)
    visit(page, f"/experiments/{site.experiment_id}", re.compile("^Five policies"))
    picture(page, "experiment-done", sizes=SIZES, is_whole=True)
    page.get_by_role("button", name="Delete", exact=True).click()
    picture(page, "experiment-delete")


def test_what_is_asked_of_the_history(page: Page) -> None:
    visit(page, "/runs", "History")
    box = page.get_by_role("combobox", name="Filter the runs")
    box.click()
    box.press_sequentially("policy:")
    expect(page.get_by_role("option", name="ssp", exact=True)).to_be_visible()
    picture(page, "history-completion")
    box.fill("policy:ssp utilisation>many")
    expect(page.get_by_role("search").get_by_role("alert")).to_be_visible()
    picture(page, "history-filter-error")
    box.fill("policy:ssp name:nothing-is-called-so")
    expect(page.get_by_text("No run matches.")).to_be_visible()
    box.press("Escape")
    picture(page, "history-no-match")
    visit(page, "/runs?filter=policy:ssp+state:completed&size=500", "History")
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("link", name="What waits most")).to_be_visible()
    picture(page, "history-views")
    page.get_by_role("button", name="Columns").click()
    picture(page, "history-columns")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 400, "height": 860})
    filters = page.get_by_role("group", name="Counts of the runs that match")
    expect(filters).to_be_hidden()
    expect(page.locator("tr[data-run]").nth(9)).to_be_in_viewport()  # the runs come first
    page.get_by_role("button", name="Filters").click()
    filters.get_by_role("button", name=re.compile("^stopped")).click()
    expect(box).to_have_value("policy:ssp state:completed,stopped")
    picture(page, "history-filters", sizes={400: 860, 800: 860})


def test_what_is_done_with_runs_of_the_history(site: Site, page: Page) -> None:
    five = "/runs?filter=name:five&columns=state,policy,seed,target,target_change,accuracy,accuracy_change,tags"
    visit(page, five, "History")
    rows = page.get_by_role("table", name="Runs", exact=True).locator("tbody tr[data-run]")
    for place in range(3):
        rows.nth(place).get_by_role("checkbox").check()
    picture(page, "history-selected", sizes=SIZES)
    page.get_by_role("button", name="Tag", exact=True).click()
    picture(page, "history-tags")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("Archived 3 runs.")).to_be_visible()
    page.get_by_role("button", name="Undo").focus()  # a notice stays while the focus is on it
    picture(page, "history-toast")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Archived 3 runs.")).to_have_count(0)
    visit(page, f"{five}+is:archived", "History")
    picture(page, "history-archived")
    visit(page, "/runs?filter=tag:%22for+the+paper%22+name:five", "History")
    page.get_by_role("button", name=re.compile("^Name, tags and notes")).first.click()
    expect(page.get_by_role("textbox", name="Notes")).to_have_value("The fastest so far.")
    picture(page, "history-sheet")
    page.get_by_role("button", name="Cancel").click()
    visit(page, "/runs?filter=is:deleted", "History: the bin")
    picture(page, "history-bin")
    rows.first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete for good").click()
    picture(page, "history-purge")


def test_a_long_history(page: Page) -> None:
    visit(page, "/runs?size=500", "History")
    expect(page.get_by_role("table", name="Runs", exact=True)).to_have_attribute("aria-rowcount", "501")
    picture(page, "history-long", sizes=SIZES)


def test_comparisons_of_few_and_many(site: Site, page: Page) -> None:
    ids = site.run_ids
    for name, some, title in (
        ("one", ids[:1], "Compare 1 run"),
        ("two", ids[:2], "Compare 2 runs"),
        ("settings", ids, f"Compare {len(ids)} runs"),
    ):
        visit(page, f"/compare?runs={','.join(some)}", title)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)  # the curves are drawn when the browser has time
        picture(page, f"compare-{name}", sizes=SIZES if len(some) > 2 else SMALL, is_whole=True)
    with Client(site.url) as client:
        many = [run.id for run, _ in zip(client.runs(tag=["paper"]), range(100), strict=False)]
    visit(page, f"/compare?runs={','.join(many)}", f"Compare {len(many)} runs")
    picture(page, "compare-many")


def test_answers_that_are_late_or_wrong(site: Site, page: Page) -> None:
    for name, path, pattern, reading in (
        ("history", "/runs", r"/api/v1/runs/(rows|facets)", "Loading the runs"),
        ("compare", f"/compare?runs={','.join(site.run_ids[4:7])}", r"/api/v1/compare", "Loading the comparison"),
        ("experiment", f"/experiments/{site.experiment_id}", r"/api/v1/experiments/\w", "Loading the experiment"),
    ):
        page.goto(f"{site.url.partition('/?')[0]}/experiments/a/b")
        held = hold(page, pattern)
        page.evaluate(
            "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
        )
        expect(page.get_by_label(reading)).to_be_visible()
        picture(page, f"{name}-loading")
        fail(held)
        expect(page.get_by_text("The disk is full.").first).to_be_visible()
        picture(page, f"{name}-error")
        page.unroute_all()
    page.goto(f"{site.url.partition('/?')[0]}/compare?runs={site.run_ids[4]},0123456789")
    expect(page.get_by_text("These runs cannot be compared.")).to_be_visible()
    picture(page, "compare-unknown-run")


def test_the_shell(site: Site, page: Page, browser: Browser) -> None:
    visit(page, "/runs", "History")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    picture(page, "keys")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox", name="Search for a command")
    expect(palette).to_be_focused()
    picture(page, "palette", sizes=SIZES)
    palette.fill("five pol")
    expect(page.get_by_role("group", name="Runs", exact=True)).to_be_visible()
    picture(page, "palette-found")
    palette.fill("xyzzy qwert")
    expect(page.get_by_text("Nothing is called like this.")).to_be_visible()
    picture(page, "palette-nothing")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    expect(page.get_by_text("No connection.")).to_be_visible(timeout=15_000)
    picture(page, "connection-lost")
    page.context.set_offline(False)
    expect(page.get_by_text("No connection.")).to_have_count(0)
    stranger = browser.new_page(reduced_motion="reduce")
    stranger.goto(site.url.partition("?")[0])
    expect(stranger.get_by_role("heading", name="A token is needed")).to_be_visible()
    picture(stranger, "token")
    stranger.context.close()
