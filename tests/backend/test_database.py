"""The schema, the transactions and the claim, on both databases."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.orm import Session

from backend.errors import StoreError
from backend.store import bulk, experiments, migrations, ordering
from backend.store.database import Database
from backend.store.tables import Base, Experiment
from tests.backend.checks import add_run, small_experiment

ROOT = Path(__file__).parents[2]


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, Base.metadata))


def test_the_migrations_make_the_tables_of_the_models(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    assert differences(database) == []
    database.upgrade()  # a second start changes nothing
    assert differences(database) == []
    database.close()


def test_a_missing_column_would_be_seen(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    with database.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE runs DROP COLUMN damage"))
    assert [difference[0] for difference in differences(database)] == ["add_column"]  # type: ignore[index]
    database.close()


def test_the_migrations_go_back_to_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    with database.engine.begin() as connection:
        command.downgrade(migrations.config(connection), "base")
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    database.upgrade()
    assert differences(database) == []
    database.close()


def test_a_failing_migration_leaves_nothing_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_half_way(connection: sa.Connection) -> None:
        command.upgrade(migrations.config(connection), "head")
        connection.execute(sa.text("SELECT * FROM no_such_table"))

    database = Database(empty_url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "upgrade", fail_half_way)
        with pytest.raises(StoreError, match="no_such_table"):
            database.upgrade()
    with database.engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    database.upgrade()
    database.close()


def test_a_database_of_a_newer_program_is_refused(empty_url: str) -> None:
    database = Database(empty_url)
    database.upgrade()
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision '9999', which a newer Foresync made"):
        database.upgrade()
    database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "must be sqlite:///FILE"),
        ("mysql://me:secret@host/name", r"got 'mysql://me:\*\*\*@host/name'"),
        ("no url", "cannot be read"),
    ],
)
def test_another_kind_of_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        Database(url)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("These are only my notes about the runs of yesterday. " * 50)
    with pytest.raises(StoreError, match="file is not a database"):
        Database(f"sqlite:///{path}").upgrade()


def test_an_unreachable_database_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be used") as caught:
        Database("postgresql://me:secret@127.0.0.1:1/name?connect_timeout=2").upgrade()
    assert "secret" not in str(caught.value)


def test_a_failed_write_is_rolled_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        raise ZeroDivisionError(small_experiment(session))
    with database.read() as session:
        assert session.scalars(sa.select(Experiment.id)).all() == []


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    with database.write() as session:
        small_experiment(session)
    with database.read() as reader:
        assert len(reader.scalars(sa.select(Experiment.id)).all()) == 1
        with database.write() as session:
            small_experiment(session)
        assert len(reader.scalars(sa.select(Experiment.id)).all()) == 1
    with database.read() as reader:
        assert len(reader.scalars(sa.select(Experiment.id)).all()) == 2


def test_many_writers_and_readers_at_once(database: Database) -> None:
    num_threads, num_writes = 8, 10
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(num_writes):
                with database.read() as session:
                    session.scalars(sa.select(Experiment.id)).all()
                with database.write() as session:
                    session.scalars(sa.select(Experiment.id)).all()  # read first: what upgrades badly when deferred
                    small_experiment(session)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(num_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Experiment)) == num_threads * num_writes


def test_changes_of_the_same_runs_do_not_lock_each_other_out(database: Database) -> None:
    with database.write() as session:
        run_ids = experiments.get(session, small_experiment(session, seeds=list(range(40)))).run_ids
    shuffled = random.Random(1).sample(run_ids, len(run_ids))
    changes: list[Callable[[Session], object]] = [
        lambda session: bulk.apply(session, "tag", shuffled, "one"),
        lambda session: bulk.apply(session, "untag", shuffled[::-1], "one"),
        lambda session: bulk.apply(session, "archive", shuffled),
        lambda session: bulk.apply(session, "unarchive", shuffled[::-1]),
        lambda session: ordering.move(session, shuffled[:5], "first", None),
        lambda session: ordering.move(session, shuffled[-5:], "last", None),
    ]
    errors: list[BaseException] = []

    def work(change: Callable[[Session], object]) -> None:
        try:
            for _ in range(15):
                with database.write() as session:
                    change(session)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_another_process_that_writes_is_waited_for(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "foresync.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
    timer.start()
    with database.write() as session:
        small_experiment(session)
    timer.join()
    other.close()
    database.close()


def test_only_one_program_claims_a_database(database: Database, database_url: str) -> None:
    other = Database(database_url)
    assert database.claim()
    assert not other.claim()
    database.release()
    assert other.claim()
    other.release()
    other.close()


def test_deleted_events_give_their_space_back(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "foresync.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    with database.write() as session:
        run_id = add_run(session)
        session.execute(
            sa.text("INSERT INTO event_chunks VALUES (:run_id, 1, 1, 'lines', randomblob(4000000))"), {"run_id": run_id}
        )
    database.shrink()
    full = path.stat().st_size
    with database.write() as session:
        session.execute(sa.text("DELETE FROM event_chunks"))
    database.shrink()
    assert full > 4_000_000
    assert path.stat().st_size < 1_000_000
    database.close()


def test_the_migrations_are_found_where_a_wheel_puts_them(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for package in ("backend", "predictor"):
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copytree(ROOT / "alembic", site / "backend" / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "from backend.store import migrations; from backend.store.database import Database; "
        f"Database('sqlite:///{tmp_path}/x.db').upgrade(); print(migrations.folder())"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(site / "backend" / "migrations")
    installed = Database(f"sqlite:///{tmp_path}/x.db")
    assert differences(installed) == []
    installed.close()
