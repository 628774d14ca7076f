"""The main job, as a person does it: start from the form, watch, look at the history, compare."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from backend.client import Client
from tests.browser.conftest import PageMaker
from tests.browser.site import Site

RUN_S = "8"
RUNS_END_MS = 120_000
NAME = "From the form"
WATCHED = "worker 3"  # the slow one: the others wait for it, and are seldom seen to compute
# The iteration at which a node computes, once it is past another; in one look, since the next state comes within one.
COMPUTES = """([worker, least]) => {
    const row = [...document.querySelectorAll("tr")].find(row => row.innerText.startsWith(worker));
    const found = row?.innerText.match(/computing iteration (\\d+)/);
    return found && Number(found[1]) > least ? Number(found[1]) : null;
}"""


def test_an_experiment_from_the_form_to_the_comparison(full_site: Site, open_page: PageMaker) -> None:
    page = open_page(full_site)
    fill_in_the_form(page)
    page.get_by_role("button", name="Start 2 runs").click()

    expect(page.get_by_role("heading", name=NAME)).to_be_visible()
    page.get_by_role("table", name=f"Runs of {NAME}").get_by_role("link").first.click()
    with Client(full_site.url) as client:
        watch_nodes_move(page, client)

    page.get_by_role("link", name="History").click()
    mine = page.get_by_role("row").filter(has_text=NAME)
    expect(mine).to_have_count(2)
    expect(mine.filter(has_text="completed")).to_have_count(2, timeout=RUNS_END_MS)
    for row in mine.all():
        row.get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare 2").click()

    expect(page.get_by_role("heading", name="Compare 2 runs")).to_be_visible()
    differences = page.get_by_role("region", name="Settings that differ")
    expect(differences).to_contain_text("ssp")
    expect(differences).to_contain_text("predictive")
    expect(page.get_by_role("region", name="Each run")).to_contain_text(re.compile("utilisation", re.IGNORECASE))
    expect(page.get_by_role("region", name="Settings", exact=True)).to_contain_text("baseline", ignore_case=True)
    expect(page.get_by_role("region", name="Curves").locator("figure canvas").first).to_be_visible()


def fill_in_the_form(page: Page) -> None:
    """Take the demonstration, give it a name and let each run last a few seconds."""
    page.get_by_role("radio", name="One slow worker, waiting or predicting").check()
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_role("button", name=re.compile("^(Stop|End)")).click()
    page.get_by_label("Seconds", exact=True).fill(RUN_S)


def watch_nodes_move(page: Page, client: Client) -> None:
    """See a worker go on, in the words of the lanes and in their picture, while the run still trains."""
    run_id = page.url.rsplit("/", 1)[-1]
    first = page.wait_for_function(COMPUTES, arg=[WATCHED, -1]).json_value()
    picture = page.get_by_role("application", name="Timeline of the nodes").screenshot()
    page.wait_for_function(COMPUTES, arg=[WATCHED, first + 2])
    assert page.get_by_role("application", name="Timeline of the nodes").screenshot() != picture
    assert client.run(run_id).state == "running", "the nodes were seen to move only after the end"
