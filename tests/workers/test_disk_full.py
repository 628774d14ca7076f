"""A disk that takes no more: one clear sentence, nothing lost that was stored, nobody left."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from predictor.events import MessageLogged, RunFinished
from predictor.log import decode
from tests.workers.live import LiveRun, wait_until
from workers.coordinator.journal import Journal
from workers.errors import JournalError


@contextmanager
def files_limited_to(num_bytes: int) -> Iterator[None]:
    """Let the kernel refuse larger files, as it does on a full disk (Python turns the signal into an OSError)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def message(text: str) -> MessageLogged:
    return MessageLogged(1.0, "server", "info", text)


def test_a_journal_keeps_whole_lines_and_can_be_used_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, 0, 0)
    journal.add(message("stored"))
    journal.flush()
    for number in range(10):
        journal.add(message(f"{number} " + "x" * 300))
    with files_limited_to(path.stat().st_size + 1000), pytest.raises(JournalError, match=r"cannot write to .*events"):
        journal.flush()
    lines = path.read_bytes().splitlines(keepends=True)
    assert 1 < len(lines) < 11
    assert all(line.endswith(b"\n") for line in lines)
    assert journal.last_seq == len(lines)
    journal.add(message("there is room again"))
    journal.flush()
    lines = path.read_bytes().splitlines()
    assert [decode(line)[0] for line in lines] == list(range(1, len(lines) + 1))
    assert decode(lines[-1])[1] == message("there is room again")


def test_a_run_whose_log_cannot_grow_ends(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 5000}).start()
    run.wait_for_training()
    log = run.path / "events.jsonl"
    stored = log.read_bytes()
    resource.prlimit(run.coordinator, resource.RLIMIT_FSIZE, (len(stored) + 20_000, resource.RLIM_INFINITY))
    wait_until(run.has_ended)
    run.check()
    assert log.read_bytes().startswith(stored)
    assert f"run {run.path.name} failed: cannot write to {log}: File too large\n" in run.log()
    closings = run.of(RunFinished)  # there may have been room for one more line, or not
    assert [closing.outcome for closing in closings] in ([], ["failed"])
    assert not run.is_locked()


def test_a_checkpoint_that_does_not_fit_is_said_and_the_old_one_stays(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(stop={"iterations": 5000}, checkpoint_every_s=0.2).start()
    file = run.path / "checkpoints" / "checkpoint.npz"
    wait_until(file.exists)
    resource.prlimit(run.pid("server"), resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    said = run.wait_for(MessageLogged, lambda event: event.level == "error")
    assert "could not be written: File too large" in said.text
    kept = file.read_bytes()
    run.command(command="stop")
    assert run.finish().outcome == "stopped"
    assert file.read_bytes() == kept
    assert [path.name for path in file.parent.iterdir()] == ["checkpoint.npz"]
