"""The palette, the keys, the themes, the queue, a retuned run and the form's files, as a person uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from backend.cli.spec_files import read_file
from backend.client import Client
from tests.browser.conftest import PageMaker
from tests.browser.looking import violations
from tests.browser.site import Site
from tests.cli.program import serving

THEMES = ("light", "dark", "contrast-light", "contrast-dark")
LIVE: dict[str, Any] = {
    "cluster": {"num_workers": 2},
    "speed": {"kind": "lognormal", "base_s": 0.05, "factors": [1, 4]},
    "policy": {"name": "ssp", "threshold": 1},
    "stop": {"seconds": 600},
}


@pytest.fixture(scope="module")
def busy_site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server on which one run trains and four wait."""
    with serving(tmp_path_factory.mktemp("busy")) as (_, url), Client(url) as client:
        first = client.submit({"name": "Trains", "run": LIVE})
        client.submit({"name": "Waits", "run": LIVE, "seeds": [1, 2, 3, 4]})
        yield Site(url, first.id, tuple(first.run_ids))


def open_palette(page: Page) -> None:
    expect(page.get_by_role("button", name=re.compile("^Search for commands"))).to_be_visible()
    page.wait_for_load_state("networkidle")  # keys are listened to once the page stands
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Search for a command")).to_be_focused()


def test_the_palette_finds_a_run_and_gives_the_focus_back(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, "/runs")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    open_palette(page)
    assert violations(page) == []
    page.keyboard.type("finished")
    option = page.get_by_role("group", name="Runs", exact=True).get_by_role("option").first
    expect(option).to_contain_text("Finished runs")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    open_palette(page)
    page.keyboard.type("finished")
    expect(option).to_be_visible()
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/runs/[a-z0-9-]+$"))
    open_palette(page)
    page.keyboard.type("clone with")
    expect(page.get_by_role("option", name=re.compile("^Clone with")).first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile("^Clone"))).to_be_visible()


def test_the_palette_changes_the_theme_and_every_theme_can_be_used(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, "/experiments")
    for theme in THEMES:
        open_palette(page)
        page.keyboard.type("high contrast, " + theme.split("-")[1] if "-" in theme else f"theme: {theme}")
        page.keyboard.press("Enter")
        expect(page.locator("html")).to_have_attribute("data-theme", theme.split("-")[-1])
        assert page.locator("html").get_attribute("data-contrast") == ("more" if "-" in theme else None)
        for path in full_site.pages().values():
            page.goto(full_site.with_token(path))
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert violations(page) == [], f"{path} in {theme}"
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-contrast", "more")  # kept


def test_a_system_that_asks_for_contrast_gets_it(full_site: Site, browser: Browser) -> None:
    context = browser.new_context(contrast="more", color_scheme="dark")
    page = context.new_page()
    page.goto(full_site.with_token("/runs"))
    expect(page.locator("html")).to_have_attribute("data-contrast", "more")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    context.close()


