"""The vocabulary: everything that a run's log can say.

Three kinds of events (ARCHITECTURE, "The log"):

* stimuli       what happened; the only input of `Gate.handle`
* instructions  what the gate says must be done; its only output, each with a reason in words
* observations  what the processes measured; the gate never sees them

Times: `at_s` and every other `*_at_s` are seconds since the start of the run on the host's monotonic
clock, also over a resume. Plain `*_s` are durations. `iteration` counts the iterations that a worker has
completed, so its first push carries `iteration >= 1`. An event of the log is the JSON object
`{"seq": n, "kind": <class name>, **fields}`; `predictor.log` turns events into lines and back.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Literal

from predictor.directive import NEVER_WAITS as NEVER_WAITS  # noqa: PLC0414 (an export: part of the vocabulary)
from predictor.directive import Directive as Directive  # noqa: PLC0414 (as above)
from predictor.records import record

Outcome = Literal["completed", "stopped", "failed"]
LeaveReason = Literal["finished", "stopped", "died"]


@record
class Contribution:
    """One push inside an aggregate."""

    worker: int
    iteration: int
    num_iterations: int  # local iterations that the delta sums up
    staleness: int  # updates applied between this worker's pull and its push


@record
class PlannedPush:
    """When a plan expects one worker's push, with its 5-95% interval."""

    worker: int
    iteration: int
    expected_at_s: float
    low_at_s: float
    high_at_s: float


@record
class Event:
    """Anything that has a place in the log."""

    at_s: float


# ---- stimuli ---------------------------------------------------------------------------------------------


@record
class Stimulus(Event):
    """What happened. The gate handles stimuli in the order of the log."""


@record
class WorkerJoined(Stimulus):
    """A worker said hello and waits for its first weights."""

    worker: int
    incarnation: int  # 0 for its first life
    iteration: int  # iterations that it has already completed (0, or its clock at a resume or rejoin)


@record
class WorkerLeft(Stimulus):
    """A worker is gone: done, stopped or dead. Its applied updates stay."""

    worker: int
    reason: LeaveReason


@record
class PushArrived(Stimulus):
    """The gradient or accumulated delta of one worker reached the server.

    A worker sends, at every iteration boundary, either a push or a report, so that the gate sees the
    compute time of each iteration exactly once.
    """

    worker: int
    iteration: int  # clock after this push
    num_iterations: int  # iterations that the delta sums up, >= 1
    compute_s: float  # of the last iteration
    ended_at_s: float  # when that iteration ended, on the run's clock
    pulled_version: int  # version of the weights that the worker computed on
    is_blocking: bool  # the worker does not compute until it is released (`push_pull`)
    down_s: float = 0.0  # how long the newest weights travelled that landed since its last message; 0: none did


@record
class IterationReported(Stimulus):
    """A boundary without a push: header only."""

    worker: int
    iteration: int
    compute_s: float
    ended_at_s: float
    is_waiting: bool  # it reached its cap (`Directive.max_ahead`) and does not compute until released
    down_s: float = 0.0  # as in `PushArrived`


@record
class DeadlinePassed(Stimulus):
    """The time that a `WakeAt` asked for has come. An obsolete token is ignored."""

    token: int


@record
class Retuned(Stimulus):
    """Parameters of the running policy, or of its forecaster, were changed by a person."""

    params: dict[str, Any]  # of the policy: the changed ones
    forecaster: dict[str, Any] = field(default_factory=dict)  # the changed ones; with `name`: all of another one


@record
class RunResumed(Stimulus):
    """The run goes on from a checkpoint: the gate starts afresh with this version and these clocks."""

    checkpoint_seq: int
    version: int
    clocks: dict[str, int]  # worker -> iterations whose updates are in the checkpoint (JSON keys are text)


# ---- instructions ----------------------------------------------------------------------------------------


@record
class Instruction(Event):
    """What must be done, and why."""


@record
class WorkerReleased(Instruction):
    """Answer the worker's pull with the weights of this moment."""

    worker: int
    version: int
    acknowledged: int  # own iterations up to this one are in those weights
    directive: Directive
    reason: str


@record
class WorkerHeld(Instruction):
    """The worker waits: for whom and why. Said once for each change of the reason."""

    worker: int
    waits_for: tuple[int, ...]
    reason: str


@record
class DirectiveChanged(Instruction):
    """Tell a worker that trains a new directive; no weights."""

    worker: int
    directive: Directive
    reason: str


@record
class AggregateApplied(Instruction):
    """Add scale x delta of each contribution to the global weights, whose version this makes.

    With a momentum: velocity = momentum x velocity + velocity_share x that sum; the global weights move by the
    velocity, and by the rest of the sum.
    """

    version: int
    scale: float
    contributions: tuple[Contribution, ...]
    reason: str
    momentum: float = 0.0
    velocity_share: float = 1.0


