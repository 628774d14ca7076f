"""What if and exports, in a real browser: asked by one click, and a report that opens offline."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import LIMIT_MS, PageMaker
from tests.browser.site import Site


def test_one_click_predicts_all_policies_and_a_selection_may_be_started(open_page: PageMaker, full_site: Site) -> None:
    page = open_page(full_site, f"/runs/{full_site.run_ids[0]}?tab=what-if")
    page.get_by_role("button", name="Predict all policies").click()
    expect(page.get_by_text("The recorded policy, predicted again, is off by")).to_be_visible(timeout=2 * LIMIT_MS)
    table = page.get_by_role("table", name=re.compile("The recorded run and what is predicted"))
    expect(table.get_by_text("measured", exact=True)).to_have_count(1)
    assert table.get_by_role("radio").count() >= 17
    table.get_by_role("radio").first.click()
    expect(page.get_by_role("button", name=re.compile("^Start .* as a real run$"))).to_be_enabled()
    page.reload()  # what is asked and selected stands in the address
    expect(table.get_by_role("radio").first).to_be_checked(timeout=2 * LIMIT_MS)


def test_a_report_is_saved_and_opens_without_the_server(
    open_page: PageMaker, browser: Browser, full_site: Site, tmp_path: Path
) -> None:
    page = open_page(full_site, f"/runs/{full_site.run_ids[0]}")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Report as HTML").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    context = browser.new_context(offline=True, color_scheme="dark")
    try:
        report = context.new_page()
        troubles: list[str] = []
        report.on("pageerror", lambda error: troubles.append(str(error)))
        report.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        report.goto(path.as_uri())
        expect(report.locator(".plot .main-svg").first).to_be_visible()
        assert report.locator("[data-figure]").count() == report.locator("[data-figure].js-plotly-plot").count() >= 5
        assert report.evaluate("document.documentElement.dataset.theme") == "dark"
        assert troubles == []
    finally:
        context.close()
