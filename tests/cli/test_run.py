"""`foresync run` trains with real processes and writes the directory of a run."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from predictor import log
from predictor.events import Event, RunFinished, RunStarted
from tests.cli.here import Here
from tests.cli.program import LIMIT_S, PROGRAM, environment

SHORT = """
name: short
cluster: {num_workers: 2}
policy: {name: bsp}
speed: {kind: lognormal, base_s: 0.01}
stop: {iterations: 20, seconds: null}
evaluate_every_s: 0.2
"""


VIRTUAL = ["--set", "cluster.launcher=virtual", "--set", "speed.base_s=1000", "--set", "evaluate_every_s=500"]


def events_of(home: Path) -> list[Event]:
    [run_dir] = (home / "runs").iterdir()
    return [log.decode(line)[1] for line in (run_dir / "events.jsonl").read_bytes().splitlines()]


def test_a_run_ends_with_its_closing_sentence_and_0(here: Here, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SHORT)
    answer = here(tmp_path / "home", "run", spec, "--set", "seed=7")
    assert answer.code == 0, answer.err
    events = events_of(tmp_path / "home")
    assert isinstance(events[0], RunStarted)
    closing = events[-1]
    assert isinstance(closing, RunFinished)
    assert closing.outcome == "completed"
    assert answer.out.splitlines()[-1] == f"completed: {closing.reason}"
    assert "40 iterations" in answer.out
    [run_dir] = (tmp_path / "home" / "runs").iterdir()
    assert json.loads((run_dir / "spec.json").read_text())["seed"] == 7


def test_a_run_in_virtual_time_says_so(here: Here, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SHORT)
    answer = here(tmp_path / "home", "run", spec, *VIRTUAL)
    assert answer.code == 0, answer.err
    assert ", simulated (virtual time), in " in answer.out
    assert " s of virtual time, 40 iterations" in answer.out
    started = events_of(tmp_path / "home")[0]
    assert isinstance(started, RunStarted)
    assert started.is_simulated


def test_ctrl_c_stops_with_a_checkpoint(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SHORT)
    process = subprocess.Popen(
        [*PROGRAM, "run", str(spec), "--set", "stop.iterations=100000"],
        env=environment(tmp_path / "home"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while "iterations" not in lines[-1]:  # the first line of progress: it trains
        lines.append(process.stdout.readline())
        assert lines[-1], process.communicate()[1]
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    closing = events_of(tmp_path / "home")[-1]
    assert isinstance(closing, RunFinished)
    assert closing.outcome == "stopped"
    assert f"stopped: {closing.reason}" in output
    [run_dir] = (tmp_path / "home" / "runs").iterdir()
    assert (run_dir / "checkpoints" / "checkpoint.npz").is_file()


def test_a_data_set_that_is_not_there_is_said_in_one_sentence(here: Here, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SHORT)
    answer = here(tmp_path / "home", "run", spec, "--set", "task.dataset=nothing")
    assert answer.code == 2
    assert answer.err.startswith("foresync: The run has failed: ")
    assert "'nothing'" in answer.err
    assert answer.err.count("\n") == 1
