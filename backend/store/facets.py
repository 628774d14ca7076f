"""How many runs of a filter have which policy, state, data set, tag, number of workers and kind of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from backend.filters.conditions import Condition
from backend.filters.elements import Unindexed
from backend.store.listing import Wanted
from backend.store.records import RunFilter
from backend.store.tables import Run, RunTag

MAX_VALUES = 30  # of one facet; the commonest

# By name of the filter's key; in the order of the index that is walked through.
COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "policy": Run.policy,
    "state": Run.state,
    "dataset": Run.dataset,
    "workers": Run.num_workers,
    "simulated": Run.is_simulated,
}


@dataclass(frozen=True, slots=True)
class Facet:
    key: str
    counts: tuple[tuple[str, int], ...]  # the value as the filter writes it, and its runs; the commonest first
    num_others: int  # values that were left out


@dataclass(frozen=True, slots=True)
class Facets:
    total: int  # runs that match
    facets: tuple[Facet, ...]


def count(session: Session, wanted: RunFilter) -> Facets:
    """Count; a facet whose key stands in the filter's outermost level is counted without that part.

    So the other policies can be seen, and added, while the list shows one.

    Raises:
        BadValue: the filter is wrong.
    """
    read = Wanted(wanted)
    groups = _groups(session, read.conditions())
    found = {}
    for index, key in enumerate(COLUMNS):
        node = read.filter.without(key)
        own = groups if node == read.filter.node else _groups(session, read.conditions(node))
        found[key] = _facet(key, _sum(own, index))
    found["tag"] = _facet("tag", _tags(session, read))
    order = ("policy", "state", "dataset", "tag", "workers", "simulated")
    return Facets(sum(groups.values()), tuple(found[key] for key in order))


def _groups(session: Session, conditions: Sequence[Condition]) -> dict[tuple[Any, ...], int]:
    columns = tuple(COLUMNS.values())
    query = select(*columns, func.count()).where(*conditions).group_by(*columns)
    return {tuple(row[:-1]): row[-1] for row in session.execute(query)}


def _sum(groups: dict[tuple[Any, ...], int], index: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for values, num in groups.items():
        counts[_written(values[index])] += num
    return counts


def _tags(session: Session, read: Wanted) -> Counter[str]:
    node = read.filter.without("tag")
    query = select(RunTag.tag, func.count()).group_by(RunTag.tag)
    if not read.is_everything:
        shown = select(Run.id).where(*read.conditions(node))
        return _by_tag(session, query.where(Unindexed(RunTag.run_id).in_(shown)))
    # The runs that are not shown are few, and the sum of all stands in the index of the tags.
    hidden = select(Run.id).where(Run.deleted_at.is_not(None) | Run.is_archived.is_(True))
    counts = _by_tag(session, query)
    counts.subtract(_by_tag(session, query.where(Unindexed(RunTag.run_id).in_(hidden))))
    return +counts


def _by_tag(session: Session, query: Select[str, int]) -> Counter[str]:
    return Counter({row[0]: row[1] for row in session.execute(query)})


def _facet(key: str, counts: Counter[str]) -> Facet:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if key == "workers":
        ordered = sorted(ordered[:MAX_VALUES], key=lambda item: int(item[0])) + ordered[MAX_VALUES:]
    return Facet(key, tuple(ordered[:MAX_VALUES]), max(0, len(ordered) - MAX_VALUES))


def _written(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
