"""A whole run in virtual time: real gradients, simulated time, one process and one thread.

The simulator (`predictor.simulator`) drives the gate that a live run has, and a trainer does to weights what a live
run's processes do. The log is that of a live run, written as it happens, with `RunStarted.is_simulated`. What only
real processes have is not in it: gauges, exits, checkpoints; its one `NodeStarted` is this process. An
evaluation takes no virtual time. The same spec gives the same log on one machine and torch build, but for wall time
and process id.

A stop, by `control.jsonl` or by a signal, is obeyed between two stimuli of the gate, so that the log stays one that
can be replayed. A virtual run is not retuned, and not resumed: it is quickly run again.
"""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from predictor.errors import SimulationError
from predictor.events import (
    Event,
    IterationFinished,
    MessageLogged,
    NodeStarted,
    Outcome,
    RunFinished,
    RunStarted,
    Stimulus,
    TargetReached,
)
from predictor.simulator import Scenario, simulate
from predictor.speeds import Transfer
from workers.coordinator.directory import Control, RunDirectory
from workers.coordinator.journal import Journal
from workers.errors import JournalError
from workers.job import SERVER, Job
from workers.launchers.virtual_trainer import VirtualTrainer
from workers.versions import versions

_FLUSH_S = 0.05  # real time that an event waits for the log at most, but for the work that runs on
_LOOK_S = 0.1  # real time between two looks at control.jsonl


def launch(directory: RunDirectory, job: Job, journal: Journal, has_reached_target: bool) -> Outcome:
    """Train in virtual time.

    Raises:
        JournalError: the log could not be written.
    """
    assert job.resumed is None and not has_reached_target, "a virtual run is not resumed"  # noqa: PT018
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _VirtualRun(directory, job, journal).run()
    finally:
        torch.set_num_threads(num_threads)


def scenario_of_job(job: Job, message_bytes: int) -> Scenario:
    """Give what is simulated. A run that ends at its target only is simulated for as long as that takes.

    Args:
        job: the run.
        message_bytes: payload of one push or pull.
    """
    spec = job.spec
    until_s = spec.stop.seconds
    if until_s is None and spec.stop.iterations is None:
        until_s = math.inf
    transfer = spec.transfer
    return Scenario(
        policy=spec.policy,
        forecaster=spec.forecaster,
        speeds=job.speeds,
        transfers=[
            Transfer(transfer.transfer_s, transfer.cv, worker, spec.seed) for worker in range(spec.cluster.num_workers)
        ],
        iterations=spec.stop.iterations,
        until_s=until_s,
        message_bytes=message_bytes,
        batch_size=spec.task.batch_size,
        evaluate_every_s=spec.evaluate_every_s,
        churn=spec.cluster.churn,
        server_message_s=transfer.server_message_s,
    )


class _StopAskedFor(Exception):
    """The run is to end here: no error, but the way out of the simulation."""


