"""The tags of runs: `run_tags` holds them, and each run's row repeats them as numbers.

A row says ",3,17," for the tags 3 and 17, in the indexes that the history looks through: so a filter by tags, and
their count under any filter, costs no second table with several rows for each run. Numbers, since 64 long tags
would be too wide for an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.store.tables import Run, RunTag, Tag


def repeat(session: Session, run_ids: Collection[str]) -> None:
    """Write the tags of some runs into their rows; to be called after each change of `run_tags`."""
    # Locked before they are read: of two changes at once, the later one then sees both.
    known = session.scalars(select(Run.id).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()).all()
    tags: dict[str, list[str]] = {run_id: [] for run_id in known}
    for run_id, tag in session.execute(select(RunTag.run_id, RunTag.tag).where(RunTag.run_id.in_(known))):
        tags[run_id].append(tag)
    numbers = _numbers(session, {tag for some in tags.values() for tag in some})
    rows = [{"id": run_id, "tag_numbers": written(numbers[tag] for tag in some)} for run_id, some in tags.items()]
    if rows:
        session.execute(update(Run), rows)


def written(numbers: Iterable[int]) -> str:
    """Give the text that stands for some tags; the same for the same ones."""
    text = "".join(f",{number}" for number in sorted(numbers))
    return text and f"{text},"


def read(text: str) -> list[int]:
    """Give the numbers in such a text."""
    return [int(one) for one in text.split(",") if one]


def _numbers(session: Session, tags: Collection[str]) -> dict[str, int]:
    """Give the number of each tag; new ones get theirs."""
    query = select(Tag.tag, Tag.id).where(Tag.tag.in_(tags))
    numbers = {row[0]: row[1] for row in session.execute(query)}
    if len(numbers) < len(tags):
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        missing = [{"tag": tag} for tag in sorted(set(tags) - set(numbers))]
        session.execute(dialect.insert(Tag).on_conflict_do_nothing(), missing)  # another may add the same one now
        numbers = {row[0]: row[1] for row in session.execute(query)}
    return numbers
