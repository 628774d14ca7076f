"""What the history's indexes hold besides the runs' own columns, and the ways through them that save a look."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.filters.conditions import Filter
from backend.store import bulk, experiments, facets, kept, listing, migrations, runs, tags
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
            seen += [(row["experiment_name"], row["id"]) for row in page.rows]
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


def test_kept_counts_are_those_of_a_fresh_look_after_each_write(database: Database) -> None:
    wanted = RunFilter(expression="-state:failed")

    def check(num: int) -> None:
        for _ in range(2):  # the second time from memory
            with database.read() as session:
                assert facets.look_up(database, wanted) == facets.count(session, wanted)
            assert facets.look_up(database, wanted).total == num

    check(0)
    with database.write() as session:
        run_id = add_run(session)
    check(1)

    def write() -> None:
        with database.write() as session:
            add_run(session)
            runs.patch(session, run_id, tags=["x"])

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    check(2)
    other = Database(database.url.render_as_string(hide_password=False))  # as another process has it
    with other.write() as session:
        runs.patch(session, run_id, is_archived=True)
    other.close()
    check(1)
    database.close()
    with database.write() as session:
        add_run(session)
    check(2)


def test_an_answer_is_kept_while_nothing_is_written(database: Database) -> None:
    def ask(answers: list[int]) -> int:
        return database.kept.get("question", answers.pop)

    assert ask([1]) == ask([2]) == 1
    version = database.read_version()

    def overtaken() -> int:
        with database.write() as session:
            add_run(session)
        return 3

    assert database.kept.get("other", overtaken) == 3
    assert database.read_version() != version
    assert database.kept.get("other", lambda: 4) == 4  # it was written before it was kept
    assert ask([5]) == 5
    for number in range(2 * kept.MAX_ANSWERS):
        database.kept.get(number, lambda: 0)
    assert len(database.kept._answers) == kept.MAX_ANSWERS


def test_what_a_moment_lets_through_is_counted_each_time() -> None:
    assert Filter("policy:bsp (seed:1 or created>-7d)").has_moment()
    assert not Filter("policy:bsp duration<60 -7d spec.seed:1").has_moment()


@pytest.mark.parametrize(
    ("sort", "text", "index"),
    [
        ("name", "", "ix_runs_names"),
        ("-name", "", "ix_runs_names"),
        ("experiment_name", "", "ix_runs_words"),
        ("utilisation", "", "ix_runs_by_utilisation"),
        ("-utilisation", "", "ix_runs_by_utilisation"),
        ("-utilisation", "seed<9 -tag:old", "ix_runs_by_utilisation"),
        ("state", "", "ix_runs_by_state"),
        ("-started_at", "", "ix_runs_by_started_at"),
        ("-created_at", "warm up", "ix_runs_words"),
    ],
)
def test_what_needs_little_looks_through_a_narrow_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sort: str, text: str, index: str
) -> None:
    monkeypatch.setattr(listing, "MAX_COUNTED", 0)
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.upgrade()
    with database.write() as session:
        small_experiment(session, seeds=[1, 2, 3])
    used: list[str] = []

    def explain(connection: sa.Connection, cursor: object, statement: str, values: object, *_: object) -> None:
        if "ORDER BY" in statement and "runs.is_archived" in statement:
            raw = connection.connection.driver_connection
            assert raw is not None
            used.extend(row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())

    sa.event.listen(database.engine, "before_cursor_execute", explain)
    with database.read() as session:
        listing._find(session, listing.Wanted(RunFilter(expression=text)), sort, 1, None)
    database.close()
    assert any(f"runs USING COVERING INDEX {index}" in step for step in used), used


def facet_of(counted: facets.Facets, key: str) -> Any:
    return next(facet.counts for facet in counted.facets if facet.key == key)


def plans(session: Session, ask: Callable[[], object]) -> list[str]:
    """Give how the database goes about the queries in which a list looks for its runs."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if "ORDER BY" in statement and "run_tags" not in statement:
            asked.append((statement, parameters))

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    ask()
    sa.event.remove(connection, "before_cursor_execute", note)
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return [str(connection.exec_driver_sql(f"{word} {text}", values).all()) for text, values in asked]


@pytest.mark.parametrize(
    ("sort", "text", "index"),
    [
        ("-created_at", "", "(newest|words)"),
        ("-created_at", "tag:x", "(newest|words)"),
        ("created_at", "seed>1 state:queued", "(newest|words)"),
        ("-utilisation", "", "by_utilisation"),
        ("policy", "", "by_policy"),
        ("name", "", "names"),
    ],
)
def test_the_first_of_an_order_are_found_along_its_index(database: Database, sort: str, text: str, index: str) -> None:
    with database.write() as session:
        for _ in range(3):
            add_run(session)
    with database.read() as session:
        if not database.is_sqlite:  # a few runs are as soon sorted as found; what it may do with many is asked here
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
            session.execute(sa.text("SET LOCAL enable_sort = off"))
            session.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        first = plans(session, lambda: listing.list_rows(session, RunFilter(expression=text), sort=sort))[0]
    assert re.search(f"ix_runs_{index}", first)
    assert "Sort" not in first
    assert "TEMP B-TREE" not in first
