"""What-if: a recorded run, simulated again under another policy with the times that were recorded.

    recording = record(events, spec)                  # one pass over the log
    answer = what_if(recording, SspParams(threshold=3), TimingParams())
    answer.to_data()                                  # plain data for REST, a table, a file

It predicts the time to the same number of iterations, waiting, staleness and lead. It says nothing about the loss:
no gradient is computed, and other staleness learns otherwise. It assumes that neither compute nor transfer times
depend on the policy; times that the other policy needs beyond the recorded ones are those again, cyclically.

`predictor.replay` is another thing: it asks a fresh gate of the same policy the recorded questions again.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from predictor.churn import Absence
from predictor.errors import LogError
from predictor.events import (
    AggregateApplied,
    Event,
    ExchangeFinished,
    IterationFinished,
    PushArrived,
    Retuned,
    RunFinished,
    RunStarted,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import ForecasterParams
from predictor.policies import PolicyParams
from predictor.simulator import Scenario, simulate
from predictor.spec import RunSpec
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace
from predictor.summary import Summary

ABOUT_LOSS = (
    "The prediction replays recorded times under another order of synchronisation; it says nothing about the loss."
)

Label = Literal["measured", "simulated", "predicted"]

_SHORTEST_S = 1e-9  # of an iteration: a clock that did not advance must not stop a simulation


@dataclass(frozen=True, slots=True)
class Figures:
    """What a recorded and a predicted run are compared by, folded in the same way from the events of both."""

    makespan_s: float  # start of the first iteration to the last push or end of an iteration, without pauses
    num_iterations: int  # of all workers
    num_pushes: int
    wait_s: float  # of all workers
    wait_share: float | None  # of the time of all workers; None: they had none
    transfer_s: float  # not computing while a message travelled, of all workers
    utilisation: float | None
    mean_staleness: float | None  # of applied pushes, in updates; None: none was applied
    p95_staleness: int | None  # nearest rank
    max_staleness: int | None
    max_lead: int  # at the arrival of pushes


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A recorded run beside what is predicted for another policy."""

    label: Label  # of the recorded figures: "simulated" where the recorded run was
    recorded: Figures
    predicted: Figures
    num_extrapolated: int  # predicted iterations beyond the recorded ones of their worker
    notes: tuple[str, ...]  # what the reader must know of this case, in whole sentences

    def to_data(self) -> dict[str, Any]:
        """Give it as plain data; the shape is on docs/simulate-and-replay.md."""
        return {
            "recorded": {"label": self.label, **dataclasses.asdict(self.recorded)},
            "predicted": {"label": "predicted", **dataclasses.asdict(self.predicted)},
            "num_extrapolated": self.num_extrapolated,
            "notes": [*self.notes, ABOUT_LOSS],
        }


class RecordedTransfer(Transfer):
    """The times that the messages of one worker travelled, by the iteration of their push; cyclically where unknown."""

    def __init__(self, worker: int, ups_s: Mapping[int, float], downs_s: Mapping[int, float]) -> None:
        super().__init__(0.0, 0.0, worker, 0)
        self._ups_s, self._downs_s = ups_s, downs_s
        self._cyclic_up_s = [up_s for _, up_s in sorted(ups_s.items())] or [0.0]
        self._cyclic_down_s = [down_s for _, down_s in sorted(downs_s.items())] or [0.0]

    def up_s(self, iteration: int) -> float:
        known = self._ups_s.get(iteration)
        return self._cyclic_up_s[(iteration - 1) % len(self._cyclic_up_s)] if known is None else known

    def down_s(self, iteration: int) -> float:
        known = self._downs_s.get(iteration)
        return self._cyclic_down_s[(iteration - 1) % len(self._cyclic_down_s)] if known is None else known


@dataclass(slots=True)
class _Life:
    """The part of a run between its start, or a resume, and the next resume."""

    first_s: float | None = None  # start of the first iteration
    last_s: float = 0.0  # last push, or end of an iteration

    @property
    def length_s(self) -> float:
        return 0.0 if self.first_s is None else self.last_s - self.first_s


