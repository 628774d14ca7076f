"""The tab "Why it waited" of real runs: it answers in words, its bars add up, and everybody can read it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LIMIT_MS, PageMaker
from tests.browser.looking import violations
from tests.browser.site import Site

WIDTHS = (400, 1280, 2560)


def opened(site: Site, open_page: PageMaker, run: int = 0, width: int = 1280, scheme: str = "light") -> Page:
    page = open_page(site, f"/runs/{site.run_ids[run]}?tab=why", width=width, scheme=scheme)
    bars = page.get_by_role("region", name="Where each worker\N{RIGHT SINGLE QUOTATION MARK}s time went")
    expect(bars).to_be_visible(timeout=LIMIT_MS)
    return page


def test_the_tab_answers_in_a_sentence_that_its_figures_carry(full_site: Site, open_page: PageMaker) -> None:
    page = opened(full_site, open_page)  # ssp with one slow worker
    said = page.get_by_text(re.compile(r"^Workers spent \d.*% of their time waiting, .* for worker 3\.$"))
    expect(said).to_be_visible()
    expect(page.get_by_text("All times are measured.")).to_be_visible()
    expect(page.get_by_role("columnheader", name="for worker 3")).to_be_visible()
    expect(page.get_by_role("cell", name=re.compile("^waits for worker 3: leads by 4, threshold 3"))).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
def test_each_bar_is_as_long_as_the_parts_in_it(full_site: Site, open_page: PageMaker, width: int) -> None:
    page = opened(full_site, open_page, width=width)
    bars = page.get_by_role("img", name=re.compile("^worker [0-3]: "))
    expect(bars).to_have_count(4)
    for bar in bars.all():
        whole = bar.bounding_box()
        pieces = [piece.bounding_box() for piece in bar.locator("i").all()]
        assert whole is not None
        assert sum(piece["width"] for piece in pieces if piece) == pytest.approx(whole["width"], abs=1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_tables_behind_the_charts_open_with_the_keyboard(full_site: Site, open_page: PageMaker) -> None:
    page = opened(full_site, open_page)
    page.get_by_role("tab", name="Why it waited").focus()
    page.keyboard.press("Tab")  # into the panel: the first thing in it is the table behind the bars
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Wall time of each worker by part")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("run", [0, 2])  # ssp, predictive
def test_nothing_keeps_a_reader_out(full_site: Site, open_page: PageMaker, run: int, scheme: str) -> None:
    page = opened(full_site, open_page, run, scheme=scheme)
    for behind in page.locator("summary").all():
        behind.click()
    assert violations(page, within='section[aria-label="Details of the run"]') == []


def test_predictions_are_held_against_what_came(full_site: Site, open_page: PageMaker) -> None:
    page = opened(full_site, open_page, run=2)
    expect(page.get_by_role("rowheader", name="updates, as last predicted")).to_be_visible()
