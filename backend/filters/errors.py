"""What is wrong with a filter, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from backend.errors import BadValue
from backend.filters.syntax import Place


class FilterError(BadValue):
    """A filter cannot be read; `place` says which characters of it are wrong.

    As a problem of REST its field is `filter[START:END]`: the characters from START up to END, counted from 0.
    """

    def __init__(self, text: str, place: Place, wish: str) -> None:
        given = text[place.start : place.end]
        super().__init__(f"filter[{place.start}:{place.end}]", given, wish)
        self.place = place
        what = f"{given!r} {wish}" if given else f"here {wish}"
        self.args = (f"The filter cannot be read at character {place.start + 1}: {what}",)


def nearest(word: str, known: Iterable[str]) -> str:
    """Give what may have been meant, as the end of a sentence; empty when nothing is near."""
    found = difflib.get_close_matches(word.lower(), list(known), n=3, cutoff=0.6)
    if not found:
        return ""
    return f"; near it: {found[0]}" if len(found) == 1 else f"; near it: {', '.join(found[:-1])} and {found[-1]}"
