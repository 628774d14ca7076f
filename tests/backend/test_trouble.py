"""Wake-ups, the catalogue, and what is said when something is wrong."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.errors import ExecutorError
from backend.runs.executor import Executor
from backend.runs.rundir import RunDirectory
from backend.store import experiments, progress
from backend.store.ids import new_id
from predictor import log
from predictor.events import RunFinished
from tests.backend.checks import read_all, small_experiment, wait_for
from tests.backend.desk import COMMAND, Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # nothing here depends on it


def test_a_handler_is_woken_and_misses_nothing(desk: Desk) -> None:
    manager = desk.serve()

    async def follow() -> list[int]:
        (run_id,) = desk.queue("num=200 pause=0.001")
        seen: list[int] = []
        num_waits = 0
        with manager.subscribe(run_id) as wake:
            while True:
                run = await asyncio.to_thread(desk.run, run_id)
                if run.last_seq > len(seen):
                    seen = [event["seq"] for event in await asyncio.to_thread(read_all, desk.database, run_id)]
                elif run.is_finished:
                    assert num_waits > 1
                    return seen
                else:
                    num_waits += 1
                    assert await wake.wait(20), "no wake-up came"

    assert asyncio.run(follow()) == list(range(1, 204))


def test_a_wait_without_news_ends(desk: Desk) -> None:
    manager = desk.serve()

    async def wait() -> bool:
        with manager.subscribe(new_id()) as wake:
            return await wake.wait(0.05)

    assert asyncio.run(wait()) is False


def test_the_catalogue_is_asked_once(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = tmp_path / "counter"
    monkeypatch.setenv("FAKE_CATALOGUE_COUNTER", str(counter))
    monkeypatch.setenv("FORESYNC_TOKEN", "secret")
    manager = desk.serve()
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(manager.catalogue())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert manager.catalogue()["models"] == [{"name": "mlp"}]
    assert manager.catalogue("/data")["asked"] == ["--data-dir=/data"]
    assert manager.catalogue("/data", is_fresh=True)["asked"] == ["--data-dir=/data"]
    with pytest.raises(ExecutorError, match="cannot be listed: the folder /broken holds no data set"):
        manager.catalogue("/broken")
    with pytest.raises(ExecutorError, match="null byte"):
        manager.catalogue("/a\0b")
    assert len(counter.read_text().splitlines()) == 4


def test_a_database_that_goes_away_is_told_and_comes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = desk.serve()
    real: Callable[..., Any] = progress.next_queued

    def fail(*arguments: Any, **more: Any) -> Any:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(progress, "next_queued", fail)
    (run_id,) = desk.queue("num=5")
    wait_for(manager.health, "a sentence")
    assert manager.health() == ("The queue stands still: No space left on device.",)
    monkeypatch.setattr(progress, "next_queued", real)
    desk.wait(run_id, "completed")
    wait_for(lambda: not manager.health(), "no sentence any more")


def test_a_directory_that_cannot_be_made_fails_the_run(desk: Desk) -> None:
    manager = desk.serve()
    with desk.database.write() as session:
        experiment_id = small_experiment(session, "x", run={"name": "num=3"})
        (run_id,) = experiments.get(session, experiment_id).run_ids
        desk.path(run_id).write_text("a file is in the way")
    manager.submit([run_id])
    assert desk.wait(run_id, "failed").reason == "The run's directory cannot be written: File exists."
    desk.path(run_id).unlink()
    manager.resume(run_id)  # it never started, so it starts now
    desk.wait(run_id, "completed")


def test_the_closing_event_can_be_read_by_everybody(desk: Desk) -> None:
    desk.serve()
    (run_id,) = desk.queue("num=50 dies_at=20")
    desk.wait(run_id, "failed")
    last = (desk.path(run_id) / "events.jsonl").read_bytes().splitlines()[-1]
    seq, event = log.decode(last)
    assert seq == 23
    assert isinstance(event, RunFinished)
    assert event.outcome == "failed"


@pytest.mark.parametrize("length", [1, 100])
def test_the_host_is_reached_under_a_home_of_any_length(
    desk: Desk, tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = Path(tempfile.mkdtemp())
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    home = tmp_path / ("h" * length)
    directory = RunDirectory(home / "runs", new_id())
    directory.prepare({"name": "num=5"})
    executor = Executor(COMMAND, home)
    try:
        assert executor.launch(directory, is_resume=False) is not None
        events = directory.events
        wait_for(lambda: events.exists() and b"RunFinished" in events.read_bytes(), "the end of the run")
    finally:
        executor.close()
    assert not (home / "host.sock").exists()
    temporary.rmdir()  # nothing is left in it
    with pytest.raises(ExecutorError, match="shutting down"):
        executor.launch(directory, is_resume=False)
