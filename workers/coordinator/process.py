"""The coordinator's process: check what is asked for, then run it.

Exit codes: 0 completed or stopped, 1 failed, 2 what was asked for cannot be used (one sentence on standard error).
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from predictor.errors import SpecError
from predictor.events import RunFinished, RunResumed, RunStarted
from predictor.spec import read_run
from workers.clock import RunClock
from workers.coordinator.directory import RunDirectory
from workers.coordinator.history import History, read_history
from workers.coordinator.journal import Journal
from workers.datasets import load
from workers.errors import DataError, JournalError, RunDirectoryError
from workers.job import Job
from workers.launchers import LAUNCHERS
from workers.models import fits
from workers.partition import shards
from workers.server import checkpoint
from workers.versions import versions

_TRACES = "FORESYNC_TRACES"  # folder of traces that are named by a relative path


def main(run_dir: Path, is_resume: bool) -> int:
    """Coordinate one run in the foreground and return the exit code."""
    try:
        directory = RunDirectory(run_dir)
        directory.lock()
    except RunDirectoryError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    try:
        return _live(directory, is_resume)
    finally:
        directory.unlock()


def _live(directory: RunDirectory, is_resume: bool) -> int:
    """See one life of a run to its end and return the exit code."""
    try:
        history = read_history(directory.events)
        resumed = _check_life(directory, history, is_resume)
        journal = Journal(directory.events, history.length, history.last_seq)
    except (RunDirectoryError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    clock = RunClock(history.last_at_s)
    try:
        job = _prepare(directory, history, clock, resumed)
    except (RunDirectoryError, SpecError, DataError) as error:
        return _refuse(directory, journal, clock, str(error))
    try:
        launch = LAUNCHERS[job.spec.cluster.launcher]
        outcome = launch(directory, job, journal, history.has_reached_target)
    except JournalError:
        return 1  # it was said already
    return 1 if outcome == "failed" else 0


def _check_life(directory: RunDirectory, history: History, is_resume: bool) -> checkpoint.CheckpointMeta | None:
    """Give the checkpoint to go on from; None for a new run.

    Raises:
        RunDirectoryError: a new run where there is one already, or a resume where nothing can be resumed.
    """
    name = directory.run_id
    if not is_resume:
        if history.last_seq:
            raise RunDirectoryError(f"run {name} has a log already: resume it, or start another run")
        return None
    if history.is_simulated:
        raise RunDirectoryError(f"run {name} is simulated and keeps no checkpoint: start it again instead")
    if history.finished is not None and history.finished.outcome == "completed":
        raise RunDirectoryError(f"run {name} is completed ({history.finished.reason}): there is nothing to resume")
    return checkpoint.load_meta(directory.checkpoint)


def _prepare(directory: RunDirectory, history: History, clock: RunClock, meta: checkpoint.CheckpointMeta | None) -> Job:
    """Check the spec and load what all processes share.

    Raises:
        RunDirectoryError, SpecError, DataError: it cannot be used; one sentence each.
    """
    spec = read_run(directory.read_spec())
    if meta is not None and (meta.model, meta.dataset) != (spec.task.model, spec.task.dataset):
        raise RunDirectoryError(
            f"the checkpoint is of {meta.model} on {meta.dataset}, the spec asks for {spec.task.model} on "
            f"{spec.task.dataset}: the run cannot be resumed"
        )
    dataset = load(spec.task)
    misfit = fits(spec.task.model, dataset.sample_shape)
    if misfit is not None:
        raise DataError(misfit)
    num_workers, seed = spec.cluster.num_workers, spec.seed
    job = Job(
        spec=spec,
        dataset=dataset,
        shards=shards(dataset.train.labels, num_workers, spec.task.partition, seed, min_samples=spec.task.batch_size),
        speeds=[spec.speed.build(worker, num_workers, seed, _read_text) for worker in range(num_workers)],
        clock=clock,
        checkpoint=directory.checkpoint,
        incarnation=history.num_lives,
        resumed=None if meta is None else _resumed(history, clock, meta),
        retuned=history.retuned,
        retuned_forecaster=history.retuned_forecaster,
    )
    if not job.workers_to_do():
        raise RunDirectoryError(f"all workers did their {spec.stop.iterations} iterations: there is nothing to resume")
    return job


def _resumed(history: History, clock: RunClock, meta: checkpoint.CheckpointMeta) -> RunResumed:
    """Say from where the run goes on.

    The file is what counts. Where its event was lost with an earlier coordinator, the new one writes it, right
    after its own `RunStarted`.
    """
    written, seq = history.checkpoint, history.checkpoint_seq
    if written is None or (written.version, written.clocks) != (meta.version, meta.clocks):
        seq = history.last_seq + 2
    return RunResumed(clock.now_s(), seq, meta.version, meta.clocks)


def _refuse(directory: RunDirectory, journal: Journal, clock: RunClock, reason: str) -> int:
    """Put into the log why the run cannot be, so that whoever asked for it reads the same sentence."""
    print(reason, file=sys.stderr)  # noqa: T201
    try:
        journal.add(RunStarted(clock.now_s(), time.time(), directory.run_id, _is_virtual(directory), versions()))
        journal.add(RunFinished(clock.now_s(), "failed", reason))
        journal.flush()
    except JournalError as error:
        print(error, file=sys.stderr)  # noqa: T201
    return 2


def _is_virtual(directory: RunDirectory) -> bool:
    """Tell whether a spec that may be wrong asks for virtual time."""
    try:
        spec = directory.read_spec()
    except RunDirectoryError:
        return False
    cluster = spec.get("cluster") if isinstance(spec, dict) else None
    return isinstance(cluster, dict) and cluster.get("launcher") == "virtual"


def _read_text(path: str) -> str:
    """Read a trace; a relative path is looked up here, then in the folder that $FORESYNC_TRACES names."""
    places = [Path(path)]
    if os.environ.get(_TRACES):
        places.append(Path(os.environ[_TRACES]) / path)
    found = next((place for place in places if place.is_file()), places[0])
    return found.read_text(encoding="utf-8")
