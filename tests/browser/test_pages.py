"""Every page, empty and full, in three widths, dark and light: it can be used, and pictures of it to look at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PageMaker
from tests.browser.looking import NARROWEST, SCREENSHOTS, SIZES, is_wider_than_the_window, violations
from tests.browser.site import Site

EMPTY_PAGES = ("experiments", "history", "compare", "unknown")
FULL_PAGES = ("experiments", "experiment", "run", "history", "compare")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", EMPTY_PAGES)
def test_an_empty_page(empty_site: Site, open_page: PageMaker, name: str, scheme: str) -> None:
    look(empty_site, open_page, name, scheme, "empty")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FULL_PAGES)
def test_a_full_page(full_site: Site, open_page: PageMaker, name: str, scheme: str) -> None:
    look(full_site, open_page, name, scheme, "full")


@pytest.mark.parametrize("width", [60, 100])
def test_a_run_in_a_window_narrower_than_its_gutters(full_site: Site, open_page: PageMaker, width: int) -> None:
    for path in (f"/runs/{run_id}" for run_id in full_site.run_ids):
        page = open_page(full_site, path, width=width)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_timeout(700)  # time for the timeline to be drawn; an error on the page fails the test


def test_the_page_that_asks_for_the_token(empty_site: Site, browser: Browser) -> None:
    address, _, token = empty_site.url.partition("?token=")
    page = browser.new_page(viewport={"width": 400, "height": 860})
    page.goto(address)
    expect(page.get_by_role("heading", name="A token is needed")).to_be_visible()
    assert violations(page) == []
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "token-empty-light-400.png")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Open the dashboard").click()
    expect(page.get_by_role("heading", name="New experiment")).to_be_visible()
    assert page.url == address, "the token must not stay in the address"
    page.context.close()


def look(site: Site, open_page: PageMaker, name: str, scheme: str, fill: str) -> None:
    """Open a page, wait until it has loaded, take its pictures, check it for people who use assistive technology."""
    page = open_page(site, site.pages()[name], scheme=scheme)
    settle(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)  # charts follow the size of their box with the next frames
        page.screenshot(path=SCREENSHOTS / f"{name}-{fill}-{scheme}-{width}.png", full_page=True)
        assert not is_wider_than_the_window(page), f"{name} scrolls sideways at {width} px"
        assert violations(page) == [], f"{name} at {width} px"
    page.set_viewport_size({"width": NARROWEST, "height": 700})
    page.wait_for_timeout(100)
    assert not is_wider_than_the_window(page), f"{name} scrolls sideways at {NARROWEST} px"


def settle(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle") if "/runs/" not in page.url else page.wait_for_timeout(1000)
    expect(page.get_by_role("main").locator("[aria-busy=true]")).to_have_count(0)
