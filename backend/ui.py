"""The built dashboard: the files of `backend/static`, and its one page under every address of a view.

A request never becomes a path of the file system: it is looked up in the list of the files that are there. The page
names, for the view that is asked for, the scripts that this view needs, so that the browser fetches them beside its
first script and not after it, and it holds what the view will ask the API for first (`first_answers.py`). Files are
kept in memory once they were asked for, and those that the build has packed (`.gz` beside them) are sent packed to
whoever takes that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from backend.api.problems import problem_response
from backend.first_answers import Ask, written
from backend.pages import NOT_BUILT_PAGE

STATIC_DIR = Path(__file__).parent / "static"
VIEWS = re.compile(r"/(?:(?:experiments|runs|compare)(?:/[A-Za-z0-9_-]+)*/?)?", re.ASCII)
IMMUTABLE = "public, max-age=31536000, immutable"
KEPT = {"/favicon.svg": "public, max-age=3600"}  # an old one does no harm
MANIFEST = "/manifest.json"  # of the build: which script needs which files
PACKED = ".gz"

Query = Mapping[str, list[str]]

_EVERYWHERE = ("queue", "catalogue")  # for the header, and for the names of policies


def _history_asks(query: Query) -> tuple[str, ...]:
    """Name what `frontend/src/history/view.ts` makes of the address, to the letter; else nothing."""
    if query.keys() & {"state", "policy", "dataset", "tag", "q"}:  # an address of before there was one filter
        return ("baseline", *_EVERYWHERE)
    size = _one(query, "size")
    wanted = {
        "filter": _one(query, "filter").strip(),
        "sort": _one(query, "sort") or "-created_at",
        "limit": size if size == "500" else "100",
        "cursor": _one(query, "cursor"),
    }
    return (f"runs/rows?{_encode(wanted)}", "baseline", "views", *_EVERYWHERE)


def _compare_asks(query: Query) -> tuple[str, ...]:
    run_ids = list(dict.fromkeys(filter(None, _one(query, "runs").split(","))))
    if not run_ids:
        return ()
    baseline = _one(query, "baseline")
    runs = {"runs": ",".join(run_ids), "baseline": baseline if baseline in run_ids else ""}
    return (f"compare?{_encode(runs)}", f"compare/curves?{_encode({'runs': runs['runs']})}", *_EVERYWHERE)


# For each view: its script in the sources, and what it asks the API for first. `{id}`: the last part of the address.
_FIRST: tuple[tuple[re.Pattern[str], str, tuple[str, ...] | Callable[[Query], tuple[str, ...]]], ...] = (
    (
        re.compile(r"/(?:experiments/?)?"),
        "src/experiments/ExperimentsPage.tsx",
        ("catalogue", "experiments", "queue"),
    ),
    (
        re.compile(r"/experiments/(?P<id>[\w-]+)/?"),
        "src/experiments/ExperimentPage.tsx",
        ("experiments/{id}", "queue", "catalogue"),
    ),
    (re.compile(r"/runs/?"), "src/history/HistoryPage.tsx", _history_asks),
    (
        re.compile(r"/runs/(?P<id>[\w-]+)/?"),
        "src/run/RunPage.tsx",
        ("runs/{id}", "runs/{id}/timeline", "queue", "catalogue"),
    ),
    (re.compile(r"/compare/?"), "src/compare/ComparePage.tsx", _compare_asks),
)


@dataclass(slots=True)
class _Build:
    """What a build has left in the folder."""

    files: dict[str, Path] = field(default_factory=dict)  # by URL path
    contents: dict[Path, bytes] = field(default_factory=dict)  # of those that were asked for
    page: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)


class Dashboard:
    """Serve the files under `root`; hashed ones (in assets/) may be kept by the browser for ever.

    Args:
        root: where the build is.
        ask: looks up what a page holds of the API's answers; without it pages hold none.
    """

    def __init__(self, root: Path = STATIC_DIR, ask: Ask | None = None) -> None:
        self._root = root
        self._ask = ask
        self._built_at: int | None = None
        self._build = _Build()

    async def answer(self, request: Request) -> Response:
        """Answer a request outside the API."""
        path = request.scope["path"]
        if request.method not in ("GET", "HEAD"):
            return problem_response(405, f"{path!r} can only be read.", headers={"Allow": "GET, HEAD"})
        build = self._read_build()
        if path in build.files and path not in ("/index.html", MANIFEST) and not path.endswith(PACKED):
            return self._answer_file(request, build, path)
        if VIEWS.fullmatch(path):
            if not build.page:
                return HTMLResponse(NOT_BUILT_PAGE, 503, {"Cache-Control": "no-store"})
            return self._answer_page(request, build, path)
        return problem_response(404, f"There is no page {path!r}.")

    def _answer_page(self, request: Request, build: _Build, path: str) -> Response:
        page = with_hints(build.page, path, build.manifest)
        asks = first_asks(path, parse_qs(request.scope["query_string"].decode("latin-1")))
        if self._ask is None or not asks or request.method != "GET":
            return HTMLResponse(page, headers={"Cache-Control": "no-cache"})
        content = written(page, request.scope, asks, self._ask)
        # Not even for "back": what a page holds of the API is what was so when it was sent.
        return StreamingResponse(content, headers={"Cache-Control": "no-store"}, media_type="text/html")

    def _answer_file(self, request: Request, build: _Build, path: str) -> Response:
        headers = {"Cache-Control": IMMUTABLE if path.startswith("/assets/") else KEPT.get(path, "no-cache")}
        file, packed = build.files[path], build.files.get(path + PACKED)
        if packed is None:
            return Response(_content(build, file), headers=headers, media_type=_media_type(file))
        headers["Vary"] = "Accept-Encoding"
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
        else:
            packed = file
        return Response(_content(build, packed), headers=headers, media_type=_media_type(file))

    def _read_build(self) -> _Build:
        """Give what the build has left; read anew after each one."""
        index = self._root / "index.html"
        built_at = index.stat().st_mtime_ns if index.is_file() else None
        if built_at != self._built_at or built_at is None:
            root = self._root.resolve()
            found = [path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root)]
            files = {f"/{path.relative_to(root).as_posix()}": path for path in found}
            page = index.read_text(encoding="utf-8") if built_at is not None else ""
            self._build = _Build(files, page=page, manifest=_read_manifest(files.get(MANIFEST)))
            self._built_at = built_at
        return self._build


def with_hints(page: str, path: str, manifest: Mapping[str, Any]) -> str:
    """Name in the page the scripts and styles that the view at this address will fetch."""
    name = next((name for view, name, _ in _FIRST if view.fullmatch(path)), None)
    if name is None:
        return page
    scripts, styles = _needed(manifest, name)
    hints = [f'<link rel="modulepreload" crossorigin href="/{script}">' for script in scripts]
    hints += [
        f'<link rel="modulepreload" crossorigin fetchpriority="low" href="/{one}">' for one in _later(manifest, name)
    ]
    hints += [f'<link rel="stylesheet" crossorigin href="/{style}">' for style in styles]
    hints = [hint for hint in hints if hint.rpartition("href=")[2] not in page]
    return page.replace("</head>", "".join(f"  {hint}\n  " for hint in hints) + "</head>", 1)


def first_asks(path: str, query: Query) -> list[str]:
    """Give the addresses of the API, without its prefix, that the view at this address will ask first."""
    for view, _, asks in _FIRST:
        if match := view.fullmatch(path):
            return list(asks(query)) if callable(asks) else [ask.format_map(match.groupdict()) for ask in asks]
    return []


def takes_gzip(accepted: str) -> bool:
    """Tell from an Accept-Encoding header whether a packed file may be sent."""
    for part in accepted.split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _one(query: Query, name: str) -> str:
    return query.get(name, [""])[0]


def _encode(values: Mapping[str, str]) -> str:
    """Write a query as URLSearchParams does, so that the browser finds the answer; empty values are left out."""
    text = urlencode({name: value for name, value in values.items() if value}, safe="*")
    return text.replace("~", "%7E")


def _content(build: _Build, path: Path) -> bytes:
    found = build.contents.get(path)
    if found is None:
        found = build.contents[path] = path.read_bytes()
    return found


def _needed(manifest: Mapping[str, Any], name: str) -> tuple[list[str], list[str]]:
    """Give the scripts and the styles that a script needs, itself first."""
    scripts: list[str] = []
    styles: list[str] = []
    waiting, seen = [name], {name}
    while waiting:
        entry = manifest.get(waiting.pop(0))
        if not isinstance(entry, dict):
            continue
        scripts.append(entry["file"])
        styles += [style for style in entry.get("css", []) if style not in styles]
        new = [one for one in entry.get("imports", []) if one not in seen]
        seen.update(new)
        waiting += new
    return scripts, styles


def _later(manifest: Mapping[str, Any], name: str) -> list[str]:
    """Give the scripts that a view's own script fetches by itself, e.g. what draws charts."""
    own = manifest.get(name)
    later = own.get("dynamicImports", []) if isinstance(own, dict) else []
    return [manifest[one]["file"] for one in later if one in manifest]


def _read_manifest(path: Path | None) -> Mapping[str, Any]:
    """Read the build's manifest; without one the page works, a little later."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _media_type(path: Path) -> str:
    known = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    return known.get(path.suffix, "text/plain")