@record
class PushDiscarded(Instruction):
    """Drop a pending delta."""

    worker: int
    iteration: int
    reason: str


@record
class SyncPlanned(Instruction):
    """The synchronisation that will make `version` is predicted for `cut_at_s`, with its 5-95% interval."""

    version: int
    cut_at_s: float
    low_at_s: float
    high_at_s: float
    idle_fraction: float  # expected, of the plan
    pushes: tuple[PlannedPush, ...]
    reason: str


@record
class ForecastUpdated(Instruction):
    """The iteration that a worker has just begun is forecast to end then; said by policies that forecast.

    What happened is the `ended_at_s` of the message that tells of this iteration.
    """

    worker: int
    iteration: int  # the one that runs; it will be the completed count at its end
    started_at_s: float
    expected_at_s: float
    low_at_s: float  # 5% and 95% quantiles
    high_at_s: float


@record
class WakeAt(Instruction):
    """Hand in `DeadlinePassed(token)` at `due_at_s`. Only the newest token is alive."""

    token: int
    due_at_s: float


# ---- observations ----------------------------------------------------------------------------------------


@record
class Observation(Event):
    """What was measured; never an input of the gate. `node`: "server", "worker-3", "evaluator"."""


@record
class RunStarted(Observation):
    """The first event of a log, and again the first one after a resume."""

    wall_time_s: float  # Unix time of this very moment
    run_id: str
    is_simulated: bool
    versions: dict[str, str]  # python, torch, foresync


@record
class NodeStarted(Observation):
    node: str
    pid: int
    incarnation: int


@record
class IterationFinished(Observation):
    """One minibatch step of one worker; `at_s` is its end."""

    worker: int
    iteration: int
    epoch: int
    started_at_s: float
    compute_s: float  # includes the emulated slowness
    target_s: float  # what the speed model asked for; 0 = the machine's own speed
    loss: float  # training loss of this minibatch
    num_samples: int
    overlapped_s: float  # of it, from its start on: local training while a push was in flight


@record
class ExchangeFinished(Observation):
    """New weights landed; `at_s` is the moment. Stamps of the way there and back.

    `blocked_from_s`..`at_s` is the time in which the worker did not compute for it. Its part before
    `arrived_at_s` and after `released_at_s` is transfer, the part between is wait.
    """

    worker: int
    iteration: int  # of the push that was answered (0: the first weights)
    version: int
    sent_at_s: float  # push handed to the transport
    arrived_at_s: float  # push at the server
    released_at_s: float  # released by the gate
    blocked_from_s: float | None  # None: it never stopped computing
    sent_bytes: int
    received_bytes: int


@record
class EvaluationFinished(Observation):
    """The held-back set, on a snapshot of the global weights."""

    snapshot_at_s: float
    version: int
    loss: float
    accuracy: float  # share in [0, 1]
    num_samples: int
    is_final: bool


@record
class TargetReached(Observation):
    """`at_s` is the time at which the snapshot was taken that first met the target."""

    metric: str
    value: float


@record
class CheckpointWritten(Observation):
    file: str
    version: int
    clocks: dict[str, int]


@record
class NodeSampled(Observation):
    """Gauges of one process, about once a second."""

    node: str
    cpu_share: float  # CPU seconds used per second since the last sample
    memory_bytes: int  # resident
    sent_bytes: int  # payload so far, cumulative
    received_bytes: int


@record
class ProcessExited(Observation):
    node: str
    exit_code: int  # negative: killed by that signal
    is_expected: bool
    detail: str


@record
class MessageLogged(Observation):
    """A sentence for the user."""

    node: str
    level: Literal["info", "warning", "error"]
    text: str


@record
class RunFinished(Observation):
    """The closing event."""

    outcome: Outcome
    reason: str


STIMULI: tuple[type[Stimulus], ...] = (
    WorkerJoined,
    WorkerLeft,
    PushArrived,
    IterationReported,
    DeadlinePassed,
    Retuned,
    RunResumed,
)
INSTRUCTIONS: tuple[type[Instruction], ...] = (
    WorkerReleased,
    WorkerHeld,
    DirectiveChanged,
    AggregateApplied,
    PushDiscarded,
    SyncPlanned,
    ForecastUpdated,
    WakeAt,
)
OBSERVATIONS: tuple[type[Observation], ...] = (
    RunStarted,
    NodeStarted,
    IterationFinished,
    ExchangeFinished,
    EvaluationFinished,
    TargetReached,
    CheckpointWritten,
    NodeSampled,
    ProcessExited,
    MessageLogged,
    RunFinished,
)
EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in (*STIMULI, *INSTRUCTIONS, *OBSERVATIONS)}
