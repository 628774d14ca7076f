"""The run manager: everything that the API and the command line ask of runs as processes.

The model of threads. Two threads do the work: the *ingest* (logs into the database) and the *scheduler*
(queue and processes). Requests call the methods below from threads of their own: each is a short transaction and
a wake-up of the scheduler, which does what the database says; none waits for a process, but for the deletions
and `shutdown`. What is true stands in the database and on the disk only; the threads hold
copies. The event loop is touched at one place: a `Subscription` is woken by `call_soon_threadsafe`, and its
handler then reads from the database with a cursor of its own. So the training never waits for the ingest, and
the ingest never waits for a browser.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

from backend.errors import Conflict, NotFound, StoreError
from backend.runs import queue_settings, rundir, tuning
from backend.runs.bin import Bin
from backend.runs.catalogue import Catalogue
from backend.runs.executor import Executor
from backend.runs.health import Health
from backend.runs.ingest import Ingest
from backend.runs.queue_settings import QueueSettings
from backend.runs.rundir import TAIL_BYTES, RunDirectory
from backend.runs.scheduler import Deadlines, Scheduler
from backend.runs.wakeups import Subscription, Wakeups
from backend.settings import Settings
from backend.store import bulk, experiments, ordering, progress, runs
from backend.store.database import Database, in_words
from backend.store.ids import is_id
from backend.store.records import Queue
from backend.store.tables import ACTIVE_STATES, FINAL_STATES
from predictor.retuning import Retuning

SHUTDOWN_REASON = "The program was shut down."
DELETED_REASON = "The experiment was deleted."
STOPPED_REASON = "Stopped by the user."
CANCELLED_REASON = "Taken out of the queue by the user."
WAIT_STEP_S = 0.02

logger = logging.getLogger(__name__)


class RunManager:
    """One for a serving process, and one for a database."""

    def __init__(self, settings: Settings, database: Database, deadlines: Deadlines | None = None) -> None:
        """Wire the parts; nothing is started."""
        self.settings = settings
        self._database = database
        self._deadlines = deadlines or Deadlines()
        self._health = Health()
        self._wakeups = Wakeups()
        self.on_end: Callable[[str], None] = _ignore  # called, from a thread, with each run that has ended
        self._changing_queue = threading.Lock()
        self._catalogue = Catalogue(settings.worker_command)
        self._executor = Executor(settings.worker_command, settings.home)
        self._ingest = Ingest(
            database,
            settings.runs_dir,
            self._wakeups,
            self._health,
            on_state=self._on_state,
            on_end=self._on_end,
        )
        self._scheduler = Scheduler(
            database=database,
            runs_dir=settings.runs_dir,
            ingest=self._ingest,
            executor=self._executor,
            wakeups=self._wakeups,
            health=self._health,
            queue=queue_settings.read(settings.home, settings.concurrency),
            deadlines=self._deadlines,
        )
        self.bin = Bin(
            database,
            self._health,
            grace=timedelta(days=settings.bin_days),
            purge=self._delete,
            on_change=self.submit,
        )

    # ---- life --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Adopt the runs that still train, close the logs of those that died, and begin to work on the queue.

        Raises:
            StoreError: another program serves with this database.
        """
        if not self._database.claim():
            raise StoreError("Another Foresync already serves with this database; end it first, or use another home.")
        self._finish_deletions()
        self._executor.start()
        self._catalogue.warm_up()
        self._ingest.start()
        self._scheduler.start()
        self.bin.start()

    def shutdown(self) -> None:
        """Stop what trains with a checkpoint (unless `keep_runs`), store the rest of the logs, and end.

        Blocks until the coordinators are gone; after the deadlines they are killed.
        """
        self.bin.close()
        self._scheduler.stop_launching()
        if not self.settings.keep_runs:
            active = self._scheduler.watched()
            for run_id in active:
                self._stop_if_active(run_id, SHUTDOWN_REASON)
            self._wait_until_gone(active)
        self._scheduler.close()
        self._ingest.close()
        self._executor.close()
        self._catalogue.close()
        self._database.release()

    def health(self) -> tuple[str, ...]:
        """Give one sentence for each thing that is wrong at this moment."""
        return self._health.sentences()

    @property
    def wakeups(self) -> Wakeups:
        """What tells the event loop of news."""
        return self._wakeups

    def subscribe(self, *run_ids: str) -> Subscription:
        """Be woken whenever events of these runs are stored or their states change; inside the event loop only."""
        return Subscription(self._wakeups, *run_ids)

    # ---- runs --------------------------------------------------------------------------------------------

    def submit(self, run_ids: Iterable[str]) -> None:
        """Say that runs were queued (their rows exist), put into the bin or taken out of it."""
        for run_id in run_ids:
            self._wakeups.notify(run_id)
        self._scheduler.wake()

    def queue(self) -> Queue:
        """Give the runs that train and those that wait."""
        with self._database.read() as session:
            return runs.queue(session)

    @property
    def queue_settings(self) -> QueueSettings:
        return self._scheduler.queue

    def change_queue(self, **changes: Any) -> None:
        """Pause the queue or let it go on (`is_paused`), set how many runs train at once (`concurrency`).

        Raises:
            OSError: it cannot be kept for the next start; nothing has changed.
        """
        with self._changing_queue:
            changed = dataclasses.replace(self._scheduler.queue, **changes)
            queue_settings.write(self.settings.home, changed)
            self._scheduler.change_queue(changed)

    def move_queued(self, run_ids: Collection[str], to: ordering.Place | None, before: str | None) -> None:
        """Put waiting runs at another place of the queue.

        Raises:
            Conflict: none of them waits, or the one before which they are to stand does not.
        """
        with self._database.write() as session:
            ordering.move(session, run_ids, to, before)

    def cancel_queued(self, run_ids: Collection[str]) -> list[str]:
        """Take runs out of the queue and give those that still waited."""
        with self._database.write() as session:
            cancelled = ordering.waiting(session, run_ids)
            for run_id in cancelled:
                progress.stop(session, run_id, CANCELLED_REASON)
        self.submit(cancelled)
        return cancelled

    def retune(self, run_id: str, policy: Mapping[str, Any], forecaster: Mapping[str, Any]) -> tuple[Retuning, int]:
        """Ask a run that trains to go on with other settings; give them, and the seq after which the log will tell.

        Raises:
            NotFound: no such run.
            Conflict: it does not train, or cannot be retuned.
            SpecError: names the setting that is wrong, its value and the wish.
        """
        directory = self._directory(run_id)
        with self._database.read() as session:
            found = tuning.read(session, run_id)
        change = tuning.check(found, policy, forecaster)
        with self._database.write() as session:
            tuning.send(session, directory, change)
        return change, found.last_seq

    def stop(self, run_id: str, reason: str = STOPPED_REASON) -> None:
        """Take a run out of the queue, or ask it to stop with a checkpoint. A run that stops already goes on to.

        Raises:
            NotFound: no such run.
            Conflict: it has finished.
        """
        with self._database.write() as session:
            progress.stop(session, run_id, reason)
        self._wakeups.notify(run_id)
        self._scheduler.wake()

    def resume(self, run_id: str) -> None:
        """Queue a run again, to go on from its checkpoint; one that never started starts from the beginning.

        Raises:
            NotFound: no such run.
            Conflict: it trains, has completed, or has no checkpoint.
        """
        directory = self._directory(run_id)
        self._wait_for_end(run_id, "go on")
        with self._database.write() as session:
            position = progress.lock(session, run_id)
            if bulk.in_bin(session, run_id):
                raise Conflict("The run is in the bin; restore it first.")
            if position.state not in ("stopped", "failed"):
                raise Conflict(f"Only a run that was stopped or has failed can go on; this one is {position.state}.")
            if position.damage is not None:
                raise Conflict(f"The run cannot go on: its log cannot be read further: {position.damage}")
            is_resume = position.last_seq > 0
            if is_resume and not directory.has_checkpoint:
                raise Conflict("The run has no checkpoint to go on from; clone it to start afresh.")
            progress.enqueue_again(session, run_id, is_resume=is_resume)
        self.submit([run_id])

    def delete(self, run_id: str) -> None:
        """Delete a run for good, with its events and directory. Blocks for a moment if its processes are just ending.

        Raises:
            NotFound: no such run.
            Conflict: it trains.
            StoreError: its directory cannot be moved.
        """
        self._delete(run_id)
        self._database.shrink()

    def delete_experiment(self, experiment_id: str) -> None:
        """Stop the runs of an experiment, wait for their ends, and delete all.

        Raises:
            NotFound: no such experiment.
            Conflict: a run did not end in time.
        """
        while run_ids := self._remove_if_empty(experiment_id):
            for run_id in reversed(run_ids):  # the last of the queue first, so that none starts in between
                self._stop_if_active(run_id, DELETED_REASON)
            if not self._wait_until_gone(run_ids):
                raise Conflict("The experiment cannot be deleted yet: a run is still ending.")
            for run_id in run_ids:
                with contextlib.suppress(NotFound):  # somebody else deletes it, too
                    self._delete(run_id)
        self._database.shrink()

    def read_log_tail(self, run_id: str, tail_bytes: int = TAIL_BYTES) -> str:
        """Give the end of what the run's processes printed.

        Raises:
            NotFound: no such run.
        """
        with self._database.read() as session:
            progress.position(session, run_id)
        return self._directory(run_id).read_log_tail(tail_bytes)

    def catalogue(self, data_dir: str | None = None, *, is_fresh: bool = False) -> dict[str, Any]:
        """Give the models and data sets that can be trained; blocks for some seconds the first time.

        Args:
            data_dir: folder or file of the user's own data, to be described too.
            is_fresh: ask again, e.g. since data were installed.

        Raises:
            ExecutorError: they cannot be listed; the sentence says why.
        """
        return self._catalogue.read(data_dir, is_fresh=is_fresh)

    @property
    def is_catalogue_known(self) -> bool:
        """Whether `catalogue` can be had at once; in the first seconds of the program it cannot."""
        return self._catalogue.is_known

    # ---- inside ------------------------------------------------------------------------------------------

    def _on_state(self) -> None:
        self._scheduler.wake()

    def _on_end(self, run_id: str) -> None:
        self.on_end(run_id)

    def _directory(self, run_id: str) -> RunDirectory:
        if not is_id(run_id):
            raise NotFound("run", run_id)
        return RunDirectory(self.settings.runs_dir, run_id)

    def _stop_if_active(self, run_id: str, reason: str) -> None:
        with contextlib.suppress(Conflict, NotFound):  # it ended, or was deleted, in this moment
            self.stop(run_id, reason)

    def _delete(self, run_id: str) -> None:
        self._wait_for_end(run_id, "be deleted")
        directory = self._directory(run_id)
        try:
            with self._database.write() as session:
                state = progress.lock(session, run_id).state
                if state in ACTIVE_STATES:
                    raise Conflict(f"The run cannot be deleted while it is {state}; stop it first.")
                directory.set_aside()
                progress.remove(session, run_id)
        except OSError as error:
            raise StoreError(f"The run cannot be deleted: its directory cannot be moved: {in_words(error)}.") from error
        except BaseException:
            directory.restore()
            raise
        self._wakeups.notify(run_id)
        self._remove_files(directory)

    def _remove_files(self, directory: RunDirectory) -> None:
        try:
            directory.remove()
        except OSError as error:
            sentence = f"Files of the deleted run {directory.run_id} cannot be removed: {in_words(error)}."
            self._health.report(f"delete {directory.run_id}", f"{sentence} They are tried again at the next start.")

    def _remove_if_empty(self, experiment_id: str) -> tuple[str, ...]:
        """Remove an experiment that has no runs; otherwise give them, among them those that were just added."""
        with self._database.write() as session:
            experiments.get(session, experiment_id)
            run_ids = experiments.all_run_ids(session, experiment_id)
            if not run_ids:
                experiments.remove(session, experiment_id)
        return run_ids

    def _wait_for_end(self, run_id: str, purpose: str) -> None:
        """Wait until the processes of a run whose end is stored are gone, too.

        Raises:
            NotFound: no such run.
            Conflict: they do not end.
        """
        with self._database.read() as session:
            state = progress.position(session, run_id).state
        if state in FINAL_STATES and not self._wait_until_gone([run_id]):
            raise Conflict(f"The run cannot {purpose} yet: its processes are still ending.")

    def _wait_until_gone(self, run_ids: Collection[str]) -> bool:
        """Wait until no process of these runs can live; False if that takes longer than any deadline."""
        deadlines = self._deadlines
        until = time.monotonic() + deadlines.stop_s + 2 * deadlines.terminate_s
        while any(self._scheduler.is_watched(run_id) for run_id in run_ids):
            if time.monotonic() > until:
                return False
            time.sleep(WAIT_STEP_S)
        return True

    def _finish_deletions(self) -> None:
        """Finish or undo the deletions in whose midst an earlier program ended."""
        for run_id in rundir.set_aside_ids(self.settings.runs_dir):
            directory = RunDirectory(self.settings.runs_dir, run_id)
            with self._database.read() as session:
                is_known = run_id in progress.positions(session, [run_id])
            if is_known:
                directory.restore()
            else:
                self._remove_files(directory)


def _ignore(run_id: str) -> None:
    """Nobody wants to know."""
