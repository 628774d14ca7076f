"""The frame of a report: one HTML file with its style, its figures and the library that draws them inside.

Nothing that a person wrote gets into the file but through `escape`, or through `embed`, which lets no text end the
script that it stands in. The file asks no other computer for anything, and says so to the browser.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import orjson

PLOT_LIBRARY = ("package_data", "plotly.min.js")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"


def escape(text: object) -> str:
    """Give the text as HTML that says just that."""
    return html.escape(str(text), quote=True)


def embed(data: Any) -> str:
    """Give data as JSON that may stand in a script; no text in it can end the script or begin a comment."""
    plain = orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS).decode()
    for sign in "<>&\u2028\u2029":
        plain = plain.replace(sign, f"\\u{ord(sign):04x}")
    return plain


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    title: str
    body: str  # HTML
    note: str = ""  # how its numbers came about, plain text


def figure(key: str, caption: str, note: str = "", height: int = 260) -> str:
    """Give the place of a figure; `key` names it in the page's data."""
    said = f"<p class=note>{escape(note)}</p>" if note else ""
    return (
        f'<figure><figcaption>{escape(caption)}</figcaption><div class=plot data-figure="{escape(key)}" '
        f'style="height:{height}px" role=img aria-label="{escape(caption)}"></div>'
        f"<div class=legend></div>{said}</figure>"
    )


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    num_texts: int = 1,
    *,
    is_tall: bool = False,
) -> str:
    """Give a table, every cell escaped but for a `Mark`, which is HTML already.

    Args:
        caption: for screen readers.
        head: names of the columns.
        rows: cells.
        num_texts: the first so many columns hold text, the others figures.
        is_tall: it scrolls in itself on a screen; on paper it is whole.
    """
    kind = "scroll tall" if is_tall else "scroll"
    names = "".join(
        f"<th scope=col{'' if place < num_texts else ' class=right'}>{escape(name)}" for place, name in enumerate(head)
    )
    lines = []
    for row in rows:
        cells = "".join(_cell(value, place, num_texts) for place, value in enumerate(row))
        lines.append(f"<tr>{cells}")
    return (
        f'<div class="{kind}" tabindex=0 role=group aria-label="{escape(caption)}"><table><caption>{escape(caption)}'
        f"</caption><thead><tr>{names}</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


class Mark(str):
    """HTML that this package made."""

    __slots__ = ()


def _cell(value: object, place: int, num_texts: int) -> str:
    shown = value if isinstance(value, Mark) else escape(value)
    if place == 0:
        return f"<th scope=row>{shown}"
    return f"<td>{shown}" if place < num_texts else f"<td class=right>{shown}"


def write_page(title: str, header: str, sections: Iterable[Section], figures: dict[str, Any]) -> Iterator[bytes]:
    """Give the page in pieces: the header before the sections are drawn, `figures` when all of them were."""
    yield (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{escape(title)}</title>"
        f'<meta name=viewport content="width=device-width, initial-scale=1">'
        f'<meta name=color-scheme content="light dark">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><style>{_read("report.css")}</style></head>'
        f"<body><main>{header}"
    ).encode()
    for part in sections:
        note = f"<p class=note>{escape(part.note)}</p>" if part.note else ""
        yield f"<section><h2>{escape(part.title)}</h2>{part.body}{note}</section>".encode()
    yield f'</main><script type="application/json" id=figures>{embed(figures)}</script><script>'.encode()
    yield plot_library()
    yield f"</script><script>{_read('report.js')}</script></body></html>\n".encode()


@functools.cache
def plot_library() -> bytes:
    """Give the code that draws figures, as the package `plotly` brings it."""
    file = resources.files("plotly").joinpath(*PLOT_LIBRARY)
    return file.read_bytes().replace(b"</script", b"<\\/script")


@functools.cache
def _read(name: str) -> str:
    return resources.files("backend.export").joinpath(name).read_text(encoding="utf-8")
