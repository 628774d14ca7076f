"""The coordinator: it starts the processes of a run, writes the log, and sees the run to its end.

One thread and one loop: read what the processes say, number it, append it. A run passes through phases:

    TRAINING     server, workers and evaluator are at work
    DRAINING     workers leave; the server applies what it has, writes a checkpoint, says "stopped"
    EVALUATING   the evaluator measures the final weights and leaves
    CLOSING      the server leaves
    DONE         nobody is left; the closing event is written

The end of TRAINING fixes outcome and reason. Each later phase has a deadline at which who is late is killed, so that
every run ends. The death of the server ends the run at once; that of a worker is told to the server, which tells the
gate; the evaluator holds nothing and is started anew.
"""

from __future__ import annotations

import contextlib
import enum
import json
import signal
import sys
import time
from functools import partial
from typing import Any, Literal

from predictor.errors import SpecError
from predictor.events import (
    CheckpointWritten,
    EvaluationFinished,
    Event,
    MessageLogged,
    Outcome,
    ProcessExited,
    Retuned,
    RunFinished,
    RunStarted,
    TargetReached,
)
from predictor.log import from_fields
from predictor.retuning import retune, retuned_spec
from workers.coordinator.children import Child, Family, describe_exit
from workers.coordinator.directory import Control, RunDirectory
from workers.coordinator.journal import Journal
from workers.errors import JournalError
from workers.evaluator import process as evaluator_process
from workers.job import EVALUATOR, SERVER, Job, worker_node
from workers.server import process as server_process
from workers.versions import versions
from workers.worker import process as worker_process

_TURN_S = 0.1  # longest time without a look at control.jsonl
_WORKER_GRACE_S = 5.0  # a worker that is told to stop leaves at its next boundary or never
_SUSPENDED_GRACE_S = 8.0  # for a server that a signal holds, which cannot even hear that it shall stop
_MAX_EVALUATORS = 4  # one that keeps dying would do so for ever


class Phase(enum.IntEnum):
    TRAINING = 0
    DRAINING = 1
    EVALUATING = 2
    CLOSING = 3
    DONE = 4


_GRACE_S = {Phase.DRAINING: 60.0, Phase.EVALUATING: 300.0, Phase.CLOSING: 10.0}
_MIN_EVALUATING_S, _EVALUATION_SLACK = 15.0, 10.0  # once it is known how long an evaluation takes


