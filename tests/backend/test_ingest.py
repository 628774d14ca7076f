"""From the log into the database: every event once and in order, whatever happens in between."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backend.runs.health import Health
from backend.runs.ingest import Ingest
from backend.runs.wakeups import Wakeups
from backend.store import codec, progress, runs
from backend.store import events as event_store
from backend.store.database import Database
from backend.store.records import RunRecord
from backend.store.tables import EventChunk
from predictor import log
from predictor.events import IterationFinished, RunResumed, RunStarted
from predictor.summary import Summary
from tests.backend.checks import add_run, check_equal_to_log, read_all
from tests.backend.logs import WALL_TIME_S, finished, started, training, write_log


class Desk:
    """A run whose log the test writes, and an ingest whose turns the test takes."""

    def __init__(self, database: Database, runs_dir: Path) -> None:
        self.database = database
        self.runs_dir = runs_dir
        self.health = Health()
        self.num_state_changes = 0
        with database.write() as session:
            self.run_id = add_run(session)
            progress.change(session, self.run_id, {"state": "starting", "queue_place": None})
        self.path = runs_dir / self.run_id / "events.jsonl"
        self.path.parent.mkdir(parents=True)
        self.ingest = self.new_ingest()

    def new_ingest(self) -> Ingest:
        ingest = Ingest(self.database, self.runs_dir, Wakeups(), self.health, self.note_state)
        ingest.follow(self.run_id)
        return ingest

    def note_state(self) -> None:
        self.num_state_changes += 1

    def turn(self) -> None:
        while self.ingest.turn():
            pass

    def run(self) -> RunRecord:
        with self.database.read() as session:
            return runs.get(session, self.run_id)

    def position(self) -> progress.Position:
        with self.database.read() as session:
            return progress.position(session, self.run_id)

    def chunks(self) -> list[tuple[int, int, str]]:
        query = sa.select(EventChunk.first_seq, EventChunk.last_seq, EventChunk.codec).order_by(EventChunk.first_seq)
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(query)]


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path / "runs")


@pytest.mark.parametrize("seed", range(3))
def test_a_log_that_comes_in_torn_pieces(desk: Desk, seed: int) -> None:
    made = [started(), *training(400), finished(9.0)]
    data = write_log(desk.path, made)
    desk.path.write_bytes(b"")
    source = random.Random(seed)
    place = 0
    while place < len(data):
        step = source.choice([1, 7, 100, 1_000, 20_000])
        with desk.path.open("ab") as file:
            file.write(data[place : place + step])
        place += step
        desk.turn()
        complete = log.complete_length(data[:place])
        assert (desk.position().last_seq, desk.position().log_offset) == (data[:complete].count(b"\n"), complete)
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert desk.health.sentences() == ()


def test_the_state_follows_the_log(desk: Desk) -> None:
    desk.turn()  # no log yet
    assert desk.run().state == "starting"
    write_log(desk.path, [started()])
    desk.turn()
    assert (desk.run().state, desk.run().started_at) == ("running", datetime.fromtimestamp(WALL_TIME_S, UTC))
    write_log(desk.path, training(30), first_seq=2)
    desk.turn()
    assert desk.num_state_changes == 1
    write_log(desk.path, [finished(12.5)], first_seq=32)
    desk.turn()
    run = desk.run()
    assert (run.state, run.reason, run.last_seq) == ("completed", "All iterations are done.", 32)
    assert run.finished_at == datetime.fromtimestamp(WALL_TIME_S + 12.5, UTC)
    assert desk.num_state_changes == 2


def test_a_stopping_run_stays_stopping_until_its_end(desk: Desk) -> None:
    with desk.database.write() as session:
        progress.stop(session, desk.run_id, "Enough.")
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    assert desk.run().state == "stopping"
    write_log(desk.path, [finished(3.0)], first_seq=12)
    desk.turn()
    assert desk.run().state == "completed"


def test_a_second_life_goes_on_in_the_same_log(desk: Desk) -> None:
    write_log(desk.path, [started(), *training(50), finished(3.0)])
    desk.turn()
    with desk.database.write() as session:
        progress.enqueue_again(session, desk.run_id, is_resume=True)
        progress.change(session, desk.run_id, {"state": "starting", "queue_place": None})
    again = RunStarted(at_s=3.5, wall_time_s=WALL_TIME_S + 100, run_id="x", is_simulated=False, versions={})
    resumed = RunResumed(at_s=3.5, checkpoint_seq=40, version=10, clocks={"0": 5})
    write_log(desk.path, [again, resumed, *training(20), finished(6.0)], first_seq=53)
    desk.turn()
    run = desk.run()
    assert (run.state, run.last_seq) == ("completed", 75)
    assert run.started_at == datetime.fromtimestamp(WALL_TIME_S, UTC)
    assert run.finished_at == datetime.fromtimestamp(WALL_TIME_S + 102.5, UTC)
    check_equal_to_log(desk.database, desk.run_id, desk.path)


def test_the_summary_does_not_depend_on_the_pieces(desk: Desk) -> None:
    made = [started(), *training(300), finished(9.0)]
    whole = Summary()
    for event in made:
        whole.update(event)
    for first in range(0, len(made), 50):
        write_log(desk.path, made[first : first + 50], first_seq=first + 1)
        desk.turn()
        desk.ingest = desk.new_ingest()  # as after a restart
    run = desk.run()
    assert run.summary == json.loads(json.dumps(whole.report()))
    with desk.database.read() as session:
        page = runs.list_page(session, runs.RunFilter(), sort="-utilisation")
    assert page.runs[0].summary["utilisation"] == run.summary["utilisation"] is not None


def test_a_summary_of_another_version_is_folded_anew(desk: Desk) -> None:
    made = [started(), *training(300), finished(9.0)]
    write_log(desk.path, made[:200])
    desk.turn()
    with desk.database.write() as session:
        progress.save_fold(session, desk.run_id, b'{"format": 0}')
    write_log(desk.path, made[200:], first_seq=201)
    desk.ingest = desk.new_ingest()
    desk.turn()
    assert desk.run().summary["num_events"] == len(made)


def test_chunks_are_gathered_into_compact_ones(desk: Desk) -> None:
    made = [started(), *training(2 * event_store.CHUNK_EVENTS + 500), finished(9.0)]
    for first in range(0, len(made), 300):
        write_log(desk.path, made[first : first + 300], first_seq=first + 1)
        desk.turn()
        chunks = desk.chunks()
        assert [chunk[0] for chunk in chunks[1:]] == [chunk[1] + 1 for chunk in chunks[:-1]]
        assert sum(chunk[1] - chunk[0] + 1 for chunk in chunks if chunk[2] == codec.LINES) < event_store.CHUNK_EVENTS
    assert desk.chunks() == [(1, 2000, codec.COLUMNS), (2001, 4000, codec.COLUMNS), (4001, 4502, codec.COLUMNS)]
    check_equal_to_log(desk.database, desk.run_id, desk.path)


def test_pages_of_any_size_hold_the_same_events(desk: Desk) -> None:
    write_log(desk.path, [started(), *training(event_store.CHUNK_EVENTS)])
    desk.turn()
    for first in range(0, 100, 10):  # some small chunks behind the compact one
        write_log(desk.path, training(10), first_seq=event_store.CHUNK_EVENTS + 2 + first)
        desk.turn()
    whole = read_all(desk.database, desk.run_id, limit=100_000)
    assert len(whole) == event_store.CHUNK_EVENTS + 101
    for limit in (333, 1_999, 2_000, 2_001):
        assert read_all(desk.database, desk.run_id, limit=limit) == whole
    with desk.database.read() as session:
        for after in (0, 1, 1_999, 2_000, 2_001, 2_050):
            page = event_store.read(session, desk.run_id, after, 5)
            assert [json.loads(line)["seq"] for line in page.lines] == list(range(after + 1, after + 6))
            assert not page.is_end
        beyond = event_store.read(session, desk.run_id, 10**9, 5)
        assert (beyond.lines, beyond.last_seq, beyond.is_end) == ((), 10**9, True)


def test_pages_of_some_kinds(desk: Desk) -> None:
    write_log(desk.path, [started(), *training(event_store.CHUNK_EVENTS + 800), finished(99.0)])
    desk.turn()
    kinds = {"EvaluationFinished", "RunFinished"}
    wanted = [event for event in read_all(desk.database, desk.run_id) if event["kind"] in kinds]
    found, after, is_end = [], 0, False
    while not is_end:
        with desk.database.read() as session:
            page = event_store.read(session, desk.run_id, after, 3, kinds)
        found += [json.loads(line) for line in page.lines]
        after, is_end = page.last_seq, page.is_end
    assert found == wanted
    assert len(wanted) > 10


def test_two_followers_of_one_log_store_each_event_once(desk: Desk) -> None:
    other = desk.new_ingest()
    for first in range(0, 500, 20):
        write_log(desk.path, training(20), first_seq=first + 1)
        for ingest in (desk.ingest, other) if first % 40 else (other, desk.ingest):
            while ingest.turn():
                pass
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert desk.health.sentences() == ()


def test_a_diverged_run_is_stored_as_strict_json(desk: Desk) -> None:
    losses = [0.5, math.nan, math.inf, -math.inf]
    made = [
        IterationFinished(i + 1.0, 0, i + 1, 0, i * 1.0, 1.0, 1.0, loss, 32, False) for i, loss in enumerate(losses)
    ]
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
def test_a_line_that_is_no_event_ends_the_reading_with_a_sentence(desk: Desk, name: str) -> None:
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


def test_a_log_that_shrinks_or_vanishes_is_told(desk: Desk) -> None:
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    desk.path.write_bytes(desk.path.read_bytes()[:500])
    desk.turn()
    assert "is shorter than what was read of it (500 of" in str(desk.position().damage)
    other = Desk(desk.database, desk.runs_dir)
    write_log(other.path, [started()])
    other.turn()
    other.path.unlink()
    other.turn()
    assert "events.jsonl is gone" in str(other.position().damage)


def test_a_line_longer_than_a_batch(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
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
    desk = Desk(database, tmp_path / "runs")
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


def test_the_ingest_tries_again_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
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
    desk = Desk(database, tmp_path / "runs")
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


def test_a_deleted_run_is_let_go(desk: Desk) -> None:
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    with desk.database.write() as session:
        progress.remove(session, desk.run_id)
    write_log(desk.path, training(10), first_seq=12)
    desk.turn()
    assert desk.health.sentences() == ()
    with desk.database.read() as session:
        assert session.scalars(sa.select(EventChunk.run_id)).all() == []


BIG_LOG = """
import resource, sys
from pathlib import Path
from backend.store.database import Database
from predictor import log
from tests.backend.test_ingest import Desk
from tests.backend.logs import started, training, write_log

