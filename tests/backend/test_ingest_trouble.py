"""Logs that break, disks that are full, databases that go away: what is stored stays, and a sentence says why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backend.store import events as event_store
from backend.store import progress
from backend.store.database import Database
from backend.store.tables import EventChunk
from predictor import log
from predictor.events import IterationFinished, RunStarted
from tests.backend.checks import check_equal_to_log, read_all
from tests.backend.ingest_desk import IngestDesk
from tests.backend.logs import finished, started, training, write_log


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> IngestDesk:
    return IngestDesk(database, tmp_path / "runs")


def test_a_diverged_run_is_stored_as_strict_json(desk: IngestDesk) -> None:
    losses = [0.5, math.nan, math.inf, -math.inf]
    made = [IterationFinished(i + 1.0, 0, i + 1, 0, i * 1.0, 1.0, 1.0, loss, 32, 0.0) for i, loss in enumerate(losses)]
    write_log(desk.path, [started(), *made, finished(5.0)])
    desk.turn()
    stored = read_all(desk.database, desk.run_id)
    assert [event["loss"] for event in stored if event["kind"] == "IterationFinished"] == [0.5, None, None, None]
    assert desk.run().state == "completed"
    with desk.database.read() as session:
        assert b"NaN" not in event_store.read(session, desk.run_id, 0, 100).to_json()


GOOD = log.with_seq(log.encode(training(5)[4]), 12)
DAMAGES = {
    "gap": (GOOD.replace(b'"seq":12', b'"seq":13'), "event 12 is missing, event 13 stands there"),
    "double": (GOOD.replace(b'"seq":12', b'"seq":11'), "event 12 is missing, event 11 stands there"),
    "no JSON": (b'{"seq":12,"kind":\n', "not an event"),
    "deep": (b"[" * 100_000 + b"\n", "recursion"),
    "binary": (b"\x00\xff\xfe\n", "not an event"),
    "empty line": (b"\n", "not an event"),
    "unknown kind": (b'{"seq":12,"kind":"Unheard","at_s":1.0}\n', "unknown kind of event: 'Unheard'"),
    "missing field": (b'{"seq":12,"kind":"NodeStarted","at_s":1.0}\n', "NodeStarted"),
    "wrong type": (GOOD.replace(b'"compute_s":', b'"compute_s":"long","x":'), "IterationFinished"),
    "no outcome": (b'{"seq":12,"kind":"RunFinished","at_s":1.0,"outcome":"odd","reason":""}\n', "'odd' is no outcome"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_line_that_is_no_event_ends_the_reading_with_a_sentence(desk: IngestDesk, name: str) -> None:
    line, sentence = DAMAGES[name]
    intact = write_log(desk.path, [started(), *training(10)])
    with desk.path.open("ab") as file:
        file.write(line)
    write_log(desk.path, [finished(5.0)], first_seq=13)
    desk.turn()
    position = desk.position()
    assert sentence in str(position.damage)
    assert "events.jsonl" in str(position.damage)
    assert (position.last_seq, position.log_offset, position.state) == (11, len(intact), "running")
    desk.turn()
    assert len(read_all(desk.database, desk.run_id)) == 11  # what came before is kept, nothing after it is taken


def test_a_log_that_shrinks_or_vanishes_is_told(desk: IngestDesk) -> None:
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    desk.path.write_bytes(desk.path.read_bytes()[:500])
    desk.turn()
    assert "is shorter than what was read of it (500 of" in str(desk.position().damage)
    other = IngestDesk(desk.database, desk.runs_dir)
    write_log(other.path, [started()])
    other.turn()
    other.path.unlink()
    other.turn()
    assert "events.jsonl is gone" in str(other.position().damage)


def test_a_line_longer_than_a_batch(desk: IngestDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.runs.logreader.BATCH_BYTES", 1_000)
    monkeypatch.setattr("backend.runs.logreader.MAX_LINE_BYTES", 100_000)
    long = RunStarted(at_s=0.0, wall_time_s=1.0, run_id="x", is_simulated=False, versions={"python": "3" * 20_000})
    write_log(desk.path, [long, *training(50)])
    desk.turn()
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    with desk.path.open("ab") as file:
        file.write(b"{" * 200_000)
    desk.turn()
    assert "has a line of more than 100,000 bytes" in str(desk.position().damage)


def test_a_full_disk_loses_nothing(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "foresync.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    desk = IngestDesk(database, tmp_path / "runs")
    limit = {"pages": 60}

    @sa.event.listens_for(database.engine, "begin")
    def restrict(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit['pages']}")

    write_log(desk.path, [started(), *training(9_000), finished(99.0)])
    desk.turn()
    stored = desk.position().last_seq
    assert stored < 9_002
    assert desk.health.sentences() == (
        f"Events of run {desk.run_id} wait in its log, since they cannot be stored: database or disk is full.",
    )
    limit["pages"] = 1_000_000
    desk.ingest = desk.new_ingest()  # does not wait for the next try
    desk.turn()
    check_equal_to_log(database, desk.run_id, desk.path)
    assert desk.health.sentences() == ()
    database.close()


def test_the_ingest_tries_again_by_itself(desk: IngestDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.runs.ingest.FIRST_PAUSE_S", 0.0)
    real = event_store.append
    num_calls = 0

    def fail_twice(session: Any, *arguments: Any, **more: Any) -> int:
        nonlocal num_calls
        num_calls += 1
        opened = real(session, *arguments, **more)
        if num_calls <= 2:
            session.execute(sa.text("SELECT * FROM no_such_table"))
        return opened

    monkeypatch.setattr(event_store, "append", fail_twice)
    write_log(desk.path, [started(), *training(100), finished(9.0)])
    desk.turn()
    assert "no_such_table" in desk.health.sentences()[0]
    assert desk.position().last_seq == 0
    desk.turn()
    desk.turn()
    assert num_calls == 3
    assert desk.health.sentences() == ()
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert desk.run().summary["num_events"] == 102


@pytest.mark.postgres
def test_a_lost_connection_loses_nothing(postgres_url: str, postgres_server: str, tmp_path: Path) -> None:
    database = Database(postgres_url)
    desk = IngestDesk(database, tmp_path / "runs")
    watcher = sa.create_engine(postgres_server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    kill = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    for first in range(0, 400, 40):
        write_log(desk.path, training(40), first_seq=first + 1)
        with watcher.connect() as connection:
            connection.execute(kill, {"name": database.url.database})
        desk.turn()
        desk.ingest = desk.new_ingest()
    desk.turn()
    check_equal_to_log(database, desk.run_id, desk.path)
    database.close()


def test_a_deleted_run_is_let_go(desk: IngestDesk) -> None:
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    with desk.database.write() as session:
        progress.remove(session, desk.run_id)
    write_log(desk.path, training(10), first_seq=12)
    desk.turn()
    assert desk.health.sentences() == ()
    with desk.database.read() as session:
        assert session.scalars(sa.select(EventChunk.run_id)).all() == []
