"""The built dashboard as files: which are served, for how long they may be kept, and that nothing else is."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from starlette.requests import Request
from starlette.responses import Response

from backend.ui import Dashboard, first_asks, with_hints

SECRET = b"a secret"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A built dashboard, and beside it what must not be served."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<title>Foresync</title>")
    (folder / "assets" / "app-1a2b.js").write_bytes(b"start()")
    (folder / "theme.js").write_bytes(b"paint()")
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    (tmp_path / "secret.js").write_bytes(SECRET)
    (folder / "assets" / "link.js").symlink_to(tmp_path / "secret.js")
    (folder / "assets" / "out").symlink_to(tmp_path)
    return folder


def answer(root: Path, path: str, method: str = "GET") -> Response:
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    return asyncio.run(Dashboard(root).answer(Request(scope)))


def served(root: Path, path: str) -> bytes | None:
    """Give the content of the file that is served, or None."""
    response = answer(root, path)
    return bytes(response.body) if response.status_code == 200 else None


def test_hashed_files_are_kept_for_ever_and_the_page_is_not(root: Path) -> None:
    assert served(root, "/assets/app-1a2b.js") == b"start()"
    assert "immutable" in answer(root, "/assets/app-1a2b.js").headers["cache-control"]
    assert served(root, "/favicon.svg") == b"<svg/>"
    assert "max-age=3600" in answer(root, "/favicon.svg").headers["cache-control"]
    for path in ("/", "/theme.js"):
        assert answer(root, path).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/", "/runs/0123", "/experiments/new", "/compare"])
def test_every_address_of_a_view_shows_the_page(root: Path, path: str) -> None:
    response = answer(root, path)
    assert response.status_code == 200
    assert bytes(response.body).startswith(b"<title>Foresync</title>")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/nothing",
        "/runs/a.b",
        "/runs/..",
        "/runs//x",
        "//",
        "/runs/\n",
        "/index.html",
        "/assets",
        "/assets/",
    ],
)
def test_an_address_of_nothing_is_not_found(root: Path, path: str) -> None:
    assert answer(root, path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.js",
        "/assets/../../secret.js",
        "/assets/./../../secret.js",
        "/assets/link.js",
        "/assets/out/secret.js",
        "/assets/..\\..\\secret.js",
        "/assets/%2e%2e/%2e%2e/secret.js",
        "/assets/app-1a2b.js/../../../secret.js",
        "/assets/app-1a2b.js\0",
        "/assets/;/../../secret.js",
        "/runs/../../secret.js",
    ],
)
def test_nothing_outside_is_served(root: Path, path: str) -> None:
    assert answer(root, path).status_code == 404
    assert answer(root, str(root.parent / "secret.js")).status_code == 404


def test_the_page_can_only_be_read(root: Path) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert answer(root, "/", method).status_code == 405


def test_a_new_build_is_seen_without_a_restart(root: Path) -> None:
    dashboard = Dashboard(root)
    request = Request({"type": "http", "method": "GET", "path": "/assets/new.js", "headers": [], "query_string": b""})
    assert asyncio.run(dashboard.answer(request)).status_code == 404
    (root / "assets" / "new.js").write_bytes(b"new()")
    os.utime(root / "index.html", ns=(1, 1))  # a build writes the page last
    assert asyncio.run(dashboard.answer(request)).status_code == 200


def test_a_dashboard_that_is_not_built_says_so(tmp_path: Path) -> None:
    response = answer(tmp_path / "static", "/runs")
    assert response.status_code == 503
    assert b"make setup" in response.body


MANIFEST = {
    "index.html": {"file": "assets/index-1.js", "css": ["assets/index-1.css"], "isEntry": True},
    "_form.js": {"file": "assets/form-2.js", "css": ["assets/form-2.css"], "imports": ["index.html"]},
    "src/experiments/ExperimentsPage.tsx": {
        "file": "assets/ExperimentsPage-3.js",
        "css": ["assets/ExperimentsPage-3.css"],
        "imports": ["_form.js", "index.html"],
    },
    "src/run/RunPage.tsx": {"file": "assets/RunPage-4.js", "imports": ["_form.js"]},
    "src/history/HistoryPage.tsx": {"file": "assets/HistoryPage-5.js"},
    "src/compare/ComparePage.tsx": {"file": "assets/ComparePage-6.js", "dynamicImports": ["charts.js"]},
    "charts.js": {"file": "assets/charts-7.js"},
}
PAGE = (
    '<html><head><script type="module" crossorigin src="/assets/index-1.js"></script>'
    '<link rel="stylesheet" crossorigin href="/assets/index-1.css"></head></html>'
)


def hints(path: str) -> list[tuple[str, str]]:
    page = with_hints(PAGE, path, MANIFEST)
    return [(kind, unescape(href)) for kind, href in re.findall(r'<link rel="([^"]+)"[^>]* href="([^"]+)"', page)]


def answers(path: str, query: str = "") -> list[str]:
    """Give what the view asks the API for first, but for what every view asks."""
    return [one for one in first_asks(path, parse_qs(query)) if one not in ("queue", "catalogue")]


def test_the_page_names_what_its_view_will_fetch() -> None:
    found = hints("/experiments")
    assert ("modulepreload", "/assets/ExperimentsPage-3.js") in found
    assert ("modulepreload", "/assets/form-2.js") in found
    assert ("stylesheet", "/assets/ExperimentsPage-3.css") in found
    assert found.count(("stylesheet", "/assets/index-1.css")) == 1  # it stood in the page already
    assert "catalogue" in first_asks("/experiments", {})
    assert answers("/runs/r-1") == ["runs/r-1", "runs/r-1/timeline"]
    assert not [one for one in hints("/runs/r-1") if "Experiments" in one[1]]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", "runs/rows?sort=-created_at&limit=100"),
        ("size=500&sort=name&page=2&cursor=abc", "runs/rows?sort=name&limit=500&cursor=abc"),
        ("size=7", "runs/rows?sort=-created_at&limit=100"),
        # As URLSearchParams writes it: the browser looks for the very same address.
        (
            "filter=+tag:a~b*,c%20+%22d%26%22",
            "runs/rows?filter=tag%3Aa%7Eb*%2Cc++%22d%26%22&sort=-created_at&limit=100",
        ),
    ],
)
def test_the_history_is_asked_for_with_its_page(query: str, rows: str) -> None:
    assert answers("/runs", query) == [rows, "baseline", "views"]


def test_an_older_address_of_the_history_is_left_to_the_browser() -> None:
    assert answers("/runs", "policy=ssp") == ["baseline"]


def test_a_comparison_is_asked_for_with_its_page() -> None:
    assert answers("/compare", "runs=a,b,,a&baseline=b") == [
        "compare?runs=a%2Cb&baseline=b",
        "compare/curves?runs=a%2Cb",
    ]
    assert answers("/compare", "runs=a&baseline=other")[0] == "compare?runs=a"
    assert answers("/compare") == []
    assert ("modulepreload", "/assets/charts-7.js") in hints("/compare")


def test_a_view_without_a_known_script_has_the_plain_page() -> None:
    assert with_hints(PAGE, "/runs/a/b", MANIFEST) == PAGE
    assert first_asks("/runs/a/b", {}) == []
    assert with_hints(PAGE, "/experiments", {}) == PAGE


def test_packed_files_are_sent_to_whoever_takes_them(root: Path) -> None:
    (root / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"start()"))
    scope = {"type": "http", "method": "GET", "path": "/assets/app-1a2b.js", "query_string": b""}

    def ask(encoding: bytes) -> Response:
        headers = [(b"accept-encoding", encoding)]
        return asyncio.run(Dashboard(root).answer(Request({**scope, "headers": headers})))

    packed = ask(b"br, gzip;q=0.8")
    assert gzip.decompress(bytes(packed.body)) == b"start()"
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"].startswith("text/javascript")
    for encoding in (b"", b"br", b"gzip;q=0", b"gzip; q=0.0"):
        plain = ask(encoding)
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == "Accept-Encoding"
    assert answer(root, "/assets/app-1a2b.js.gz").status_code == 404


def test_the_manifest_is_not_served_and_a_damaged_one_does_no_harm(root: Path) -> None:
    (root / "manifest.json").write_text("{")
    assert answer(root, "/manifest.json").status_code == 404
    assert answer(root, "/experiments").status_code == 200
