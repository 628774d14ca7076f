"""What the history rests on: the bin's time, the columns of an older database, the index that is looked through."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.store import bulk, experiments, facets, figures, listing, migrations, runs
from backend.store.bulk import RUNS_AT_ONCE
from backend.store.database import Database
from backend.store.records import RunFilter
from backend.store.tables import Run, RunSettings
from predictor.spec import read_run, to_data
from tests.backend.checks import add_run, small_experiment
from tests.backend.desk import Desk


def as_stored(spec: dict[str, Any]) -> dict[str, Any]:
    """Give a complete spec as a JSON column gives it."""
    stored: dict[str, Any] = json.loads(json.dumps(to_data(read_run(spec))))
    return stored


QUESTIONS = [
    "policy:ssp",
    "state:completed",
    "-state:failed is:finished",
    "tag:baseline",
    "-tag:old",
    "created>-300d",
    "finished<today",
    "utilisation>=0.5",
    "grid",
    "spec.policy.threshold>=4",
    "tag:paper or (policy:ssp seed:1)",
]


@pytest.mark.parametrize("sort", ["-created_at", "name", "-utilisation"])
@pytest.mark.parametrize("text", QUESTIONS)
def test_sqlite_looks_through_no_wide_rows_to_find_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sort: str
) -> None:
    monkeypatch.setattr(listing, "MAX_COUNTED", -1)  # even no run is more than that: the look for many follows
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.upgrade()
    plans: list[tuple[str, list[str]]] = []

    def explain(connection: sa.Connection, cursor: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM runs" in statement:
            raw = connection.connection.driver_connection
            assert raw is not None
            rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            plans.append((statement, [row[3] for row in rows]))

    with database.write() as session:
        small_experiment(session, seeds=[1, 2, 3])
    event.listen(database.engine, "before_cursor_execute", explain)
    with database.read() as session:
        listing._find(session, listing.Wanted(RunFilter(expression=text)), sort, 1, None)
        listing._count(session, listing.Wanted(RunFilter(expression=text)), 10)
        facets.count(session, RunFilter(expression=text))
    database.close()
    assert len(plans) >= 3
    for statement, steps in plans:
        of_runs = [step for step in steps if step.split()[:2] in (["SEARCH", "runs"], ["SCAN", "runs"])]
        assert of_runs, statement
        # Rows may be read by their ids: those of the first runs of an order, of which there are so many at the most.
        few = ("USING COVERING INDEX", "(id=?)") if "LIMIT" in statement.partition(" AS anon_1")[0] else ("COVERING",)
        assert all(any(one in step for one in few) for step in of_runs), (statement, of_runs)


def test_few_runs_and_many_are_found_alike(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        for number in range(12):
            values = {"utilisation": None if number % 4 == 0 else number % 3 / 3, "state": "completed"}
            run_id = add_run(session, f"run {number % 5}")
            session.execute(update(Run).where(Run.id == run_id).values(**values))
    # Gathered and put in order; among the first of an order; not found there, so by a look through all.
    ways = ((1_000, (1_024, 4_096)), (1, (1_024, 4_096)), (1, (2, 3)))
    for sort in ("created_at", "name", "experiment_name", "state", "seed", "started_at", "utilisation"):
        for text in ("", "run", "utilisation>=0.3", "name:nothing"):
            for order in (sort, f"-{sort}"):
                found = []
                for most, ahead in ways:
                    monkeypatch.setattr(listing, "MAX_COUNTED", most)
                    monkeypatch.setattr(listing, "NUM_AHEAD", ahead)
                    with database.read() as session:
                        found.append(all_pages(session, RunFilter(expression=text), order))
                assert found[0] == found[1] == found[2], (text, order)


def all_pages(session: Session, wanted: RunFilter, order: str) -> list[tuple[list[str], int]]:
    pages, cursor = [], None
    while True:
        page = listing.list_page(session, wanted, sort=order, limit=4, cursor=cursor)
        pages.append(([run.id for run in page.runs], page.total))
        if page.next_cursor is None:
            return pages
        cursor = page.next_cursor


def test_an_older_database_gets_the_columns_of_its_specs_and_summaries(empty_url: str) -> None:
    database = Database(empty_url)
    data = as_stored({"name": "old", "policy": {"name": "ssp", "threshold": 4}, "seed": 7})
    report = {"bytes": 12, "iterations_per_s": 3.5, "forecasts": {"coverage": 0.9}}
    with database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0002")
        tables = sa.MetaData()
        tables.reflect(connection, only=["experiments", "runs"])
        now = datetime.now(UTC).replace(tzinfo=None)
        experiment = {"id": "e" * 16, "name": "old", "spec": {}, "created_at": now}
        connection.execute(sa.insert(tables.tables["experiments"]), [experiment])
        shared: dict[str, Any] = {
            "experiment_id": "e" * 16,
            "name": "old",
            "notes": "",
            "policy": "ssp",
            "dataset": "digits",
        }
        shared |= {"is_simulated": False, "state": "completed", "is_resume": False, "created_at": now}
        shared |= {"last_seq": 0, "log_offset": 0}
        rows = [
            {**shared, "id": "a" * 16, "spec": data, "summary": report},
            {**shared, "id": "b" * 16, "spec": {**data, "seed": 8}, "summary": {}},
        ]
        connection.execute(sa.insert(tables.tables["runs"]), rows)
    database.upgrade()
    with database.read() as session:
        one, other = session.scalars(select(Run).order_by(Run.id)).all()
        assert (one.seed, other.seed, one.num_workers, one.model) == (7, 8, 4, "mlp")
        assert (one.traffic_bytes, one.iterations_per_s, one.forecast_coverage) == (12, 3.5, 0.9)
        assert (one.is_archived, one.deleted_at, other.traffic_bytes) == (False, None, None)
        assert one.settings_id == other.settings_id is not None
        kept = session.scalars(select(RunSettings.spec)).all()
        page = listing.list_rows(session, RunFilter(expression="spec.policy.threshold:4 seed:7"))
    assert kept == [{name: value for name, value in data.items() if name not in ("name", "seed")}]
    assert [row["id"] for row in page.rows] == ["a" * 16]
    database.close()


def test_the_migration_goes_back(empty_url: str) -> None:
    database = Database(empty_url)
    with database.engine.begin() as connection:
        command.upgrade(migrations.config(connection), "0002")
        before = {one["name"] for one in sa.inspect(connection).get_columns("runs")}
        command.upgrade(migrations.config(connection), "0003")
        command.downgrade(migrations.config(connection), "0002")
        inspector = sa.inspect(connection)
        assert {one["name"] for one in inspector.get_columns("runs")} == before
        assert "ix_runs_policy" in {one["name"] for one in inspector.get_indexes("runs")}
        assert not {"saved_views", "baseline", "run_settings"} & set(inspector.get_table_names())
    database.close()


def test_runs_of_one_setting_share_it(database: Database) -> None:
    data = to_data(read_run({"seed": 1, "name": "a"}))
    assert figures.settings_id(data) == figures.settings_id({**data, "seed": 2, "name": "b"})
    assert figures.settings_id(data) != figures.settings_id({**data, "evaluate_every_s": 9.0})
    with database.write() as session:
        small_experiment(session, seeds=[1, 2, 3])
        small_experiment(session, seeds=[4])
        assert len(session.scalars(select(RunSettings.id)).all()) == 1


def test_a_large_change_is_made_in_pieces(desk: Desk) -> None:
    manager = desk.serve()
    with desk.database.write() as session:
        made = [add_run(session) for _ in range(3)]
        for run_id in made:
            session.execute(update(Run).where(Run.id == run_id).values(state="stopped", queue_place=None))
    many = [*made, *(f"{number:016d}" for number in range(2 * RUNS_AT_ONCE)), *made]
    changed, num_training = manager.bin.change("archive", many)
    assert (sorted(changed), num_training) == (sorted(made), 0)


def test_what_was_in_the_bin_for_long_enough_is_deleted_for_good(desk: Desk) -> None:
    manager = desk.serve(bin_days=2.0)
    old, fresh, kept = desk.queue("num=5", "num=5", "num=5")
    for run_id in (old, fresh, kept):
        desk.wait(run_id, "completed")
    manager.bin.put(old)
    manager.bin.put(fresh)
    with desk.database.write() as session:
        session.execute(update(Run).where(Run.id == old).values(deleted_at=datetime.now(UTC) - timedelta(days=2.1)))
        assert bulk.in_bin(session, fresh)
        assert not bulk.in_bin(session, kept)
    assert manager.bin.turn() == 1
    assert manager.bin.turn() == 0
    assert not desk.path(old).exists()
    with pytest.raises(NotFound):
        desk.run(old)
    assert desk.path(fresh).exists()
    manager.bin.restore(fresh)
    assert desk.run(fresh).deleted_at is None


def test_an_experiment_is_deleted_with_its_runs_in_the_bin(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("num=5")
    desk.wait(run_id, "completed")
    experiment_id = desk.run(run_id).experiment_id
    manager.bin.put(run_id)
    with desk.database.read() as session:
        assert experiments.get(session, experiment_id).run_ids == ()
        assert runs.of_experiment(session, experiment_id) == []
    manager.delete_experiment(experiment_id)
    assert not desk.path(run_id).exists()
    with pytest.raises(NotFound):
        desk.run(run_id)
