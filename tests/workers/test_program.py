"""`python -m workers run` from the command line: exit codes and sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from predictor.events import Event, RunFinished, RunStarted
from predictor.log import decode
from predictor.spec import to_data
from tests.workers.live import HANG_S, spec_of
from workers.coordinator import process


def events_of(run_dir: Path) -> list[Event]:
    return [decode(line)[1] for line in (run_dir / "events.jsonl").read_bytes().splitlines()]


def make_directory(path: Path, change: Callable[[dict[str, Any]], None] = lambda data: None) -> Path:
    data = to_data(spec_of(stop={"iterations": 2}))
    change(data)
    path.mkdir(exist_ok=True)
    (path / "spec.json").write_text(json.dumps(data))
    return path


def test_a_run_in_the_foreground(tmp_path: Path) -> None:
    run_dir = make_directory(tmp_path / "cold")
    command = [sys.executable, "-m", "workers", "run", str(run_dir)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANG_S, stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (run_dir / "log.txt").read_text() == ""  # nobody had anything to complain about
    closing = events_of(run_dir)[-1]
    assert isinstance(closing, RunFinished)
    assert closing.outcome == "completed"


def set_path(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for parent in parents:
            data = data[parent]
        data[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (set_path("cluster.num_workers", 0), "cluster.num_workers must be >= 1, got 0"),
        (set_path("task.colour", "red"), "task.colour is not a known key"),
        (set_path("task.model", "transformer"), "there is no model 'transformer': choose one of mlp,"),
        (set_path("task.dataset", "unknown_set"), "unknown_set"),
        (set_path("task.data_dir", "/no/such/folder"), "/no/such/folder"),
        (set_path("speed", {"kind": "trace", "path": "gone.csv"}), "speed.path must name a readable CSV file"),
    ],
)
def test_what_cannot_be_used_is_said_before_any_process_starts_and_closes_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    run_dir = make_directory(tmp_path / "run", change)
    assert process.main(run_dir, is_resume=False) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    started, closing = events_of(run_dir)
    assert isinstance(started, RunStarted)
    assert isinstance(closing, RunFinished)
    assert (closing.outcome, closing.reason) == ("failed", said.rstrip("\n"))


def test_a_directory_that_is_none_and_one_without_a_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert process.main(tmp_path / "gone", is_resume=False) == 2
    assert capsys.readouterr().err == f"there is no run directory {tmp_path / 'gone'}\n"
    assert process.main(tmp_path, is_resume=False) == 2
    assert capsys.readouterr().err == f"there is no spec.json in {tmp_path}\n"


def test_a_relative_trace_is_found_in_the_folder_of_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.csv").write_text("iteration,worker_0\n0,nought\n")
    monkeypatch.setenv("FORESYNC_TRACES", str(tmp_path))
    run_dir = make_directory(tmp_path / "run", set_path("speed", {"kind": "trace", "path": "bad.csv"}))
    assert process.main(run_dir, is_resume=False) == 2
    assert "must hold a number as worker_0 in line 2" in capsys.readouterr().err