class _VirtualRun:
    """See the head of this module. `run` is called once."""

    def __init__(self, directory: RunDirectory, job: Job, journal: Journal) -> None:
        self._directory, self._job, self._journal = directory, job, journal
        self._control = Control(directory.control, skips_present=False)
        self._trainer = VirtualTrainer(job, self._keep_up)
        self._now_s = 0.0  # virtual
        self._target: TargetReached | None = None
        self._stop_reason = ""  # not empty: somebody wants the run to stop
        self._num_iterations = 0
        # Real times, of the monotonic clock.
        self._started_s = self._flushed_s = self._worked_s = time.monotonic()
        self._looked_s = -math.inf  # a stop that is there before the start counts
        self._work_s = 0.0  # what the last piece of work took

    def run(self) -> Outcome:
        """Train to the end and return the outcome; the closing event is written.

        Raises:
            JournalError: the log could not be written.
        """
        scenario = scenario_of_job(self._job, self._trainer.num_bytes)
        try:
            with self._obeying_signals():
                closing = self._closing(scenario)
            self._add(closing)
            self._journal.sync_soon()
            self._journal.flush()
        except JournalError as error:
            self._say_last_words(str(error))
            raise
        self._print_pace()
        return closing.outcome

    def _closing(self, scenario: Scenario) -> RunFinished:
        """Simulate, measure the final weights, and say how it ended."""
        try:
            simulate(
                scenario,
                self._take,
                trainer=self._trainer,
                run_id=self._directory.run_id,
                wall_time_s=time.time(),
                versions=versions(),
            )
            outcome, reason = self._outcome()
        except _StopAskedFor:
            outcome, reason = "stopped", self._stop_reason
        except SimulationError as error:
            outcome, reason = "failed", str(error)
        self._add_all(self._trainer.evaluate_finally(self._now_s))
        return RunFinished(self._now_s, outcome, reason)

    def _outcome(self) -> tuple[Outcome, str]:
        """Say how a simulation ended that nobody stopped, in the words of a live run."""
        stop, target = self._job.spec.stop, self._target
        if target is not None and stop.target is not None:
            goal = f"{target.metric} {target.value:.4g} reached the target {stop.target.value:g}"
            return "completed", f"{goal} at {target.at_s:.2f} s"
        if stop.seconds is not None and self._now_s >= stop.seconds:
            return "completed", f"{stop.seconds:g} s have passed"
        return "completed", f"all workers did {stop.iterations} iterations"

    # ---- the log ----------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        """Take in what the simulation tells; in the right place end it.

        Raises:
            _StopAskedFor: the run is to end before this event.
        """
        if isinstance(event, Stimulus):
            self._obey()
        elif isinstance(event, IterationFinished):
            event = dataclasses.replace(event, epoch=self._trainer.epoch)
            self._num_iterations += 1
        elif isinstance(event, TargetReached):
            self._target = event
        elif isinstance(event, RunFinished):
            return  # ours follows the final evaluation
        self._add(event)
        if isinstance(event, RunStarted):
            self._add(NodeStarted(0.0, SERVER, os.getpid(), 0))
        now_s = time.monotonic()
        if now_s - self._flushed_s >= _FLUSH_S:
            self._flush(now_s)

    def _add_all(self, events: Sequence[Event]) -> None:
        for event in events:
            self._add(event)

    def _add(self, event: Event) -> None:
        self._journal.add(event)
        self._now_s = event.at_s

    def _keep_up(self) -> None:
        """Write what would otherwise wait until the work that begins now is done."""
        now_s = time.monotonic()
        self._work_s, self._worked_s = now_s - self._worked_s, now_s
        if now_s - self._flushed_s + self._work_s >= _FLUSH_S:
            self._flush(now_s)

    def _flush(self, now_s: float) -> None:
        self._journal.flush()
        self._flushed_s = now_s

    def _say_last_words(self, reason: str) -> None:
        """Close a log that could not be written on; if not even this line fits, whoever gets the lock closes it."""
        print(f"run {self._directory.run_id} failed: {reason}", file=sys.stderr, flush=True)  # noqa: T201
        self._journal.add(RunFinished(self._now_s, "failed", reason))
        try:
            self._journal.flush()
        except JournalError as error:
            print(f"the closing event is missing: {error}", file=sys.stderr, flush=True)  # noqa: T201

    def _print_pace(self) -> None:
        """Say to `log.txt` what the log must not hold, since it differs each time."""
        took_s = time.monotonic() - self._started_s
        pace = f"{self._num_iterations} iterations, {self._num_iterations / max(took_s, 1e-6):.0f} a second"
        print(f"{self._now_s:.3f} s of virtual time took {took_s:.3f} s: {pace}", flush=True)  # noqa: T201

    # ---- what others want -------------------------------------------------------------------------------

    def _obey(self) -> None:
        now_s = time.monotonic()
        if now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._follow_control()
        if self._stop_reason:
            raise _StopAskedFor

    def _follow_control(self) -> None:
        for command in self._control.poll():
            if command.get("command") == "stop":
                self._stop_reason = self._stop_reason or str(command.get("reason") or "stopped by the user")
            else:
                what = f"a run in virtual time knows no command but stop, got {command.get('command')!r}"
                self._add(MessageLogged(self._now_s, "coordinator", "error", what))

    @contextmanager
    def _obeying_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, for as long as the context lasts."""
        numbers = signal.SIGTERM, signal.SIGINT
        before = [signal.signal(number, self._note_signal) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _note_signal(self, number: int, frame: object) -> None:
        self._stop_reason = self._stop_reason or "stopped by a signal"
