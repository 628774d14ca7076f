"""From the log into the database: every event once and in order, in whatever pieces the log comes."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.runs import ingest as ingest_module
from backend.store import codec, listing, progress
from backend.store import events as event_store
from backend.store.database import Database
from backend.store.records import RunFilter
from backend.store.tables import EventChunk
from predictor import log
from predictor.events import Event, RunResumed, RunStarted
from predictor.summary import Summary
from tests.backend.checks import add_run, check_equal_to_log, read_all
from tests.backend.ingest_desk import IngestDesk
from tests.backend.logs import WALL_TIME_S, finished, started, training, write_log


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> IngestDesk:
    return IngestDesk(database, tmp_path / "runs")


@pytest.mark.parametrize("seed", range(3))
def test_a_log_that_comes_in_torn_pieces(desk: IngestDesk, seed: int) -> None:
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


def test_the_state_follows_the_log(desk: IngestDesk) -> None:
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


def test_a_stopping_run_stays_stopping_until_its_end(desk: IngestDesk) -> None:
    with desk.database.write() as session:
        progress.stop(session, desk.run_id, "Enough.")
    write_log(desk.path, [started(), *training(10)])
    desk.turn()
    assert desk.run().state == "stopping"
    write_log(desk.path, [finished(3.0)], first_seq=12)
    desk.turn()
    assert desk.run().state == "completed"


def test_a_second_life_goes_on_in_the_same_log(desk: IngestDesk) -> None:
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


def test_the_summary_does_not_depend_on_the_pieces(desk: IngestDesk) -> None:
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
        page = listing.list_page(session, RunFilter(), sort="-utilisation")
    assert page.runs[0].summary["utilisation"] == run.summary["utilisation"] is not None


def test_a_summary_of_another_version_is_folded_anew(desk: IngestDesk) -> None:
    made = [started(), *training(300), finished(9.0)]
    write_log(desk.path, made[:200])
    desk.turn()
    with desk.database.write() as session:
        progress.save_fold(session, desk.run_id, b'{"format": 0}')
    write_log(desk.path, made[200:], first_seq=201)
    desk.ingest = desk.new_ingest()
    desk.turn()
    assert desk.run().summary["num_events"] == len(made)


def test_chunks_are_gathered_into_compact_ones(desk: IngestDesk) -> None:
    made = [started(), *training(2 * event_store.CHUNK_EVENTS + 500), finished(9.0)]
    for first in range(0, len(made), 300):
        write_log(desk.path, made[first : first + 300], first_seq=first + 1)
        desk.turn()
        chunks = desk.chunks()
        assert [chunk[0] for chunk in chunks[1:]] == [chunk[1] + 1 for chunk in chunks[:-1]]
        assert sum(chunk[1] - chunk[0] + 1 for chunk in chunks if chunk[2] == codec.LINES) < event_store.CHUNK_EVENTS
    assert desk.chunks() == [(1, 2000, codec.COLUMNS), (2001, 4000, codec.COLUMNS), (4001, 4502, codec.COLUMNS)]
    check_equal_to_log(desk.database, desk.run_id, desk.path)


def test_pages_of_any_size_hold_the_same_events(desk: IngestDesk) -> None:
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


def test_reading_ends_where_less_is_stored_than_the_row_says(desk: IngestDesk) -> None:
    write_log(desk.path, [started(), *training(20)])
    desk.turn()
    with desk.database.write() as session:
        session.execute(sa.delete(EventChunk))
    with desk.database.read() as session:
        page = event_store.read(session, desk.run_id, 0, 5)
    assert (page.lines, page.is_end) == ((), True), "whoever reads to the end would read for ever"


def test_pages_of_some_kinds(desk: IngestDesk) -> None:
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


def test_two_followers_of_one_log_store_each_event_once(desk: IngestDesk, caplog: pytest.LogCaptureFixture) -> None:
    other = desk.new_ingest()
    for first in range(0, 500, 20):
        write_log(desk.path, training(20), first_seq=first + 1)
        for ingest in (desk.ingest, other) if first % 40 else (other, desk.ingest):
            while ingest.turn():
                pass
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert caplog.messages == []  # neither even tried to store what the other had stored


BIG_LOG = """
import resource, sys
from pathlib import Path
from backend.store.database import Database
from predictor import log
from tests.backend.ingest_desk import IngestDesk
from tests.backend.logs import started, training, write_log

home, num = Path(sys.argv[1]), int(sys.argv[2])
desk = IngestDesk(Database(f"sqlite:///{home / 'foresync.db'}"), home / "runs")
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


def test_the_thread_stores_what_is_there_before_it_ends(desk: IngestDesk) -> None:
    desk.ingest.start()
    write_log(desk.path, [started(), *training(5_000)])
    time.sleep(0.01)
    write_log(desk.path, [finished(99.0)], first_seq=5_002)
    desk.ingest.close()
    check_equal_to_log(desk.database, desk.run_id, desk.path)
    assert desk.run().state == "completed"


def _add_virtual_run(desk: IngestDesk, made: list[Event]) -> str:
    with desk.database.write() as session:
        run_id = add_run(session)
        progress.change(session, run_id, {"state": "starting", "queue_place": None})
    write_log(desk.runs_dir / run_id / "events.jsonl", made)
    desk.ingest.follow(run_id)
    return run_id


def test_a_live_run_has_its_turn_between_the_bites_of_virtual_ones(
    desk: IngestDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long storing a part of a virtual run takes, the next to be stored is what the live run has written."""
    monkeypatch.setattr(ingest_module, "TURN_S", 0.0)  # the live run's turn is always due
    monkeypatch.setattr(ingest_module, "BITE_S", 0.0)  # whatever is stored takes too long
    monkeypatch.setattr(ingest_module, "LEAST_BITE_BYTES", 4_096)
    write_log(desk.path, [started()])
    simulated = [dataclasses.replace(started(), is_simulated=True), *training(3_000)]
    virtual = [_add_virtual_run(desk, simulated[:1]) for _ in range(2)]
    desk.turn()  # now it is known which of them are virtual
    for run_id in virtual:
        write_log(desk.runs_dir / run_id / "events.jsonl", simulated[1:], first_seq=2)
    stored: list[str] = []
    notify = desk.wakeups.notify

    def note(run_id: str) -> None:
        notify(run_id)
        stored.append(run_id)
        if run_id != desk.run_id:
            write_log(desk.path, training(1), first_seq=1 + len(stored) - stored.count(desk.run_id))

    monkeypatch.setattr(desk.wakeups, "notify", note)
    desk.turn()
    assert stored[1::2] == [desk.run_id] * (len(stored) // 2)
    assert desk.run_id not in stored[0::2]
    assert len(stored) > 100  # small bites, though each run's log would fit into two batches
    for run_id in virtual:
        check_equal_to_log(desk.database, run_id, desk.runs_dir / run_id / "events.jsonl")