def test_the_keys_are_listed_in_groups(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, "/experiments")
    held: list[Route] = []
    page.route("**/assets/Work-*.js", lambda route: held.append(route))  # noqa: PLW0108 - it is given marks
    page.goto(full_site.with_token(f"/runs/{full_site.run_ids[0]}"))
    page.get_by_role("button", name="Keys").click()
    dialog = page.get_by_role("dialog", name="Keys")
    for group in ("Run", "Everywhere"):
        expect(dialog.get_by_role("heading", name=group, exact=True)).to_be_visible()
    while not held:
        page.wait_for_timeout(10)
    held[0].continue_()  # the timeline comes while its keys are being looked for
    expect(dialog.get_by_role("heading", name="Timeline", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(dialog.get_by_role("heading", name="Timeline", exact=True)).to_be_visible()
    assert violations(page) == []


def test_any_run_is_cloned_with_one_change_in_three_interactions(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, f"/runs/{full_site.run_ids[0]}")
    page.get_by_role("button", name="Clone with changes").click()  # 1
    page.get_by_label("Batch size", exact=True).fill("16")  # 2
    assert violations(page) == []
    page.get_by_role("button", name="Start with 1 change").click()  # 3
    page.wait_for_url(lambda url: "/runs/" in url and full_site.run_ids[0] not in url)
    with Client(full_site.url) as client:
        clone = client.run(page.url.rsplit("/", 1)[-1])
        assert (clone.spec.task.batch_size, clone.parent_id) == (16, full_site.run_ids[0])
        if clone.state in ("queued", "starting", "running"):
            client.stop(clone.id)


def test_an_experiment_becomes_a_file_that_can_be_run_and_read_again(
    full_site: Site, open_page: PageMaker, tmp_path: Path
) -> None:
    page = open_page(full_site, "/experiments")
    page.get_by_role("radio", name="Which threshold for SSP?").check()
    page.get_by_role("button", name="As a file").click()
    dialog = page.get_by_role("dialog", name="The experiment as a file")
    with page.expect_download() as download:
        dialog.get_by_role("button", name=re.compile("^Save as")).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == "ssp-thresholds.yaml"
    assert [spec.policy.threshold for spec in read_file(file)][::3] == [0, 1, 3, 6, 12]  # type: ignore[attr-defined]
    assert violations(page) == []
    dialog.get_by_label("Text of the file").fill("name: Pasted\npolicy: {name: ssp, threshold: 7}\nseed: 5")
    dialog.get_by_role("button", name="Use this text").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Pasted")
    page.reload()  # a draft survives
    expect(page.get_by_label("Name", exact=True)).to_have_value("Pasted")
    expect(page.get_by_role("button", name=re.compile("^Policy"))).to_contain_text("threshold 7")


def test_a_file_that_is_wrong_is_refused_with_its_field(full_site: Site, browser: Browser) -> None:
    page = browser.new_page()  # not watched: the browser's console tells of the refusal, too
    page.goto(full_site.with_token("/experiments"))
    page.get_by_role("button", name="As a file").click()
    dialog = page.get_by_role("dialog", name="The experiment as a file")
    text = dialog.get_by_label("Text of the file")
    expect(text).to_have_value(re.compile("policy"))  # the form's own has come, or it would come into what is typed
    text.fill("policy: {name: ssp, threshold: -1}")
    dialog.get_by_role("button", name="Use this text").click()
    expect(dialog.get_by_role("alert")).to_contain_text("policy.threshold must be >= 0, got -1")
    page.context.close()


def test_the_queue_is_put_in_order_by_keys_and_by_dragging(busy_site: Site, open_page: PageMaker) -> None:
    page = open_page(busy_site, "/experiments", height=1400)
    queue = page.get_by_role("region", name=re.compile("^Queue"))
    rows = queue.locator("tr[data-waiting]")
    expect(rows).to_have_count(4)
    with Client(busy_site.url) as client:
        a, b, c, d = client.queue().waiting
        handle = queue.locator(f'tr[data-waiting="{d}"]').get_by_role("button", name=re.compile("^Move"))
        handle.focus()
        page.keyboard.press("Home")
        expect(rows.first).to_have_attribute("data-waiting", d)
        expect(handle).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(rows.nth(1)).to_have_attribute("data-waiting", d)
        expect(queue.get_by_role("status").last).to_contain_text("moved to place 2 of 4")
        _eventually(page, lambda: list(client.queue().waiting) == [a, d, b, c])
        box = queue.locator(f'tr[data-waiting="{c}"]').get_by_role("button", name=re.compile("^Move")).bounding_box()
        top = rows.first.bounding_box()
        assert box is not None
        assert top is not None
        page.mouse.move(box["x"] + 8, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(box["x"] + 8, top["y"] + 4, steps=6)
        page.mouse.up()
        expect(rows.first).to_have_attribute("data-waiting", c)
        _eventually(page, lambda: list(client.queue().waiting) == [c, a, d, b])
        assert violations(page) == []
        queue.get_by_role("button", name="Pause").click()
        expect(queue.get_by_text("Paused: nothing new starts.")).to_be_visible()
        _eventually(page, lambda: client.queue().is_paused)
        queue.get_by_role("button", name="Let it go on").click()
        queue.locator(f'tr[data-waiting="{a}"]').get_by_role("button", name=re.compile("^Take")).click()
        expect(rows).to_have_count(3)
        page.keyboard.press("z")  # undo
        expect(rows).to_have_count(4)
        _eventually(page, lambda: list(client.queue().waiting) == [c, a, d, b])


def test_a_running_run_is_retuned_from_its_page(busy_site: Site, open_page: PageMaker) -> None:
    run_id = busy_site.run_ids[0]
    with Client(busy_site.url) as client:
        page = open_page(busy_site, f"/runs/{run_id}?tab=settings")
        _eventually(page, lambda: client.run(run_id).state == "running")
        field = page.get_by_role("region", name="Change while it trains").get_by_label("Threshold", exact=True)
        expect(field).to_have_value("1")
        field.fill("-1")
        expect(page.get_by_text("must be >= 0")).to_be_visible()
        expect(page.get_by_role("button", name="Apply to the running run")).to_be_disabled()
        field.fill("4")
        assert violations(page) == []
        page.get_by_role("button", name="Apply to the running run").click()
        changed = page.get_by_role("region", name="Changed since the start")
        expect(changed.get_by_role("row").filter(has_text="Policy: threshold")).to_contain_text("4")
        assert client.tuning(run_id).policy["threshold"] == 4
        expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()


def _eventually(page: Page, condition: Any) -> None:
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not become true within 10 s")
