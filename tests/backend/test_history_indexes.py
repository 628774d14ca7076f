"""What the history's indexes hold besides the runs' own columns, and the ways through them that save a look."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store import bulk, experiments, facets, listing, migrations, runs, tags
from backend.store.database import Database
from backend.store.records import RunFilter
from backend.store.tables import Run, RunTag, Tag
from tests.backend.checks import add_run, small_experiment


def check_rows(session: Session) -> None:
    """Check that each run's row holds the tags of the run, and no other."""
    names = {row[0]: row[1] for row in session.execute(select(Tag.id, Tag.tag))}
    for run_id, text in session.execute(select(Run.id, Run.tag_numbers)).all():
        found = session.scalars(select(RunTag.tag).where(RunTag.run_id == run_id)).all()
        assert sorted(names[number] for number in tags.read(text)) == sorted(found)


def test_the_row_repeats_the_tags_after_each_change(database: Database) -> None:
    with database.write() as session:
        one, other = add_run(session), add_run(session)
        runs.patch(session, one, tags=["b", "a", "a,b"])
    with database.write() as session:
        check_rows(session)
        assert bulk.apply(session, "tag", [one, other], "c") == [one, other]
        check_rows(session)
        assert bulk.apply(session, "untag", [one, other], "a") == [one]
        check_rows(session)
        runs.patch(session, other, tags=[])
        check_rows(session)
    with database.read() as session:
        found = {text: listing.ids(session, RunFilter(expression=text)) for text in ("tag:b", 'tag:"a,b"', "tag:none")}
        assert found == {"tag:b": [one], 'tag:"a,b"': [one], "tag:none": [other]}
        assert listing.ids(session, RunFilter(expression="tag:unheard")) == []


def test_tags_whose_numbers_hold_each_other_are_told_apart(database: Database) -> None:
    with database.write() as session:
        run_ids = [add_run(session) for _ in range(12)]
        for index, run_id in enumerate(run_ids):
            runs.patch(session, run_id, tags=[f"tag {index:02}"])  # numbered from 1 to 12
    with database.read() as session:
        for index, run_id in enumerate(run_ids):
            assert listing.ids(session, RunFilter(expression=f'tag:"tag {index:02}"')) == [run_id]


def test_an_older_database_gets_the_numbers_of_its_tags(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    with database.write() as session:
        one, other = add_run(session), add_run(session)
        runs.patch(session, one, tags=["new", "best"])
    with database.engine.begin() as connection:
        command.downgrade(migrations.config(connection), "0004")
        assert "tags" not in sa.inspect(connection).get_table_names()
    database.upgrade()
    with database.read() as session:
        check_rows(session)
        assert listing.ids(session, RunFilter(expression="tag:new tag:best")) == [one]
        assert listing.ids(session, RunFilter(expression="-tag:new")) == [other]
    database.close()


@pytest.mark.parametrize("sort", ["experiment_name", "-experiment_name"])
def test_a_list_by_experiments_goes_on_over_all_of_them(
    database: Database, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "NUM_FIRST_EXPERIMENTS", 2)
    with database.write() as session:
        for name in ("d", "b", "a", "b", "c", "b"):
            small_experiment(session, name, seeds=[1, 2])
    seen: list[tuple[str, str]] = []
    cursor = None
    with database.read() as session:
        while True:
            page = listing.list_rows(session, RunFilter(), sort=sort, limit=3, cursor=cursor)
            seen += [(row.experiment_name, row.id) for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert len(seen) == 12
    assert seen == sorted(seen, reverse=sort.startswith("-"))


FILTERS = [
    "",
    "policy:bsp",
    "policy:bsp workers:2",
    "tag:x",
    "tag:x tag:y policy:bsp",
    "-tag:x seed>1",
    "policy:bsp or tag:y",
]


@pytest.mark.parametrize("text", FILTERS)
def test_one_look_counts_what_a_look_for_each_facet_would(database: Database, text: str) -> None:
    with database.write() as session:
        for seed, policy in enumerate(("bsp", "asp", "bsp", "bsp", "ssp"), 1):
            run = {"policy": {"name": policy}, "cluster": {"num_workers": 2 + seed % 2}}
            experiment_id = small_experiment(session, run=run, seeds=[seed])
            (run_id,) = experiments.get(session, experiment_id).run_ids
            runs.patch(session, run_id, tags=["x"] * (seed % 2) + ["y"] * (seed > 2))
    with database.read() as session:
        read = listing.Wanted(RunFilter(expression=text))
        counted = facets.count(session, RunFilter(expression=text))
        assert counted.total == len(listing.ids(session, RunFilter(expression=text)))
        for key, column in (("policy", Run.policy), ("workers", Run.num_workers)):
            values = session.scalars(select(column).where(*read.conditions(read.filter.without(key)))).all()
            assert dict(facet_of(counted, key)) == Counter(str(value) for value in values)
        shown = select(Run.id).where(*read.conditions(read.filter.without("tag")))
        names = session.scalars(select(RunTag.tag).where(RunTag.run_id.in_(shown))).all()
        assert dict(facet_of(counted, "tag")) == Counter(names)


def facet_of(counted: facets.Facets, key: str) -> Any:
    return next(facet.counts for facet in counted.facets if facet.key == key)