class _Fold:
    """Figures of a log or of a simulation."""

    def __init__(self) -> None:
        self.summary = Summary()
        self.lives = [_Life()]
        self.num_iterations: Counter[int] = Counter()  # by worker
        self._num_pushes = 0
        self._staleness: Counter[int] = Counter()  # updates -> number of pushes

    def update(self, event: Event) -> None:
        self.summary.update(event)
        life = self.lives[-1]
        if isinstance(event, IterationFinished):
            self.num_iterations[event.worker] += 1
            life.first_s = event.started_at_s if life.first_s is None else min(life.first_s, event.started_at_s)
            life.last_s = max(life.last_s, event.at_s)
        elif isinstance(event, PushArrived):
            self._num_pushes += 1
            life.last_s = max(life.last_s, event.at_s)
        elif isinstance(event, AggregateApplied):
            self._staleness.update(one.staleness for one in event.contributions)
        elif isinstance(event, RunStarted) and life.first_s is not None:
            self.lives.append(_Life())

    def figures(self) -> Figures:
        report = self.summary.report()
        return Figures(
            makespan_s=sum(life.length_s for life in self.lives),
            num_iterations=self.num_iterations.total(),
            num_pushes=self._num_pushes,
            wait_s=report["wait_s"],
            wait_share=report["wait_share"],
            transfer_s=sum(row["transfer_s"] for row in report["workers"]),
            utilisation=report["utilisation"],
            mean_staleness=report["mean_staleness"],
            p95_staleness=_quantile(self._staleness, 0.95),
            max_staleness=max(self._staleness, default=None),
            max_lead=report["max_lead"],
        )


def _quantile(counts: Counter[int], share: float) -> int | None:
    """Give the least value that at least this share of the counted ones does not exceed."""
    wanted, seen = share * counts.total(), 0
    for value, num in sorted(counts.items()):
        seen += num
        if seen >= wanted:
            return value
    return None


@dataclass(slots=True)
class _WorkerTimes:
    """What was recorded of one worker, in the order of the log."""

    computes_s: list[float] = field(default_factory=list)
    ups_s: dict[int, float] = field(default_factory=dict)  # by iteration of the push
    downs_s: dict[int, float] = field(default_factory=dict)  # by own iterations that are in the weights
    releases: dict[float, int] = field(default_factory=dict)  # on their way: when released -> `acknowledged`
    spare_ups_s: dict[int, float] = field(default_factory=dict)  # of pushes whose exchange nobody told of
    has_weights: bool = False  # the first weights of a life are a join, not the answer to a push
    clock: int = 0
    has_finished: bool = False
    died: tuple[int, float] | None = None  # index of the run's life, at_s
    absences: list[Absence] = field(default_factory=list)  # from which it came back, within a life of the run


