"""The warm host: what it answers, and who outlives whom."""

from __future__ import annotations

import json
import os
import select
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workers.live import HANG_S, LiveRun, WarmHost, spec_of
from workers.host import main


def test_its_socket_is_its_owners_alone(host: WarmHost) -> None:
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("request_line", "sentence"),
    [
        (b"what?", "a request must be a line of JSON with run_dir and resume, got b'what?"),
        (b'{"resume": true}', "a request must be a line of JSON"),
        (b'["run_dir"]', "a request must be a line of JSON"),
        (b'{"run_dir": "runs/1"}', "run_dir must be an absolute path, got 'runs/1'"),
        (b'{"run_dir": "/nowhere/at/all"}', "there is no run directory /nowhere/at/all"),
    ],
)
def test_what_it_cannot_do_is_answered_with_a_sentence(host: WarmHost, request_line: bytes, sentence: str) -> None:
    answer = host.ask(request_line)
    assert list(answer) == ["error"]
    assert answer["error"].startswith(sentence)


def test_a_directory_without_a_spec_is_refused(host: WarmHost, tmp_path: Path) -> None:
    assert host.ask(json.dumps({"run_dir": str(tmp_path)}).encode()) == {
        "error": f"there is no spec.json in {tmp_path}"
    }


def test_a_second_host_on_the_same_path_is_refused(host: WarmHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(host.path) == 2
    assert capsys.readouterr().err == f"the host cannot listen on {host.path}: another host listens there already\n"
    assert host.ask(b"still there?")["error"]


def test_a_run_outlives_its_host_in_a_session_of_its_own(tmp_path: Path) -> None:
    own_host = WarmHost(leftover=True)  # a dead host's socket lies in its way
    run = LiveRun(own_host, tmp_path / "run", spec_of(stop={"iterations": 60})).start()
    run.wait_for_training(1)
    assert os.getsid(run.coordinator) == run.coordinator
    own_host.close()  # its input ends, as when the backend dies
    assert own_host.process.returncode == 0
    assert not own_host.path.exists()
    assert run.finish().outcome == "completed"


def test_two_coordinators_never_share_a_run(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 40}).start()
    run.wait_for_training(1)
    second = os.pidfd_open(run.host.start(run.path))
    assert select.select([second], [], [], HANG_S)[0]
    os.close(second)
    assert f"run {run.path.name} is being trained already, by process {run.coordinator}" in run.log()
    assert run.finish().outcome == "completed"
