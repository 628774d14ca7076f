"""The files of a run directory: control, history, journal, lock."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from predictor.events import CheckpointWritten, Event, MessageLogged, Retuned, RunFinished, RunStarted, TargetReached
from predictor.log import decode
from workers.coordinator.directory import Control, RunDirectory
from workers.coordinator.history import History, read_history
from workers.coordinator.journal import Journal
from workers.errors import RunDirectoryError


def message(at_s: float = 0.0) -> MessageLogged:
    return MessageLogged(at_s, "server", "info", 'text with "kind":"RunFinished" in it')


def write(path: Path, events: list[Event]) -> None:
    journal = Journal(path, 0, 0)
    for event in events:
        journal.add(event)
    journal.flush()


def test_commands_come_once_and_only_when_their_line_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    control = Control(path, skips_present=False)
    assert path.exists()
    assert control.poll() == []
    with path.open("ab", buffering=0) as file:
        file.write(b'{"command":"stop"}\n{"command":"ret')
        assert control.poll() == [{"command": "stop"}]
        file.write(b'une"}\nrubbish\n[1]\n{"command":"stop"}\n')
    assert control.poll() == [
        {"command": "retune"},
        {"unreadable": "rubbish"},
        {"unreadable": "[1]"},
        {"command": "stop"},
    ]
    assert control.poll() == []


def test_a_resumed_run_does_not_obey_old_commands(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    path.write_bytes(b'{"command":"stop"}\n')
    assert Control(path, skips_present=True).poll() == []
    assert Control(path, skips_present=False).poll() == [{"command": "stop"}]


def test_an_absent_log_has_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "events.jsonl") == History()


def test_the_history_of_a_log_is_what_its_whole_lines_say(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    closing = RunFinished(9.0, "stopped", "enough")
    events: list[Event] = [
        RunStarted(0.0, 1.0, "run", False, {}),
        Retuned(1.0, {"threshold": 2}, {"name": "median", "window": 3}),
        Retuned(1.5, {}, {"name": "ewma", "weight": 0.5}),
        CheckpointWritten(2.0, "checkpoint.npz", 3, {"0": 3}),
        RunFinished(3.0, "failed", "died"),
        RunStarted(3.0, 2.0, "run", False, {}),
        Retuned(4.0, {"alpha": 0.5}, {"weight": 0.25}),
        CheckpointWritten(5.0, "checkpoint.npz", 6, {"0": 6}),
        message(10.5),
        TargetReached(6.0, "test_loss", 0.1),
        closing,
    ]
    write(path, events)
    length = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"seq":12,"kind":"RunFin')
    assert read_history(path) == History(
        length=length,
        last_seq=11,
        last_at_s=10.5,
        num_lives=2,
        checkpoint=CheckpointWritten(5.0, "checkpoint.npz", 6, {"0": 6}),
        checkpoint_seq=8,
        retuned={"threshold": 2, "alpha": 0.5},
        retuned_forecaster={"name": "ewma", "weight": 0.25},
        has_reached_target=True,
        finished=closing,
    )


def test_a_life_without_a_closing_event_is_not_finished(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, [RunFinished(1.0, "stopped", "enough"), RunStarted(1.0, 2.0, "run", False, {}), *[message()] * 5000])
    history = read_history(path)
    assert history.finished is None
    assert history.last_seq == 5002


def test_a_damaged_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"seq":1,"kind":"RunStarted","at_s":0}\n')
    with pytest.raises(RunDirectoryError, match=r"events.jsonl is damaged: .*RunStarted"):
        read_history(path)


def test_a_journal_goes_on_after_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    write(path, [message(1.0), message(2.0)])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"seq":3,"ki')
    journal = Journal(path, len(whole), 2)
    assert path.read_bytes() == whole
    journal.add(message(3.0))
    assert path.read_bytes() == whole  # not before the flush
    journal.sync_soon()
    journal.flush()
    assert [decode(line) for line in path.read_bytes().splitlines()] == [
        (1, message(1.0)),
        (2, message(2.0)),
        (3, message(3.0)),
    ]


def test_a_run_directory_has_one_coordinator(tmp_path: Path) -> None:
    first, second = RunDirectory(tmp_path), RunDirectory(tmp_path)
    first.lock()
    assert (tmp_path / "lock").read_text() == str(os.getpid())
    with pytest.raises(RunDirectoryError, match=f"is being trained already, by process {os.getpid()}"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_a_spec_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text("{")
    with pytest.raises(RunDirectoryError, match=r"spec.json cannot be read: "):
        RunDirectory(tmp_path).read_spec()