class Recording:
    """The times of a recorded run. Fold the events of its log in order with `update`; O(1) each."""

    def __init__(self, spec: RunSpec | None = None) -> None:
        """Hold nothing yet.

        Args:
            spec: of the run. Where messages share the server's line, recorded times hold the wait for others, which
                differs under another policy: then the times are the spec's, and the line is simulated.
        """
        self._line = spec if spec and spec.transfer.server_message_s > 0 else None
        self._fold = _Fold()
        self._workers: dict[int, _WorkerTimes] = {}
        self._is_simulated = self._is_finished = False
        self._num_retuned = 0

    def update(self, event: Event) -> None:
        """Take in the next event of the log."""
        self._fold.update(event)
        if isinstance(event, IterationFinished):
            worker = self._worker(event.worker)
            worker.computes_s.append(event.compute_s)
            worker.clock = event.iteration
        elif isinstance(event, PushArrived):
            self._worker(event.worker).spare_ups_s[event.iteration] = max(0.0, event.at_s - event.ended_at_s)
        elif isinstance(event, WorkerReleased):
            self._worker(event.worker).releases[event.at_s] = event.acknowledged
        elif isinstance(event, ExchangeFinished):
            _exchange(self._worker(event.worker), event)
        elif isinstance(event, WorkerJoined):
            worker = self._worker(event.worker)
            self._note_absence(worker, event)
            worker.has_weights, worker.has_finished, worker.died = False, False, None
        elif isinstance(event, WorkerLeft):
            worker = self._worker(event.worker)
            worker.has_finished = event.reason == "finished"
            worker.died = (len(self._fold.lives) - 1, event.at_s) if event.reason == "died" else None
        elif isinstance(event, RunStarted):
            self._is_simulated, self._is_finished = event.is_simulated, False
        elif isinstance(event, RunFinished):
            self._is_finished = True
        self._num_retuned += isinstance(event, Retuned)

    def _note_absence(self, worker: _WorkerTimes, joined: WorkerJoined) -> None:
        """Take note that a worker was away while others trained: it died before, or was not there yet."""
        now = len(self._fold.lives) - 1
        if worker.died is not None and worker.died[0] == now:
            left_s = self._elapsed_s(*worker.died)
        elif not worker.computes_s and self._fold.lives[now].first_s is not None and self._is_simulated:
            left_s = None
        else:
            return
        worker.absences.append(Absence(joined.worker, left_s, self._elapsed_s(now, joined.at_s)))

    def _elapsed_s(self, number: int, at_s: float) -> float:
        """Give a time in a life of the run in seconds since the first iteration, without pauses."""
        life = self._fold.lives[number]
        elapsed_s = 0.0 if life.first_s is None else max(0.0, at_s - life.first_s)
        return elapsed_s + sum(one.length_s for one in self._fold.lives[:number])

    def _worker(self, worker: int) -> _WorkerTimes:
        return self._workers.setdefault(worker, _WorkerTimes())

    @property
    def label(self) -> Label:
        return "simulated" if self._is_simulated else "measured"

    @property
    def workers(self) -> list[int]:
        """The numbers of the workers; a scenario counts them from 0 in this order."""
        return sorted(self._workers)

    @property
    def num_iterations(self) -> dict[int, int]:
        """Recorded iterations of each worker, those done again after a resume included."""
        return {worker: len(self._workers[worker].computes_s) for worker in self.workers}

    @property
    def is_finite(self) -> bool:
        """Tell whether each worker left because its iterations were done, but for those that died."""
        alive = [one for one in self._workers.values() if one.died is None]
        return bool(alive) and all(one.has_finished for one in alive)

    def figures(self) -> Figures:
        """Give the figures of the recorded run."""
        return self._fold.figures()

    def deaths(self) -> dict[int, float]:
        """Give who died for good and when, in seconds since the first iteration, without pauses."""
        lives = ((worker, times.died) for worker, times in self._workers.items())
        return {worker: self._elapsed_s(*died) for worker, died in lives if died is not None}

    def scenario(self, policy: PolicyParams, forecaster: ForecasterParams) -> Scenario:
        """Build what is to be simulated from the recorded times.

        Each worker does as many iterations as recorded where all did the same number; else the iterations of all
        workers together are an upper limit for each, and `what_if` ends the simulation at their sum.

        Raises:
            LogError: a worker that did not die finished no iteration, so nothing is known of its speed.
        """
        if not any(times.computes_s for times in self._workers.values()):
            raise LogError("the log holds no finished iteration, so there are no times to simulate with")
        deaths = self.deaths()
        speeds = [self._speed(worker, deaths.get(worker)) for worker in self.workers]
        times = [self._workers[worker] for worker in self.workers]
        return Scenario(
            policy=policy,
            forecaster=forecaster,
            speeds=speeds,
            transfers=[self._transfer(number, one) for number, one in enumerate(times)],
            iterations=max(one.clock for one in times) if self.is_finite else sum(len(one.computes_s) for one in times),
            deaths={number: deaths[worker] for number, worker in enumerate(self.workers) if worker in deaths},
            churn=tuple(dataclasses.replace(one, worker=n) for n, mine in enumerate(times) for one in mine.absences),
            server_message_s=self._line.transfer.server_message_s if self._line else 0.0,
        )

    def _transfer(self, number: int, times: _WorkerTimes) -> Transfer:
        if self._line is None:
            return RecordedTransfer(number, times.spare_ups_s | times.ups_s, times.downs_s)
        return Transfer(self._line.transfer.transfer_s, self._line.transfer.cv, number, self._line.seed)

    def _speed(self, worker: int, died_s: float | None) -> Trace:
        computes_s = self._workers[worker].computes_s
        if computes_s:
            return Trace([max(_SHORTEST_S, one) for one in computes_s])
        if died_s is None:
            raise LogError(f"worker {worker} finished no iteration, so nothing is known of its speed")
        return Trace([died_s + 1.0])  # it will not finish one in this life either

    def notes(self) -> list[str]:
        """Say what a reader of a prediction must know of this recording."""
        notes = []
        if not self._is_finished:
            notes.append("The log has no end: what is there is taken for the whole run.")
        if len(self._fold.lives) > 1:
            notes.append("The run was resumed: pauses are left out, and the prediction knows of no pause.")
        if self._num_retuned:
            notes.append(f"The recorded policy was retuned in mid-run ({self._num_retuned} times); this one is not.")
        died = sorted(self.deaths())
        if died:
            notes.append(f"These workers die at the recorded times: {', '.join(map(str, died))}.")
        away = [worker for worker in self.workers if self._workers[worker].absences]
        if away:
            where = "from then on their recorded times are taken in another order"
            who = ", ".join(map(str, away))
            notes.append(f"These workers join late or come back at the recorded times: {who}; {where}.")
        if self._line:
            notes.append("Messages share the server's line, as in the recorded run, and queue there anew.")
        return notes


