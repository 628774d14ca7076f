"""How the pages behave in use: nothing jumps, fingers move the timeline, the history is put in order."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.conftest import PageMaker
from tests.browser.site import Site
from tests.browser.test_pages import settle

MAX_SHIFT = 0.02  # of the cumulative layout shift; up to 0.1 passes for good on the web
SHIFTS = """() => new Promise(resolve => {
    const found = [];
    new PerformanceObserver(list => found.push(...list.getEntries())).observe({type: "layout-shift", buffered: true});
    setTimeout(() => resolve(found.filter(({hadRecentInput}) => !hadRecentInput).map(({value, sources}) => [
        value, sources.map(({node}) => `${node?.parentElement?.className} > ${node?.className}`).join("; ")
    ])), 100);
})"""


@pytest.mark.parametrize(
    ("name", "is_empty"),
    [("run", False), ("history", False), ("compare", False), ("experiments", False), ("history", True)],
)
def test_nothing_jumps_when_the_data_arrives(
    full_site: Site, empty_site: Site, open_page: PageMaker, name: str, is_empty: bool
) -> None:
    site = empty_site if is_empty else full_site
    page = open_page(site, site.pages()[name])
    settle(page)
    shifts = page.evaluate(SHIFTS)
    assert sum(value for value, _ in shifts) <= MAX_SHIFT, shifts


def test_fingers_move_and_zoom_the_timeline(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, full_site.pages()["run"], width=400, height=860)
    settle(page)
    timeline = page.get_by_role("application", name="Timeline of the nodes")
    timeline.scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    x, y = middle_of(timeline)

    swipe(touch, [((x - 20, y), (x - 80, y)), ((x + 20, y), (x + 80, y))])
    page.wait_for_url(re.compile(r"from="))
    before = stretch_of(page)
    swipe(touch, [((x + 60, y), (x - 20, y))])
    page.wait_for_function("before => location.href !== before", arg=page.url)
    after = stretch_of(page)
    assert after[0] > before[0], "a finger to the left shows what is later"
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], rel=0.02), "one finger does not zoom"


PICTURE = "() => document.querySelector('[data-timeline] canvas').toDataURL()"
IS_SAME = f"before => ({PICTURE})() === before"


def test_a_timeline_that_has_moved_rests_at_the_picture_of_a_fresh_one(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site, full_site.pages()["run"])
    settle(page)
    timeline = page.get_by_role("application", name="Timeline of the nodes")
    timeline.focus()
    timeline.press("w")
    page.wait_for_url(re.compile(r"from="))
    page.wait_for_timeout(1_000)  # what is seen, and the shares beside it
    picture = page.evaluate(PICTURE)
    for there, back in (("d", "a"), ("a", "d")):
        for key in (there, there, back, back):
            timeline.press(key)
            page.wait_for_timeout(300)  # of a glide, longer on a slow machine: it then aims on from where it was going
            assert key == back or page.evaluate(PICTURE) != picture
        page.wait_for_function(IS_SAME, arg=picture, timeout=10_000)


def middle_of(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + min(box["height"], 300) / 2


Place = tuple[float, float]


def swipe(touch: CDPSession, fingers: Iterable[tuple[Place, Place]], num_steps: int = 6) -> None:
    """Put fingers down, move each from its first to its second place, lift them."""
    ways = list(fingers)
    for step in range(num_steps + 1):
        share = step / num_steps
        points = [
            {"id": number, "x": start[0] + share * (end[0] - start[0]), "y": start[1] + share * (end[1] - start[1])}
            for number, (start, end) in enumerate(ways)
        ]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if step else "touchStart", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def stretch_of(page: Page) -> tuple[float, float]:
    """Give the stretch of time in the address."""
    found = re.search(r"from=([\d.]+)&to=([\d.]+)", page.url)
    assert found is not None, page.url
    return float(found[1]), float(found[2])


def test_the_history_is_put_in_order(full_site: Site, open_page: PageMaker) -> None:
    """Filter, keep a view, tag, pin, archive and undo, delete and undo, delete and restore: all is as before."""
    page = open_page(full_site, "/runs")
    filter_runs(page, "policy:ssp name:finished")
    # Those of the site alone: other tests may have cloned one.
    rows = page.locator(", ".join(f'tr[data-run="{run_id}"]' for run_id in full_site.run_ids))
    expect(rows).to_have_count(2)
    keep_and_forget_a_view(page)

    row = rows.first
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("New tags").fill("for the paper")
    page.get_by_role("button", name="Save tags").click()
    expect(row.get_by_role("button", name="for the paper", exact=True)).to_be_visible()
    undo(page, "Tagged 1 run for the paper.")
    expect(page.get_by_role("button", name="for the paper", exact=True)).to_have_count(0)

    pin_and_unpin(page, row)
    for button, notice in (("Archive", "Archived 1 run."), ("Delete", "Put 1 run into the bin")):
        row.get_by_role("checkbox").check()
        page.get_by_role("button", name=button, exact=True).click()
        expect(rows).to_have_count(1)
        undo(page, notice)
        expect(rows).to_have_count(2)
    delete_and_restore(page, rows)


def filter_runs(page: Page, text: str) -> None:
    """Type a filter as a person does, and leave its completions."""
    box = page.get_by_role("combobox", name="Filter the runs")
    box.click()
    box.press_sequentially(text[:8])
    expect(page.get_by_role("option", name="ssp")).to_be_visible()
    box.press_sequentially(text[8:])
    box.press("Enter")
    page.wait_for_url(re.compile(r"filter=policy"))
    box.press("Escape")


def keep_and_forget_a_view(page: Page) -> None:
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of the view").fill("What waits")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="What waits")).to_have_attribute("href", re.compile("filter=policy"))
    page.get_by_role("button", name="Delete the view What waits").click()
    expect(page.get_by_role("link", name="What waits")).to_have_count(0)
    page.keyboard.press("Escape")


def pin_and_unpin(page: Page, row: Locator) -> None:
    for button in ("Pin as baseline", "Unpin the baseline"):
        row.get_by_role("button", name=re.compile("^Name, tags and notes")).click()
        page.get_by_role("button", name=button).click()
        page.get_by_role("button", name="Cancel").click()
        expect(row.get_by_text("baseline", exact=True).first).to_be_visible(visible=button.startswith("Pin"))


def undo(page: Page, notice: str) -> None:
    """Press the button beside what a notice says."""
    page.get_by_text(notice).locator("xpath=..").get_by_role("button", name="Undo").click()


def delete_and_restore(page: Page, rows: Locator) -> None:
    rows.first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="The bin").click()
    expect(page.get_by_role("heading", name="History: the bin")).to_be_visible()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_text("The bin is empty.")).to_be_visible()
