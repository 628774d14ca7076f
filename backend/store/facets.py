"""How many runs of a filter have which policy, state, data set, tag, number of workers and kind of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.store import tags
from backend.store.database import Database
from backend.store.listing import Wanted
from backend.store.records import RunFilter
from backend.store.tables import Run, Tag

MAX_VALUES = 30  # of one facet; the commonest

# By name of the filter's key; in the order of the index that is walked through.
COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "policy": Run.policy,
    "state": Run.state,
    "dataset": Run.dataset,
    "workers": Run.num_workers,
    "simulated": Run.is_simulated,
    "tag": Run.tag_numbers,
}
ORDER = ("policy", "state", "dataset", "tag", "workers", "simulated")


@dataclass(frozen=True, slots=True)
class Facet:
    key: str
    counts: tuple[tuple[str, int], ...]  # the value as the filter writes it, and its runs; the commonest first
    num_others: int  # values that were left out


@dataclass(frozen=True, slots=True)
class Facets:
    total: int  # runs that match
    facets: tuple[Facet, ...]


def look_up(database: Database, wanted: RunFilter) -> Facets:
    """Count, or give what was counted before where nothing was written since.

    Raises:
        BadValue: the filter is wrong.
    """

    def ask() -> Facets:
        with database.read() as session:
            return count(session, wanted)

    # What a moment lets through also changes with the clock.
    return ask() if Wanted(wanted).filter.has_moment() else database.kept.get(("facets", wanted), ask)


def count(session: Session, wanted: RunFilter) -> Facets:
    """Count; a facet whose key stands in the filter's outermost level is counted without that part.

    So the other policies can be seen, and added, while the list shows one.

    Raises:
        BadValue: the filter is wrong.
    """
    read = Wanted(wanted)
    keys = tuple(COLUMNS)
    named = {key: part for key in keys if (part := read.filter.only(key)) is not None}
    # What the filter says about a key is true or false of a whole group, so that one look through the runs does.
    fitting = [read.filter.condition(part) for part in named.values()]
    columns = tuple(COLUMNS.values())
    query = select(*columns, func.count(), *fitting).where(*read.conditions(read.filter.without(*keys)))
    counters: list[defaultdict[Any, int]] = [defaultdict(int) for _ in keys]
    places = [keys.index(key) for key in named]
    total = 0
    for row in session.connection().execute(query.group_by(*columns)).all():
        num = row[len(keys)]
        missed = [index for index, fits in enumerate(row[len(keys) + 1 :]) if not fits] if named else ()
        if not missed:
            total += num
            for counter, value in zip(counters, row, strict=False):
                counter[value] += num
        elif len(missed) == 1:
            place = places[missed[0]]
            counters[place][row[place]] += num
    counts = dict(zip(keys, counters, strict=True))
    found = {key: _facet(key, {_written(value): num for value, num in counts[key].items()}) for key in keys}
    found["tag"] = _facet("tag", _by_tag(session, counts["tag"]))
    return Facets(total, tuple(found[key] for key in ORDER))


def _by_tag(session: Session, counts: Mapping[str, int]) -> Counter[str]:
    """Give the runs of each tag, from those of each set of tags."""
    by_number: Counter[int] = Counter()
    for text, num in counts.items():
        for number in tags.read(text):
            by_number[number] += num
    names = {row[0]: row[1] for row in session.execute(select(Tag.id, Tag.tag))} if by_number else {}
    return Counter({names[number]: num for number, num in by_number.items()})


def _facet(key: str, counts: Mapping[str, int]) -> Facet:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if key == "workers":
        ordered = sorted(ordered[:MAX_VALUES], key=lambda item: int(item[0])) + ordered[MAX_VALUES:]
    return Facet(key, tuple(ordered[:MAX_VALUES]), max(0, len(ordered) - MAX_VALUES))


def _written(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
