"""The built dashboard: the files of `backend/static`, and its one page under every address of a view.

A request never becomes a path of the file system: it is looked up in the list of the files that are there.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from backend.api.problems import problem_response
from backend.pages import NOT_BUILT_PAGE

STATIC_DIR = Path(__file__).parent / "static"
VIEWS = re.compile(r"/(?:(?:experiments|runs|compare)(?:/[A-Za-z0-9_-]+)*/?)?", re.ASCII)
IMMUTABLE = "public, max-age=31536000, immutable"


class Dashboard:
    """Serve the files under `root`; hashed ones (in assets/) may be kept by the browser for ever."""

    def __init__(self, root: Path = STATIC_DIR) -> None:
        self._root = root
        self._built_at: int | None = None
        self._files: dict[str, Path] = {}

    async def answer(self, request: Request) -> Response:
        """Answer a request outside the API."""
        path = request.scope["path"]
        if request.method not in ("GET", "HEAD"):
            return problem_response(405, f"{path!r} can only be read.", headers={"Allow": "GET, HEAD"})
        files = self._list()
        if path in files and path != "/index.html":
            cache = IMMUTABLE if path.startswith("/assets/") else "no-cache"
            return FileResponse(files[path], headers={"Cache-Control": cache})
        if VIEWS.fullmatch(path):
            if "/index.html" not in files:
                return HTMLResponse(NOT_BUILT_PAGE, 503, {"Cache-Control": "no-store"})
            return FileResponse(files["/index.html"], headers={"Cache-Control": "no-cache"})
        return problem_response(404, f"There is no page {path!r}.")

    def _list(self) -> dict[str, Path]:
        """Give the files by URL path; listed anew after each build."""
        index = self._root / "index.html"
        built_at = index.stat().st_mtime_ns if index.is_file() else None
        if built_at != self._built_at or built_at is None:
            root = self._root.resolve()
            found = [path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root)]
            self._files = {f"/{path.relative_to(root).as_posix()}": path for path in found}
            self._built_at = built_at
        return self._files
