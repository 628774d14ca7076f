"""Pictures of a page in one state, in three widths, light and dark, and whether everybody can use it in all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "tests" / "screenshots"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {1280: 800, 400: 860, 2560: 1440}
NARROWEST = 320
ALIKE = "tbody tr:nth-of-type(n+12)"  # of a long table; axe would take seconds for rows that are as the first ones
SCHEMES = ("light", "dark")
PAINTED = (
    """() => new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))"""
)


def look(
    page: Page, name: str, *, is_whole: bool = False, sizes: dict[int, int] = SIZES, without: Sequence[str] = ()
) -> None:
    """Take the pictures of what the page shows now; the state has to survive a change of size and scheme.

    Args:
        page: any, loaded.
        name: of the pictures, which end in scheme and width.
        is_whole: the picture shows what lies below the window as well.
        sizes: heights of the window by its widths.
        without: rules of axe that this state need not keep.

    Raises:
        AssertionError: something is wider than the window, or axe has found something.
    """
    SCREENSHOTS.mkdir(exist_ok=True)
    for width, height in sizes.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(100)  # charts follow the size of their box with the next frames
        assert not is_wider_than_the_window(page), f"{name} scrolls sideways at {width} px"
        for scheme in SCHEMES:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.evaluate(PAINTED)
            if is_whole:
                page.evaluate("scrollTo(0, 0)")  # or the header would stand in the middle of the picture
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=is_whole)
            if width == 1280:
                only = () if scheme == SCHEMES[0] else ("color-contrast",)  # a scheme changes nothing but colours
                assert violations(page, without, only) == [], f"{name}, {scheme}, at {width} px"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def violations(page: Page, without: Sequence[str] = (), only: Sequence[str] = (), within: str = "html") -> list[str]:
    """Run axe on the page or a part of it, all its rules or some; give what it has found, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    rules = {"runOnly": list(only)} if only else {}
    where = {"include": [within], "exclude": [ALIKE]}
    options = {"resultTypes": ["violations"], **rules}
    results: Any = page.evaluate("([where, options]) => axe.run(where, options)", [where, options])
    return [
        f"{found['id']}: {found['help']}: {json.dumps([node['target'] for node in found['nodes']][:5])}"
        for found in results["violations"]
        if found["id"] not in without
    ]
