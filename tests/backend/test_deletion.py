"""Deletion of runs and experiments: rows, files, and nothing else."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound, StoreError
from backend.store import experiments, progress
from tests.backend.checks import small_experiment, wait_for
from tests.backend.desk import LONG, Desk
from tests.backend.logs import started, write_log


def test_deletion_removes_rows_and_files(desk: Desk) -> None:
    manager = desk.serve()
    deleted, kept = desk.queue("num=5", "num=5")
    desk.wait(kept, "completed")
    manager.delete(deleted)
    assert not desk.path(deleted).exists()
    assert [path.name for path in desk.settings.runs_dir.iterdir()] == [kept]
    with pytest.raises(NotFound):
        desk.run(deleted)
    desk.check_log(kept)


def test_what_trains_is_not_deleted(desk: Desk) -> None:
    manager = desk.serve()
    first, second = desk.queue(LONG, "num=5")
    desk.wait(first, "running")
    with pytest.raises(Conflict, match="cannot be deleted while it is running; stop it first"):
        manager.delete(first)
    manager.delete(second)  # only queued
    assert manager.queue().waiting == ()
    assert desk.run(first).state == "running"


def test_a_link_in_place_of_a_directory_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("num=5")
    desk.wait(run_id, "completed")
    precious = tmp_path / "precious"
    desk.path(run_id).rename(precious)
    desk.path(run_id).symlink_to(precious)
    manager.delete(run_id)
    assert (precious / "events.jsonl").exists()
    assert not desk.path(run_id).is_symlink()


def test_deletions_that_were_cut_off_are_finished_or_undone(desk: Desk) -> None:
    kept, gone = desk.queue("x", "x")
    with desk.database.write() as session:
        for run_id in (kept, gone):
            progress.finish(session, run_id, "stopped", "x")
        progress.remove(session, gone)
    for run_id in (kept, gone):
        write_log(desk.settings.runs_dir / f".deleted-{run_id}" / "events.jsonl", [started()])
    desk.serve()
    assert [path.name for path in desk.settings.runs_dir.iterdir()] == [kept]


def test_an_experiment_is_deleted_while_its_run_leaves_the_queue(desk: Desk) -> None:
    manager = desk.serve()

    def linger(_: Session) -> None:  # between the commit that takes the run and whatever the scheduler does next
        if threading.current_thread().name == "scheduler":
            time.sleep(0.2)

    event.listen(Session, "after_commit", linger)
    try:
        with desk.database.write() as session:
            experiment_id = small_experiment(session, "x", run={"name": LONG})
            run_ids = experiments.get(session, experiment_id).run_ids
        manager.submit(run_ids)
        wait_for(lambda: desk.run(run_ids[0]).state == "starting", "the run leaves the queue")
        manager.delete_experiment(experiment_id)
    finally:
        event.remove(Session, "after_commit", linger)
    assert list(desk.settings.runs_dir.iterdir()) == []


def test_an_experiment_is_deleted_with_what_trains(desk: Desk) -> None:
    manager = desk.serve()
    with desk.database.write() as session:
        experiment_id = small_experiment(session, "x", run={"name": LONG}, seeds=[1, 2, 3])
        run_ids = experiments.get(session, experiment_id).run_ids
    manager.submit(run_ids)
    process = desk.wait_until_it_trains(run_ids[0])
    manager.delete_experiment(experiment_id)
    assert not process.is_running()
    assert list(desk.settings.runs_dir.iterdir()) == []
    with pytest.raises(NotFound, match="There is no experiment"), desk.database.read() as session:
        experiments.get(session, experiment_id)
    with pytest.raises(NotFound):
        manager.delete_experiment(experiment_id)


def test_files_that_cannot_be_removed_are_told_and_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("num=5")
    desk.wait(run_id, "completed")

    def refuse(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("backend.runs.rundir.shutil.rmtree", refuse)
        manager.delete(run_id)
    (sentence,) = manager.health()
    assert sentence.startswith(f"Files of the deleted run {run_id} cannot be removed: Input/output error.")
    with pytest.raises(NotFound):
        desk.run(run_id)
    manager.shutdown()
    desk.manager = None
    desk.serve()
    assert list(desk.settings.runs_dir.iterdir()) == []


def test_a_directory_that_cannot_be_moved_keeps_its_run(desk: Desk) -> None:
    manager = desk.serve()
    (run_id,) = desk.queue("num=5")
    desk.wait(run_id, "completed")
    in_the_way = desk.settings.runs_dir / f".deleted-{run_id}" / "file"
    write_log(in_the_way, [started()])
    with pytest.raises(StoreError, match="cannot be deleted: its directory cannot be moved: Directory not empty"):
        manager.delete(run_id)
    desk.check_log(run_id)
    in_the_way.unlink()
    manager.delete(run_id)
    assert list(desk.settings.runs_dir.iterdir()) == []
