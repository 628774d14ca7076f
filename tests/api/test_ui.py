"""The built dashboard as files: which are served, for how long they may be kept, and that nothing else is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from backend.ui import Dashboard

SECRET = b"a secret"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A built dashboard, and beside it what must not be served."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(b"<title>Foresync</title>")
    (folder / "assets" / "app-1a2b.js").write_bytes(b"start()")
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
    return Path(response.path).read_bytes() if isinstance(response, FileResponse) else None


def test_hashed_files_are_kept_for_ever_and_the_page_is_not(root: Path) -> None:
    assert served(root, "/assets/app-1a2b.js") == b"start()"
    assert "immutable" in answer(root, "/assets/app-1a2b.js").headers["cache-control"]
    assert served(root, "/favicon.svg") == b"<svg/>"
    for path in ("/", "/favicon.svg"):
        assert answer(root, path).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/", "/runs", "/runs/", "/runs/0123", "/experiments/new", "/compare"])
def test_every_address_of_a_view_shows_the_page(root: Path, path: str) -> None:
    assert served(root, path) == b"<title>Foresync</title>"


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
