"""A small SVG: a light card, legible on dark pages too, in the colours of the dashboard, without fonts of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH = 900
INK, QUIET, LINE, SUNKEN = "#171c21", "#55606b", "#d3d8dd", "#e7eaed"  # frontend/src/styles/tokens.css, light
GROUND, SURFACE = "#f5f6f7", "#ffffff"
COMPUTE, LOCAL, TRANSFER, WAIT, STALL = "#0069a6", "#3291c9", "#008f69", "#b37a00", "#cc4f00"
WAIT_INK = "#8a5c00"  # of words: WAIT is too light for them
WAITS, TRANSFERS = "url(#w)", "url(#m)"  # hatched and dotted, so that colour is not all that tells them apart

Place = tuple[float, float]  # x to the right, y downwards, in pixels

_FACE = "system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',sans-serif"
_PATTERN = "<pattern id='{}' width='{}' height='{}' patternUnits='userSpaceOnUse'{}>{}</pattern>"
_HATCH = f"<path d='M0 0H5V5H0Z' fill='{WAIT}'/><path d='M0 0V5' stroke='#fff' stroke-opacity='.5' stroke-width='2'/>"
_DOTS = f"<path d='M0 0H4V4H0Z' fill='{TRANSFER}'/><circle cx='2' cy='2' r='.9' fill='#fff' fill-opacity='.7'/>"


@dataclass(frozen=True)
class Axis:
    """Maps [low, high] to pixels [first, last]; what lies outside is put to the nearer end."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)


class Picture:
    """Parts are drawn in the order of the calls."""

    def __init__(self, height: float, title: str, description: str) -> None:
        self._parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {short(height)}' width='{WIDTH}' "
            f"height='{short(height)}' role='img' aria-labelledby='t d' font-family=\"{_FACE}\" font-size='12'>",
            f"<title id='t'>{escape(title)}</title><desc id='d'>{escape(description)}</desc><defs>",
            _PATTERN.format("w", 5, 5, " patternTransform='rotate(45)'", _HATCH),
            _PATTERN.format("m", 4, 4, "", _DOTS),
            f"</defs><rect x='.5' y='.5' width='{WIDTH - 1}' height='{short(height - 1)}' rx='4' "
            f"fill='{GROUND}' stroke='{LINE}'/>",
        ]
        self.text((16, 26), title, weight="600")

    def box(self, place: Place, size: Place, fill: str, stroke: str = "") -> None:
        """Draw a rectangle by its upper left corner, its width and its height."""
        (x, y), (width, height) = place, size
        edge = f" stroke='{stroke}'" if stroke else ""
        self._parts.append(
            f"<rect x='{short(x)}' y='{short(y)}' width='{short(width)}' height='{short(height)}' fill='{fill}'{edge}/>"
        )

    def path(self, path: str, stroke: str = INK, *, width: float = 1.0, fill: str = "none", dash: str = "") -> None:
        """Draw a path in the words of SVG; a width of 0 draws no line."""
        edge = f" stroke='{stroke}' stroke-width='{short(width)}'" if width else ""
        dashes = f" stroke-dasharray='{dash}'" if dash else ""
        self._parts.append(f"<path d='{path}' fill='{fill}'{edge}{dashes}/>")

    def line(self, places: Sequence[Place], stroke: str = INK, *, width: float = 1.0, dash: str = "") -> None:
        """Draw straight lines from place to place."""
        self.path("M" + "L".join(f"{short(x)} {short(y)}" for x, y in places), stroke, width=width, dash=dash)

    def arrow(self, start: Place, end: Place, stroke: str, dash: str = "") -> None:
        """Draw a line with a head at its end."""
        self.line((start, end), stroke, width=1.8, dash=dash)
        (x1, y1), (x2, y2) = start, end
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        ux, uy = (x2 - x1) / length * 8, (y2 - y1) / length * 8
        corners = (end, (x2 - ux - uy * 0.45, y2 - uy + ux * 0.45), (x2 - ux + uy * 0.45, y2 - uy - ux * 0.45))
        self.path("M" + "L".join(f"{short(x)} {short(y)}" for x, y in corners) + "Z", width=0, fill=stroke)

    def measure(self, start: Place, x: float, text: str, stroke: str) -> None:
        """Draw a measure from a place to the right, with its words to the left of it."""
        left, y = start
        ends = f"M{short(left)} {short(y - 4)}v8M{short(left)} {short(y)}H{short(x)}M{short(x)} {short(y - 4)}v8"
        self.path(ends, stroke, width=1.5)
        self.text((left - 6, y + 4), text, stroke, "end")

    def text(self, place: Place, text: str, fill: str = INK, anchor: str = "start", *, weight: str = "") -> None:
        """Write a line; `anchor` says which part of it stands at the place: start, middle, end."""
        bold = f" font-weight='{weight}'" if weight else ""
        where = "" if anchor == "start" else f" text-anchor='{anchor}'"
        x, y = place
        self._parts.append(f"<text x='{short(x)}' y='{short(y)}' fill='{fill}'{where}{bold}>{escape(text)}</text>")

    def legend(self, place: Place, words: Sequence[tuple[str, str]]) -> None:
        """Say which fills stand for what, from left to right."""
        x, y = place
        for fill, text in words:
            self.box((x, y - 9), (22, 10), fill)
            self.text((x + 28, y), text, QUIET)
            x += 46 + 6.2 * len(text)

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text("\n".join([*self._parts, "</svg>\n"]), encoding="utf-8")


def short(value: float) -> str:
    """Give a number of pixels as text, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