def _exchange(worker: _WorkerTimes, event: ExchangeFinished) -> None:
    """Keep the times of the way up and down, each once: weights that answer no newer push tell the old one again."""
    if event.iteration > 0:
        worker.ups_s.setdefault(event.iteration, max(0.0, event.arrived_at_s - event.sent_at_s))
    acknowledged = worker.releases.get(event.released_at_s, event.iteration)
    worker.releases = {at_s: one for at_s, one in worker.releases.items() if at_s > event.released_at_s}
    if worker.has_weights:
        worker.downs_s.setdefault(acknowledged, max(0.0, event.at_s - event.released_at_s))
    worker.has_weights = True


def record(events: Iterable[tuple[int, Event]], spec: RunSpec | None = None) -> Recording:
    """Fold a whole log.

    Args:
        events: (seq, event) in the order of the log, as `predictor.log.decode` gives them.
        spec: of the run, see `Recording`.
    """
    recording = Recording(spec)
    for _, event in events:
        recording.update(event)
    return recording


class _EnoughError(Exception):
    """The simulated workers have done as many iterations as the recorded ones."""


def what_if(recording: Recording, policy: PolicyParams, forecaster: ForecasterParams) -> WhatIf:
    """Predict the same number of iterations under a policy.

    Where the recorded workers ended at a number of iterations, each does that number. Where the run ended at a
    time or a target, the simulation ends when all workers together have done as many as were recorded.

    Raises:
        LogError: the log does not hold the times of every worker.
        SimulationError: the policy lets workers wait for ever.
    """
    scenario = recording.scenario(policy, forecaster)
    recorded = recording.figures()
    fold = _Fold()

    def take(event: Event) -> None:
        fold.update(event)
        if not recording.is_finite and fold.num_iterations.total() >= recorded.num_iterations:
            raise _EnoughError

    with contextlib.suppress(_EnoughError):
        simulate(scenario, take)
    predicted = fold.figures()
    known = recording.num_iterations
    done = {worker: fold.num_iterations[number] for number, worker in enumerate(recording.workers)}
    num_extrapolated = sum(max(0, done[worker] - known[worker]) for worker in recording.workers)
    notes = recording.notes()
    if num_extrapolated:
        notes.append(f"{num_extrapolated} of {predicted.num_iterations} iterations use recorded times once more.")
    if predicted.num_iterations != recorded.num_iterations:
        notes.append(f"It does {predicted.num_iterations} iterations, where {recorded.num_iterations} were recorded.")
    return WhatIf(recording.label, recorded, predicted, num_extrapolated, tuple(notes))
