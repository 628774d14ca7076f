"""A run's directory: who holds it, how its log is closed, and that no other directory is ever touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from backend.runs.rundir import RunDirectory, set_aside_ids
from backend.store.ids import is_id, new_id
from predictor import log
from predictor.events import MessageLogged, RunFinished
from tests.backend.logs import finished, started, training, write_log

HOLD = """
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.write(lock, str(os.getpid()).encode())
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path, new_id())
    made.prepare({"name": "x"})
    return made


@pytest.fixture
def holder(directory: RunDirectory) -> Iterator[int]:
    command = [sys.executable, "-c", HOLD, str(directory.path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate()


@pytest.mark.parametrize(
    "text", ["", ".", "..", "../x", "/etc", "a" * 15, "a" * 17, "A" * 16, "a" * 15 + "\n", "u" * 16]
)
def test_only_ids_name_directories(tmp_path: Path, text: str) -> None:
    assert not is_id(text)
    with pytest.raises(ValueError, match="not the id of a run"):
        RunDirectory(tmp_path, text)


def test_ids_sort_by_their_time() -> None:
    made = [new_id() for _ in range(1_000)]
    assert made == sorted(set(made))
    assert all(map(is_id, made))


def test_prepare_forgets_the_commands_of_an_earlier_life(directory: RunDirectory) -> None:
    directory.send({"command": "stop", "reason": "a\nb"})
    assert json.loads((directory.path / "control.jsonl").read_text()) == {"command": "stop", "reason": "a\nb"}
    directory.prepare({"name": "y"})
    assert (directory.path / "control.jsonl").read_text() == ""
    assert json.loads((directory.path / "spec.json").read_text()) == {"name": "y"}
    assert sorted(path.name for path in directory.path.iterdir()) == ["control.jsonl", "spec.json"]


def test_the_holder_is_the_process_that_has_the_lock_open(directory: RunDirectory, holder: int) -> None:
    assert directory.is_locked()
    assert directory.find_holder() == psutil.Process(holder)
    assert not directory.close_log("died", 0)
    assert not directory.events.exists()
    (directory.path / "lock").write_text("1")  # a process that is there, but is not ours
    assert directory.find_holder() is None
    (directory.path / "lock").write_text(str(os.getpid()))  # one that has the file not open
    assert directory.find_holder() is None
    (directory.path / "lock").write_text("nonsense")
    assert directory.find_holder() is None
    assert directory.is_locked()


def test_nobody_holds_a_new_directory(directory: RunDirectory) -> None:
    assert not directory.is_locked()
    assert directory.find_holder() is None


@pytest.mark.parametrize("torn", [b"", b"{", b'{"seq":13,"kind":"RunFinished","at_s":1.0}'])
def test_a_log_is_closed_after_its_last_complete_line(directory: RunDirectory, torn: bytes) -> None:
    intact = write_log(directory.events, [started(), *training(10)])
    with directory.events.open("ab") as file:
        file.write(torn)
    assert not directory.close_log("died", len(intact) - 1)  # not all of it is stored
    assert directory.events.read_bytes() == intact + torn
    assert directory.close_log("died", len(intact))
    written = directory.events.read_bytes()
    assert written.startswith(intact)
    last = log.decode(written[len(intact) :])
    assert last == (12, RunFinished(at_s=training(10)[-1].at_s, outcome="failed", reason="died"))
    assert not directory.close_log("died twice", len(intact))
    assert directory.events.read_bytes() == written


def test_a_log_without_a_line_is_closed_too(directory: RunDirectory) -> None:
    directory.events.write_bytes(b'{"seq":1,')
    assert directory.close_log("did not start", 0)
    assert log.decode(directory.events.read_bytes())[0] == 1


def test_a_closing_event_of_an_earlier_life_does_not_count(directory: RunDirectory) -> None:
    data = write_log(directory.events, [started(), finished(1.0)])
    assert directory.close_log("died", len(data))
    assert log.decode(directory.events.read_bytes()[len(data) :])[0] == 3


def test_the_last_line_may_be_longer_than_what_is_read_at_once(directory: RunDirectory) -> None:
    data = write_log(directory.events, [started(), MessageLogged(2.5, "server", "error", "x" * 200_000)])
    with directory.events.open("ab") as file:
        file.write(b"y" * 150_000)
    assert directory.close_log("died", len(data))
    assert log.decode(directory.events.read_bytes()[len(data) :])[1].at_s == 2.5


def test_the_end_of_the_log_begins_with_a_line(directory: RunDirectory) -> None:
    assert directory.read_log_tail() == ""
    assert directory.last_words() == ""
    directory.log.write_bytes("first\nsecond Ä\n\xff third\n\n".encode("latin-1"))
    assert directory.read_log_tail(10) == "� third\n\n"
    assert directory.read_log_tail() == "first\nsecond �\n� third\n\n"
    assert directory.last_words() == "� third"
    directory.note("fourth")
    assert directory.last_words() == "fourth"


def test_what_was_set_aside_is_found_again(directory: RunDirectory) -> None:
    runs_dir = directory.path.parent
    (runs_dir / ".deleted-strange").mkdir()
    directory.set_aside()
    assert set_aside_ids(runs_dir) == [directory.run_id]
    directory.restore()
    assert directory.path.exists()
    directory.set_aside()
    directory.remove()
    assert [path.name for path in runs_dir.iterdir()] == [".deleted-strange"]
    RunDirectory(runs_dir, new_id()).set_aside()  # one that never was
