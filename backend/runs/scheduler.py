"""Decides which run starts, and watches those that train until their coordinator is gone.

One thread, which never waits for a process: a launch has a short-lived thread of its own. A run holds its place
until both are true: its closing event is stored, and nobody holds its lock. A coordinator that died without a
closing event gets one from here; one that does not answer a stop is ended with SIGTERM, then with SIGKILL (its
children die with it). Every decision is made from what the database, the lock and the process table say at that
moment, so that a restart of the program goes on where it left off.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.errors import ExecutorError
from backend.runs.executor import Executor
from backend.runs.health import Health
from backend.runs.ingest import Ingest
from backend.runs.queue_settings import QueueSettings
from backend.runs.rundir import RunDirectory
from backend.runs.wakeups import Wakeups
from backend.store import progress
from backend.store.database import Database, in_words
from backend.store.progress import Position
from backend.store.tables import ACTIVE_STATES, RunState
from backend.store.text import storable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long things may take, in seconds."""

    poll_s: float = 0.2  # between two looks at the processes
    lock_s: float = 120.0  # from the launch until the coordinator holds its lock
    adopt_s: float = 5.0  # the same for a run that an earlier program launched
    stop_s: float = 30.0  # from a stop to the end, then SIGTERM
    terminate_s: float = 10.0  # from SIGTERM to the end, then SIGKILL
    resend_s: float = 2.0  # between two stops: a coordinator that goes on from a checkpoint passes over early ones


@dataclass(slots=True)
class Watched:
    """A run that trains, or did a moment ago."""

    directory: RunDirectory
    process: psutil.Process | None  # of the coordinator; None: not known yet
    lock_by: float  # monotonic; later the lock must be held
    has_locked: bool = False
    end_by: float | None = None  # monotonic; later it is ended
    resend_at: float = 0.0  # monotonic; from then on a stop is sent once more
    is_terminated: bool = False