class Coordinator:
    """See the head of this module. `run` is called once."""

    def __init__(self, directory: RunDirectory, job: Job, journal: Journal, has_reached_target: bool) -> None:
        self._directory, self._job, self._journal = directory, job, journal
        self._control = Control(directory.control, skips_present=job.incarnation > 0)
        self._family = Family(directory.log, self._take_line, self._note_exit)
        self._phase = Phase.TRAINING
        self._grace_s = self._deadline_s = float("inf")  # how long the phase may take, and when it must be over
        self._draining_at_s = float("inf")  # when the training ended
        self._outcome: Outcome = "failed"
        self._reason = ""
        self._address = ""  # of the server, once it serves
        self._has_server_stopped = False
        self._num_evaluators = 0
        self._evaluation_s: float | None = None  # what the newest evaluation took
        self._num_finished = 0  # workers that did all their iterations
        self._lost: list[int] = []  # workers that died
        self._has_reached_target = has_reached_target
        earlier = Retuned(0.0, job.retuned, job.retuned_forecaster)
        self._spec = retuned_spec(job.spec, [earlier])  # what the gate decides by
        self._num_signals = 0

    def run(self) -> Outcome:
        """Train to the end and return the outcome; the closing event is written.

        Raises:
            JournalError: the log could not be written; all processes of the run are gone.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        try:
            self._add(RunStarted(self._now_s(), time.time(), self._directory.run_id, False, versions()))
            self._repeat_checkpoint()
            self._family.start(SERVER, lambda stream: server_process.run(self._job, self._job.workers_to_do(), stream))
            while self._phase is not Phase.DONE:
                self._turn()
            self._add(RunFinished(self._now_s(), self._outcome, self._reason))
            self._journal.sync_soon()
            self._journal.flush()
        except JournalError as error:
            self._end_without_log(str(error))
            raise
        return self._outcome

    # ---- the loop ---------------------------------------------------------------------------------------

    def _turn(self) -> None:
        self._family.listen(self._pause_s())
        self._follow_control()
        self._follow_signals()
        self._follow_clock()
        self._journal.flush()

    def _pause_s(self) -> float:
        seconds = self._job.spec.stop.seconds
        if self._phase is not Phase.TRAINING or seconds is None:
            return _TURN_S
        return min(_TURN_S, max(0.0, seconds - self._now_s()))

    def _follow_control(self) -> None:
        for command in self._control.poll():
            match command:
                case {"command": "stop"}:
                    self._stop("stopped", str(command.get("reason") or "stopped by the user"))
                case {"command": "retune", "params": dict(params), **rest} if isinstance(
                    rest.get("forecaster", {}), dict
                ):
                    self._retune(params, rest.get("forecaster", {}))
                case _:
                    self._say("error", f"control.jsonl asks for what is not known: {json.dumps(command)[:120]}")

    def _follow_signals(self) -> None:
        num, self._num_signals = self._num_signals, 0
        if num and self._phase is Phase.TRAINING:
            self._stop("stopped", "stopped by a signal")
        elif num:  # the second one: its sender does not want to wait
            if self._phase is Phase.DRAINING and not self._has_server_stopped:
                self._reason += "; ended at once by a second one, without a last checkpoint"
            self._end_now("the coordinator was told to end at once")

    def _follow_clock(self) -> None:
        now_s, seconds = self._now_s(), self._job.spec.stop.seconds
        if self._phase is Phase.TRAINING:
            if seconds is not None and now_s >= seconds:
                self._stop("completed", f"{seconds:g} s have passed")
        elif now_s >= self._deadline_s:
            self._overdue()
        elif self._phase is Phase.DRAINING:
            self._hurry(now_s - self._draining_at_s)

    def _hurry(self, draining_s: float) -> None:
        """Kill who will not leave; a server that is only slow has the phase's time."""
        if draining_s >= _WORKER_GRACE_S:
            for child in self._family.workers():
                child.kill(f"it did not leave within {_WORKER_GRACE_S:g} s")
        server = self._family.find(SERVER)
        if draining_s < _SUSPENDED_GRACE_S or self._has_server_stopped or server is None or not server.is_suspended():
            return
        self._lose_weights("is suspended by a signal", _SUSPENDED_GRACE_S)

    def _note_signal(self, number: int, frame: object) -> None:
        self._num_signals += 1

    # ---- what the processes say -------------------------------------------------------------------------

    def _take_line(self, line: bytes) -> None:
        if line.startswith(b'{"control":'):
            self._heed(json.loads(line))
            return
        self._journal.add_encoded(line)
        if line.startswith(b'{"kind":"EvaluationFinished"'):
            self._note_evaluation(json.loads(line))
        elif line.startswith(b'{"kind":"CheckpointWritten"'):
            self._journal.sync_soon()  # a resume needs this event

    def _heed(self, told: dict[str, Any]) -> None:
        if told["control"] == "stopped":
            self._has_server_stopped = True
            self._move_on()
            return
        self._address = told["address"]
        if self._phase is Phase.TRAINING:
            for worker in self._job.workers_to_do():
                body = partial(self._be_worker, worker)
                self._family.start(worker_node(worker), body, worker)
            self._start_evaluator()

    def _be_worker(self, worker: int, stream: Any) -> int:
        return worker_process.run(self._job, worker, self._address, stream)

    def _note_evaluation(self, fields: dict[str, Any]) -> None:
        target = self._job.spec.stop.target
        evaluation = from_fields(fields)
        assert isinstance(evaluation, EvaluationFinished)
        self._evaluation_s = evaluation.at_s - evaluation.snapshot_at_s
        if target is None or self._has_reached_target:
            return
        value = evaluation.accuracy if target.metric == "test_accuracy" else evaluation.loss
        if value >= target.value if target.metric == "test_accuracy" else value <= target.value:
            self._has_reached_target = True
            at_s = evaluation.snapshot_at_s
            self._add(TargetReached(at_s, target.metric, value))
            self._stop("completed", f"{target.metric} {value:.4g} reached the target {target.value:g} at {at_s:.2f} s")

    # ---- processes that start and end -------------------------------------------------------------------

    def _start_evaluator(self) -> Child:
        self._num_evaluators += 1
        return self._family.start(EVALUATOR, lambda stream: evaluator_process.run(self._job, self._address, stream))

    def _note_exit(self, child: Child, exit_code: int) -> None:
        """Say how a process has ended, and draw the consequences."""
        is_expected = exit_code == 0 and (child.may_exit or child.worker is not None)
        detail = f"{child.node} {describe_exit(exit_code)}"
        if child.killed_because:
            detail += f": {child.killed_because}"
        self._add(ProcessExited(self._now_s(), child.node, exit_code, is_expected, detail))
        if child.node == SERVER:
            self._server_ended(detail)
        elif child.worker is not None:
            self._worker_ended(child.worker, exit_code, detail)
        elif not is_expected:
            self._evaluator_died(detail)
        self._move_on()

    def _server_ended(self, detail: str) -> None:
        if self._phase is Phase.TRAINING:
            self._outcome, self._reason = "failed", f"the parameter server died: {detail}"
        elif self._phase < Phase.CLOSING:
            self._outcome = "failed"
            self._reason += f"; then the parameter server died: {detail}"
        self._end_now("the parameter server is gone")

    def _worker_ended(self, worker: int, exit_code: int, detail: str) -> None:
        if self._phase is not Phase.TRAINING:
            return
        if exit_code == 0:
            self._num_finished += 1
        else:
            self._lost.append(worker)
            self._send("worker_lost", worker=worker)
            left = len(self._family.workers())
            self._say("warning", f"worker {worker} died: {detail}; {left} left")
            if self._job.spec.cluster.on_worker_loss == "stop":
                self._stop("failed", f"worker {worker} died ({detail}), and the run is to stop when a worker dies")
        if self._family.workers():
            return
        num = f"{self._num_finished} of {self._num_finished + len(self._lost)}"
        if self._lost and not self._num_finished:
            self._stop("failed", f"all workers died; the last one: {detail}")
        elif self._lost:
            self._stop("completed", f"{num} workers did all their iterations, the others died")
        else:
            self._stop("completed", f"all workers did {self._job.spec.stop.iterations} iterations")

    def _evaluator_died(self, detail: str) -> None:
        if self._phase > Phase.EVALUATING or not self._address:
            return
        if self._num_evaluators < _MAX_EVALUATORS:
            self._say("warning", f"{detail}; it is started again")
            child = self._start_evaluator()
            if self._phase is Phase.EVALUATING:
                self._finish_evaluation(child)
        else:
            self._say("error", f"{detail}, for the {self._num_evaluators}th time: there are no more evaluations")
            self._stop("failed", f"the evaluator died {self._num_evaluators} times; the last time: {detail}")

    # ---- phases -----------------------------------------------------------------------------------------

    def _stop(self, outcome: Outcome, reason: str) -> None:
        """End the training; the first reason counts."""
        if self._phase is not Phase.TRAINING:
            return
        self._outcome, self._reason = outcome, reason
        self._enter(Phase.DRAINING)
        self._draining_at_s = self._now_s()
        for child in self._family.workers():
            child.may_exit = True
            self._family.tell(child, "stop")
        self._send("stop")

    def _move_on(self) -> None:
        """Enter the next phase when this one is complete."""
        if self._phase is Phase.DRAINING and self._has_server_stopped and not self._family.workers():
            self._enter(Phase.EVALUATING)
            evaluator = self._family.find(EVALUATOR)
            if evaluator is None and self._num_evaluators == 0:  # the run was stopped before it began
                evaluator = self._start_evaluator()
            if evaluator is not None:
                self._finish_evaluation(evaluator)
        if self._phase is Phase.EVALUATING and self._family.find(EVALUATOR) is None:
            self._enter(Phase.CLOSING)
            if server := self._family.find(SERVER):
                server.may_exit = True
                self._family.tell(server, "exit")
        if self._phase >= Phase.DRAINING and not self._family:
            self._phase = Phase.DONE

    def _finish_evaluation(self, evaluator: Child) -> None:
        evaluator.may_exit = True
        self._family.tell(evaluator, "finish")

    def _enter(self, phase: Phase) -> None:
        self._phase, self._grace_s = phase, _GRACE_S[phase]
        if phase is Phase.EVALUATING and self._evaluation_s is not None:
            self._grace_s = max(_MIN_EVALUATING_S, _EVALUATION_SLACK * self._evaluation_s)
        self._deadline_s = self._now_s() + self._grace_s

    def _overdue(self) -> None:
        """Give up on a phase whose time is over."""
        grace_s = self._grace_s
        if self._phase is Phase.DRAINING:
            self._lose_weights("is alive", grace_s)
            return
        if self._phase is Phase.EVALUATING:
            self._say("error", f"the final evaluation took longer than {grace_s:g} s and is missing")
        self._end_now(f"it did not leave within {grace_s:g} s")

    def _lose_weights(self, how_it_is: str, grace_s: float) -> None:
        """End a run whose server does not stop."""
        self._outcome = "failed"
        self._reason += (
            f"; then the parameter server, which {how_it_is}, did not stop within {grace_s:g} s: "
            "what was learnt since the last checkpoint is lost"
        )
        self._end_now(f"it did not leave within {grace_s:g} s")

    def _end_now(self, because: str) -> None:
        """Kill whoever is left; the loop goes on until all are buried."""
        self._enter(Phase.CLOSING)
        self._family.kill(because)
        self._move_on()

    def _end_without_log(self, reason: str) -> None:
        """End the run when its log cannot be written: nobody may go on unseen."""
        print(f"run {self._directory.run_id} failed: {reason}", file=sys.stderr, flush=True)  # noqa: T201
        self._family.wipe_out()
        self._journal.add(RunFinished(self._now_s(), "failed", reason))
        with contextlib.suppress(JournalError):  # if not even this line fits: whoever gets the lock closes the log
            self._journal.flush()

    def _repeat_checkpoint(self) -> None:
        """Write the event of the checkpoint to go on from, if it was lost with an earlier coordinator."""
        resumed = self._job.resumed
        if resumed is not None and resumed.checkpoint_seq > self._journal.last_seq:
            file = self._job.checkpoint.name
            self._add(CheckpointWritten(self._now_s(), file, resumed.version, dict(resumed.clocks)))
            assert self._journal.last_seq == resumed.checkpoint_seq

    # ---- small change -----------------------------------------------------------------------------------

    def _retune(self, params: dict[str, Any], forecaster: dict[str, Any]) -> None:
        """Check changed parameters of the policy and of its forecaster, and hand them to the gate."""
        if self._phase is not Phase.TRAINING:
            return
        try:
            change = retune(self._spec, params, forecaster)
        except SpecError as error:
            self._say("error", f"the run was not retuned: {error}")
            return
        self._spec = change.spec
        self._send("retune", params=change.policy, forecaster=change.forecaster)

    def _send(self, command: str, **fields: object) -> None:
        """Tell the server, if it lives."""
        if server := self._family.find(SERVER):
            self._family.tell(server, command, **fields)

    def _now_s(self) -> float:
        return self._job.clock.now_s()

    def _add(self, event: Event) -> None:
        self._journal.add(event)

    def _say(self, level: Literal["info", "warning", "error"], text: str) -> None:
        self._add(MessageLogged(self._now_s(), "coordinator", level, text))