home, num = Path(sys.argv[1]), int(sys.argv[2])
desk = Desk(Database(f"sqlite:///{home / 'foresync.db'}"), home / "runs")
write_log(desk.path, [started()])
desk.turn()
block = [log.encode(event) for event in training(20_000)]
with desk.path.open("ab") as file:
    for seq in range(2, num + 2):
        file.write(log.with_seq(block[seq % len(block)], seq))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
desk.turn()
print(desk.position().last_seq, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, desk.path.stat().st_size)
"""


def test_a_long_log_needs_little_memory(tmp_path: Path, sqlite_template: Path) -> None:
    """200,000 events that have piled up, about 50 MB, are read in batches."""
    (tmp_path / "foresync.db").write_bytes(sqlite_template.read_bytes())
    command = [sys.executable, "-c", BIG_LOG, str(tmp_path), "200000"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    last_seq, more_kib, log_bytes = map(int, done.stdout.split())
    assert last_seq == 200_001
    assert log_bytes > 40_000_000
    assert more_kib < 16 * 1024


def test_the_thread_stores_what_is_there_before_it_ends(desk: Desk) -> None:
    desk.ingest.start()
    write_log(desk.path, [started(), *training(5_000)])
    time.sleep(0.01)
    write_log(desk.path, [finished(99.0)], first_seq=5_002)
    desk.ingest.close()
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert desk.run().state == "completed"