class Scheduler:
    """The thread, the runs that it watches, and the executor that starts them."""

    def __init__(
        self,
        *,
        database: Database,
        runs_dir: Path,
        ingest: Ingest,
        executor: Executor,
        wakeups: Wakeups,
        health: Health,
        queue: QueueSettings,
        deadlines: Deadlines,
    ) -> None:
        self._database = database
        self._runs_dir = runs_dir
        self._ingest = ingest
        self._executor = executor
        self._wakeups = wakeups
        self._health = health
        self._queue = queue
        self._deadlines = deadlines
        self._watched: dict[str, Watched] = {}  # changed by the thread alone
        self._wake = threading.Event()
        self._is_ending = threading.Event()
        self._may_launch = True
        self._launching = threading.Lock()  # held while a run leaves the queue
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Adopt what an earlier program left, then begin."""
        self._adopt()
        self._thread.start()

    def close(self) -> None:
        """End the thread; what trains goes on."""
        self._is_ending.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Look at everything now; from any thread."""
        self._wake.set()

    def stop_launching(self) -> None:
        """Start no queued run any more; afterwards `watched` names every run that may have processes."""
        with self._launching:
            self._may_launch = False

    @property
    def queue(self) -> QueueSettings:
        return self._queue

    def change_queue(self, queue: QueueSettings) -> None:
        """Work on the queue in another way; once this returns, a paused one starts nothing more."""
        with self._launching:
            self._queue = queue
        self._wake.set()

    def is_watched(self, run_id: str) -> bool:
        """Tell whether processes of the run may still live."""
        with self._launching:  # a run that leaves the queue at this moment is watched only after its commit
            return run_id in self._watched

    def watched(self) -> list[str]:
        """Give the runs whose processes may still live."""
        return list(self._watched)

    # ---- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._is_ending.is_set():
            self._wake.clear()
            try:
                self._tick()
            except Exception as error:  # a database that is away, a full disk: said, and tried again
                logger.debug("A turn of the scheduler failed.", exc_info=True)
                self._health.report("scheduler", f"The queue stands still: {in_words(error)}.")
                self._is_ending.wait(1.0)
            else:
                self._health.clear("scheduler")
                self._wake.wait(self._deadlines.poll_s)

    def _tick(self) -> None:
        self._executor.reap()
        if self._watched:
            with self._database.read() as session:
                positions = progress.positions(session, list(self._watched))
            for run_id, position in positions.items():
                self._watch(run_id, self._watched[run_id], position)
        if self._has_place() and self._launch_next():
            self._wake.set()  # look at the others, then for one more

    def _has_place(self) -> bool:
        return self._may_launch and not self._queue.is_paused and len(self._watched) < self._queue.concurrency

    def _adopt(self) -> None:
        with self._database.read() as session:
            active = progress.active(session)
        for run_id in active:
            directory = RunDirectory(self._runs_dir, run_id)
            lock_by = time.monotonic() + self._deadlines.adopt_s
            holder = directory.find_holder()
            self._watched[run_id] = Watched(directory, holder, lock_by, has_locked=holder is not None)
            self._ingest.follow(run_id)

    def _launch_next(self) -> bool:
        with self._database.read() as session:
            if progress.next_queued(session) is None:
                return False
        taken = self._take_next()
        if taken is not None:
            threading.Thread(target=self._launch, args=taken, name="launch", daemon=True).start()
        return True

    def _launch(self, watched: Watched, is_resume: bool) -> None:
        try:
            watched.process = self._executor.launch(watched.directory, is_resume=is_resume)
        except ExecutorError as error:
            watched.directory.note(str(error))  # the closing event repeats the last line
        if watched.process is None:
            watched.lock_by = time.monotonic()  # no lock is to be waited for
        self._wake.set()

    def _take_next(self) -> tuple[Watched, bool] | None:
        """Take the next run out of the queue, its directory made ready, in one transaction.

        Nobody can stop or delete it in between: what is sent after the commit is read by its coordinator.
        """
        watched = None
        with self._launching:
            with self._database.write() as session:
                found = progress.next_queued(session, is_locked=True) if self._has_place() else None
                if found is None:
                    return None
                run_id, spec, is_resume = found
                directory = RunDirectory(self._runs_dir, run_id)
                try:
                    directory.prepare(spec)
                except OSError as error:
                    reason = f"The run's directory cannot be written: {in_words(error)}."
                    progress.finish(session, run_id, "failed", reason)
                else:
                    progress.change(session, run_id, {"state": "starting", "queue_place": None})
                    watched = Watched(directory, None, time.monotonic() + self._deadlines.lock_s)
            if watched is not None:
                self._watched[run_id] = watched
                self._ingest.follow(run_id)
        self._wakeups.notify(run_id)
        return None if watched is None else (watched, is_resume)

    # ---- one run -----------------------------------------------------------------------------------------

    def _watch(self, run_id: str, watched: Watched, position: Position) -> None:
        if self._is_alive(watched):
            if position.damage is not None and position.state in ("starting", "running"):
                self._stop_damaged(run_id)
            elif position.state == "stopping" and time.monotonic() >= watched.resend_at:
                self._send_stop(watched, position.reason)
            self._keep_deadlines(watched, position.state)
        elif position.state not in ACTIVE_STATES:
            self._ingest.forget(run_id)
            del self._watched[run_id]
        elif position.damage is not None:
            self._fail(run_id, position.damage)
        else:
            self._close_log(run_id, watched, position)

    def _is_alive(self, watched: Watched) -> bool:
        """Tell whether the coordinator lives, or may yet take its lock."""
        if watched.process is not None and not _is_running(watched.process):
            watched.process = None
            watched.lock_by = min(watched.lock_by, time.monotonic())
        if watched.process is None or not watched.has_locked:
            holder = watched.directory.find_holder()
            if holder is not None:
                watched.process, watched.has_locked = holder, True
        if watched.process is not None:
            return True
        return time.monotonic() < watched.lock_by or watched.directory.is_locked()

    def _keep_deadlines(self, watched: Watched, state: RunState) -> None:
        now = time.monotonic()
        if watched.end_by is None:
            if state not in ("starting", "running"):
                watched.end_by = now + self._deadlines.stop_s
            elif not watched.has_locked and now > watched.lock_by:
                watched.has_locked = watched.directory.is_locked()  # by a process that cannot be looked into
                watched.end_by = None if watched.has_locked else now
        if watched.end_by is None or now < watched.end_by or watched.process is None:
            return
        logger.warning("Run %s: process %s is ended.", watched.directory.run_id, watched.process.pid)
        with contextlib.suppress(psutil.Error):  # it ended by itself in this moment
            if watched.is_terminated:
                watched.process.kill()
            else:
                watched.process.terminate()
        watched.is_terminated = True
        watched.end_by = now + self._deadlines.terminate_s

    def _stop_damaged(self, run_id: str) -> None:
        with self._database.write() as session:
            progress.stop(session, run_id, "The run's log cannot be read further.")
        self._wakeups.notify(run_id)
        self._wake.set()

    def _send_stop(self, watched: Watched, reason: str | None) -> None:
        """Tell a coordinator to stop; if that cannot be written, the deadline ends it."""
        watched.resend_at = time.monotonic() + self._deadlines.resend_s
        try:
            watched.directory.send({"command": "stop", "reason": reason or ""})
        except OSError as error:
            logger.warning("Run %s: the stop cannot be written: %s", watched.directory.run_id, in_words(error))

    def _fail(self, run_id: str, damage: str) -> None:
        with self._database.write() as session:
            progress.lock(session, run_id)
            progress.finish(session, run_id, "failed", f"The run's log cannot be read further: {storable(damage)}")
        self._wakeups.notify(run_id)
        self._wake.set()

    def _close_log(self, run_id: str, watched: Watched, position: Position) -> None:
        """Write the closing event once all before it is stored; the ingest reads it like any other."""
        words = watched.directory.last_words()
        if position.state == "starting":
            reason = f"The run did not start: {words or 'it said nothing.'}"
        else:
            ended = "did not end in time and was killed" if watched.is_terminated else "died"
            reason = f"The run's coordinator {ended}; the last line of its log: {words or 'none.'}"
        topic = f"close {run_id}"
        try:
            watched.directory.close_log(reason, position.log_offset)
        except OSError as error:
            self._health.report(topic, f"The log of run {run_id} cannot be closed: {in_words(error)}.")
            return
        self._health.clear(topic)


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
