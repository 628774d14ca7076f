"""The timeline of a run: built as its events come, in any batches, over restarts, or afterwards."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.store.database import Database
from backend.timeline import index, reader, store, tiles
from backend.timeline.index import Indexer
from backend.timeline.spans import KIND_NAMES, LANDMARK_KINDS, NUM_LAYERS, Marks, Spans
from backend.timeline.tiles import BINS, Tile
from predictor.events import (
    AggregateApplied,
    Event,
    ExchangeFinished,
    IterationFinished,
    PushArrived,
    RunFinished,
    RunStarted,
)
from predictor.worker_totals import WARM_UP
from tests.backend.ingest_desk import IngestDesk
from tests.backend.logs import write_log
from tests.backend.timeline_desk import (
    NUM_WORKERS,
    Desk,
    check_whole,
    exact_seconds,
    forecast,
    lines_of,
    simulated,
)


@pytest.mark.parametrize("size", [137, 2_000, 9_001])
@pytest.mark.parametrize("make", [simulated, forecast])
def test_seconds_add_up_whatever_the_batches(
    database: Database, make: Callable[[], tuple[Event, ...]], size: int
) -> None:
    events = make()
    desk = Desk(database)
    for start in range(0, len(events), size):
        desk.store(events[start : start + size], is_last=start + size >= len(events))
    check_whole(desk, events)


def test_a_restart_neither_loses_nor_doubles(database: Database) -> None:
    events = forecast()
    desk = Desk(database)
    for start in range(0, len(events), 500):
        desk.store(events[start : start + 500], is_last=start + 500 >= len(events))
        desk.restart()
    check_whole(desk, events)


def test_windows_that_were_missed_stand_beside_what_was_done(database: Database) -> None:
    events = forecast()
    desk = Desk(database)
    desk.store(events, is_last=True)
    seconds, _, _ = desk.seconds(0.0, desk.state().to_s)
    late, early = seconds[NUM_LAYERS - 2 :]
    assert late[3] > late[2] == 0  # the slow worker and the fast one
    assert (early > 0).all()
    took_s: dict[int, float] = dict.fromkeys(range(NUM_WORKERS), 0.0)
    for event in events:
        if isinstance(event, PushArrived) and event.iteration > WARM_UP and event.compute_s > 0.11:
            took_s[event.worker] += event.compute_s
    assert late == pytest.approx(list(took_s.values()), rel=0.02, abs=0.05)
    with database.read() as session:
        tile = reader.served_tile(session, desk.run_id, desk.state(), desk.state().top, 0)
    assert zlib.decompress(tile)[:2] == bytes([1, NUM_LAYERS])


def test_tiles_from_before_there_were_windows_are_read() -> None:
    tile = Tile.empty()
    row = tile.rows_of(np.array([7]))[0]
    tile.shares[3, row, :5] = 1
    raw = zlib.decompress(tiles.pack(tile, is_open=False))
    assert raw[1] == len(KIND_NAMES)  # nothing is kept of windows where none was missed
    old = zlib.compress(raw[:1] + b"\0" + raw[2:])
    assert np.array_equal(tiles.unpack(old).shares, tiles.unpack(tiles.pack(tile, is_open=False)).shares)


def test_a_failed_transaction_leaves_the_timeline_as_it_was(database: Database) -> None:
    events = simulated()
    desk = Desk(database)
    half = len(events) // 2
    desk.store(events[:half])
    before = desk.state()

    with pytest.raises(ZeroDivisionError):
        store_and_fail(desk, events[half:])
    assert desk.state() == before
    desk.restart()
    desk.store(events[half:], is_last=True)
    check_whole(desk, events)


def store_and_fail(desk: Desk, events: Sequence[Event]) -> None:
    with desk.database.write() as session:
        first = desk.num + 1
        desk.indexer.take(session, first, events, lines_of(events, first), is_last=True)
        raise ZeroDivisionError


def test_every_level_tells_the_same(database: Database) -> None:
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True)
    state = desk.state()
    assert state.top > state.level, "the run must be long enough for more than one level"
    wish = exact_seconds(events, 0.0, state.to_s + 1)
    with database.read() as session:
        for level in range(state.level, state.top + 1):
            last = int(state.to_s / (BINS * 2.0**level))
            found = [store.compose(session, desk.run_id, state, level, place) for place in range(last + 1)]
            sums = sum(tile.shares.sum(axis=2) * 2.0**level for tile in found)
            assert np.allclose(sums, wish, rtol=0.02, atol=0.2), f"level {level}"


def test_an_overview_holds_what_happened_at_the_very_end(database: Database) -> None:
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True)
    state = desk.state()
    num = sum(isinstance(event, AggregateApplied) for event in events)
    with database.read() as session:
        for columns in (1, 7, 200, 2000):
            whole = reader.overview(session, desk.run_id, state, (0.0, state.to_s), columns)
            assert sum(whole["figures"]["updates"]) == num, f"{columns} columns"
            assert len(whole["figures"]["updates"]) == whole["num_bins"]


def test_a_straggler_that_tells_late_reaches_into_finished_tiles(database: Database) -> None:
    events = [event for event in simulated() if not isinstance(event, RunFinished)]
    late = IterationFinished(events[-1].at_s, 9, 1, 0, 1.0, events[-1].at_s - 1.0, 0.0, 2.0, 8, 0.0)
    desk = Desk(database)
    for start in range(0, len(events), 1_000):
        desk.store(events[start : start + 1_000])
    desk.store([late, RunFinished(late.at_s, "completed", "done")], is_last=True)
    state = desk.state()
    with database.read() as session:
        for level in (state.level, state.top):
            last = int(state.to_s / (BINS * 2.0**level))
            found = [store.compose(session, desk.run_id, state, level, place) for place in range(last + 1)]
            spent = sum(tile.shares[0, tile.workers == 9].sum() * 2.0**level for tile in found)
            assert spent == pytest.approx(late.at_s - 1.0, rel=0.01), f"level {level}"


def test_a_resumed_run_goes_on(database: Database) -> None:
    events = simulated()
    half = len(events) // 2
    desk = Desk(database)
    desk.store([*events[:half], RunFinished(events[half - 1].at_s, "stopped", "by a person")], is_last=True)
    again = RunStarted(events[half].at_s, 0.0, desk.run_id, True, {})
    desk.store([again, *events[half:]], is_last=True)
    check_whole(desk, events)


def test_a_long_silence_makes_bins_wider(database: Database) -> None:
    events = [event for event in simulated() if not isinstance(event, RunFinished)]
    desk = Desk(database)
    desk.store(events)
    before = desk.state()
    end_s = 1e6
    last = IterationFinished(end_s, 0, 10_000, 0, end_s - 1, 1.0, 0.0, 2.0, 8, 0.0)
    desk.store([last, RunFinished(end_s, "completed", "done")], is_last=True)
    after = desk.state()
    assert after.level > before.level
    assert after.num_bins <= max(4 * BINS, after.last_seq // index.EVENTS_PER_BIN_LEAST) + 1
    seconds, figures, bin_s = desk.seconds(0.0, end_s)
    wish = exact_seconds([*events, last], 0.0, end_s + 1)
    assert np.allclose(seconds, wish, rtol=0.05, atol=0.01 * bin_s)
    assert figures["iterations"] == 4 * 900 + 1


def test_events_after_a_gap_are_left_to_a_later_reading(database: Database) -> None:
    events = simulated(60)
    desk = Desk(database)
    third = len(events) // 3
    desk.store(events[:third])
    desk.store(events[third : 2 * third], is_indexed=False)  # as another program would
    desk.store(events[2 * third :], is_last=True)
    assert desk.indexer.is_behind, "what follows a gap must not be written as if nothing were missing"
    with database.read() as session:
        assert store.load_state(session, desk.run_id) is None, "nothing of it is in the timeline"
    assert reader.bring_up(database, desk.run_id, max_steps=1)[2]
    desk.restart()
    assert desk.state().last_seq == len(events)
    seconds, figures, _ = desk.seconds(0.0, desk.state().to_s)
    assert figures["iterations"] == NUM_WORKERS * 60
    assert np.allclose(seconds, exact_seconds(events, 0.0, math.inf), rtol=0.02, atol=0.1)


@pytest.mark.parametrize(("max_gap", "is_behind"), [(299, True), (300, False)])
def test_only_a_short_gap_is_read_again_when_a_run_is_followed(
    database: Database, max_gap: int, is_behind: bool
) -> None:
    desk = Desk(database)
    desk.store(simulated(60)[:300], is_indexed=False)
    with database.read() as session:
        indexer = Indexer.load(session, desk.run_id, desk.num, max_gap)
    assert indexer.is_behind == is_behind
    with database.write() as session:
        indexer.write(session, is_last=False)
        state = store.load_state(session, desk.run_id)
    assert (state.last_seq if state else None) == (None if is_behind else 300)


def test_an_old_run_is_built_when_it_is_asked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "STEP_EVENTS", 3_000)
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True, is_indexed=False)
    state, last_seq, is_complete = reader.bring_up(database, desk.run_id, max_steps=1)
    assert (state.last_seq if state else 0, last_seq, is_complete) == (3_000, len(events), False)
    assert reader.bring_up(database, desk.run_id, max_steps=100)[2]
    check_whole(desk, events)


def test_the_ingest_builds_it(database: Database, tmp_path: Path) -> None:
    events = simulated()
    desk = IngestDesk(database, tmp_path / "runs")
    write_log(desk.path, events[:7_000])
    desk.turn()
    write_log(desk.path, events[7_000:], first_seq=7_001)
    desk.ingest = desk.new_ingest()  # as after a restart
    desk.turn()
    state, last_seq, is_complete = reader.bring_up(database, desk.run_id, max_steps=0)
    assert state is not None
    assert (state.last_seq, state.sealed_s, is_complete) == (last_seq, None, True)
    with database.read() as session:
        found = reader.overview(session, desk.run_id, state, (0.0, state.to_s), 64)
    assert sum(found["figures"]["iterations"]) == 4 * 900


def test_landmarks_are_the_rare_events(database: Database) -> None:
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True)
    with database.read() as session:
        found = list(store.landmarks(session, desk.run_id, desk.num))
    assert found == [
        line for line, event in zip(lines_of(events), events, strict=True) if type(event).__name__ in LANDMARK_KINDS
    ]


@pytest.mark.parametrize(("from_s", "to_s"), [(0.0, 3.0), (20.0, 23.0), (57.0, 57.0)])
def test_a_stretch_has_every_event_that_tells_of_it(database: Database, from_s: float, to_s: float) -> None:
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True)
    with database.read() as session:
        stretch = reader.events_within(session, desk.run_id, from_s, to_s, 100_000)
    assert not stretch.is_cut
    found = {event["seq"] for event in stretch.events}
    for seq, event in enumerate(events, 1):
        start_s = event.at_s
        if isinstance(event, IterationFinished):
            start_s = event.started_at_s
        if isinstance(event, ExchangeFinished) and event.blocked_from_s is not None:
            start_s = event.blocked_from_s
        if start_s <= to_s and event.at_s >= from_s:
            assert seq in found, f"event {seq} is missing: {event}"


def test_why_a_wait_began_is_told_with_the_stretch(database: Database) -> None:
    events = simulated()
    desk = Desk(database)
    desk.store(events, is_last=True)
    wait = next(e for e in events if isinstance(e, ExchangeFinished) and e.released_at_s - e.arrived_at_s > 0.02)
    middle_s = (wait.arrived_at_s + wait.released_at_s) / 2
    with database.read() as session:
        stretch = reader.events_within(session, desk.run_id, middle_s, middle_s + 0.001, 1_000)
    held = [event for event in stretch.events if event["kind"] == "WorkerHeld"]
    assert any(one["worker"] == wait.worker and one["at_s"] <= middle_s for one in held)


def test_a_stretch_with_too_many_events_is_cut_and_says_so(database: Database) -> None:
    desk = Desk(database)
    desk.store(simulated(), is_last=True)
    with database.read() as session:
        stretch = reader.events_within(session, desk.run_id, 0.0, 50.0, 500)
    assert stretch.is_cut
    assert 0.0 <= stretch.to_s < 50.0
    assert len(stretch.events) <= 500


spans = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, NUM_LAYERS - 1), st.floats(0, 700), st.floats(0.001, 300)),
    min_size=1,
    max_size=30,
)


@given(rows=spans)
def test_a_span_counts_once_in_the_bins_that_it_covers(rows: list[tuple[int, int, float, float]]) -> None:
    worker, kind, start_s, length_s = (np.array(column) for column in zip(*rows, strict=True))
    columns = Spans(worker.astype(np.int64), kind.astype(np.int64), start_s, start_s + length_s)
    marks = Marks(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    total = np.zeros(NUM_LAYERS)
    for place in tiles.places_of(columns, marks, 0):
        tile = Tile.empty()
        tile.add_spans(columns, 0, place)
        total += tile.shares.sum(axis=(1, 2))
    wish = np.bincount(kind, length_s, NUM_LAYERS)
    assert np.allclose(total, wish, rtol=1e-4, atol=1e-4)


@given(shares=st.lists(st.floats(0, 1), min_size=1, max_size=BINS), is_open=st.booleans())
def test_packing_keeps_what_is_small(shares: list[float], is_open: bool) -> None:
    tile = Tile.empty()
    row = tile.rows_of(np.array([7]))[0]
    tile.shares[3, row, : len(shares)] = shares
    again = tiles.unpack(tiles.pack(tile, is_open=is_open))
    assert again.workers.tolist() == [7]
    found = again.shares[3, 0, : len(shares)]
    assert np.allclose(found, shares, atol=1e-4 if is_open else 0.004)
    assert ((found > 0) == (np.float32(shares) > 0)).all()


def test_what_is_added_in_small_parts_is_not_rounded_away() -> None:
    num_parts, part_s = 200, 1 / 1_024
    data = tiles.pack(Tile.empty(), is_open=True)
    for start_s in np.arange(num_parts) / num_parts:
        tile = tiles.unpack(data)
        columns = (np.array([7]), np.array([3]), np.array([start_s]), np.array([start_s + part_s]))
        tile.add_spans(Spans(*columns), 0, 0)
        data = tiles.pack(tile, is_open=True)
    assert not tiles.is_served_as_stored(data)
    assert tiles.unpack(data).shares[3, 0, 0] == pytest.approx(num_parts * part_s, rel=0.005)
    served = tiles.pack(tiles.unpack(data), is_open=False)
    assert tiles.is_served_as_stored(served)
    assert tiles.unpack(served).shares[3, 0, 0] == pytest.approx(num_parts * part_s, abs=0.004)
