"""Virtual time: a heap of (time, sequence, event) around the same gate that a live run has.

The workers follow the wire of ARCHITECTURE: at each boundary a push or a report; weights half of the transfer
time up and half down, headers not delayed; a pull always outstanding while they train on. They hold the first
weights at time 0. Without a `Trainer` there are no gradients: an iteration has no samples, and its loss says nothing.

The same scenario gives the same events. Ties of time are broken by the order in which events were scheduled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from predictor.errors import SimulationError
from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    DirectiveChanged,
    Event,
    IterationReported,
    LeaveReason,
    PushArrived,
    PushDiscarded,
    RunFinished,
    Stimulus,
    TargetReached,
    WakeAt,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.gate import Gate
from predictor.simulator.ends import Turn, closing, max_events, standstill, turns
from predictor.simulator.scenario import Scenario, SimulationResult, result_of
from predictor.simulator.trainer import Trainer
from predictor.simulator.worker import Exchange, VirtualWorker

OnEvent = Callable[[Event], None]

# Kinds of scheduled events. Of the last kind the payload is called: for what only some simulations have.
_BOUNDARY, ARRIVAL, LANDING, CALL = range(4)


class Simulation:
    """One run. Only `_feed` asks the gate. `predictor.simulator.entry` makes and runs it."""

    def __init__(self, scenario: Scenario, on_event: OnEvent | None, trainer: Trainer | None) -> None:
        self._scenario, self._emit, self._trainer = scenario, on_event, trainer
        is_logged = on_event is not None or trainer is not None
        self._gate = Gate(scenario.policy, scenario.forecaster, is_logged=is_logged)
        self._handle = self._gate.handle
        pairs = zip(scenario.speeds, scenario.transfers, strict=True)
        self._workers = [VirtualWorker(worker, *models) for worker, models in enumerate(pairs)]
        self._last = math.inf if scenario.iterations is None else scenario.iterations
        self._heap: list[tuple[float, int, int, int, Any]] = []  # at_s, sequence, kind, worker, payload
        self._step_s = scenario.step_s
        self._sequence = 0
        self._now_s = 0.0
        self._turns, late = turns(scenario)  # the next one last
        self._num_joins = sum(what == "joins" for _, _, what in self._turns)
        for number in late:
            self._workers[number].stay_away()
        self._num_alive = len(self._workers) - len(late)
        self._wake: tuple[float, int] | None = None  # due time and token of the newest wish
        self._evaluation = (math.inf, 0)  # when the next one is due, and its place among events of the same time
        self._num_evaluations = 0
        self._num_pushes = self._max_lead = 0
        self._makespan_s = 0.0
        self._target: TargetReached | None = None

    def run(self) -> None:
        for worker in [worker for worker in self._workers if worker.is_alive]:
            self._feed(WorkerJoined(0.0, worker.worker, 0, 0))
        if self._trainer:
            self._plan_evaluation()
        limit = max_events(self._scenario)
        heap, workers = self._heap, self._workers
        while self._num_alive or self._num_joins:
            if not heap and not self._wake and self._num_alive:
                raise SimulationError(standstill(self._now_s, self._scenario, self._workers, self._gate))
            if self._sequence - self._num_evaluations > limit:
                raise SimulationError(f"no end in sight after {limit} events, at {self._now_s:g} s of virtual time")
            is_evaluation = not heap or self._evaluation < heap[0]
            next_s = self._evaluation[0] if is_evaluation else heap[0][0]
            is_wake = self._wake is not None and self._wake[0] < next_s
            if self._wake and is_wake:
                next_s = self._wake[0]
            if self._turns and self._turns[-1][0] <= next_s:
                self._turn(*self._turns.pop())
                continue
            self._now_s = next_s
            if is_wake:
                self._wake_up()
                continue
            if is_evaluation:
                self._evaluate()
                continue
            _, _, kind, number, payload = heappop(heap)
            worker = workers[number]
            if not worker.is_alive:
                continue
            if kind == _BOUNDARY:
                self._reach_boundary(worker, payload)
            elif kind == ARRIVAL:
                worker.num_travelling -= 1
                self._arrive(worker, payload)
            elif kind == LANDING:
                self._land(worker, *payload)
            else:
                payload()

    def _evaluate(self) -> None:
        """Measure the global weights at this moment, which takes no virtual time; end the run at its target."""
        assert self._trainer, "nothing else schedules evaluations"
        for event in self._trainer.evaluate(self._now_s, self._gate.version):
            if self._emit:
                self._emit(event)
            if isinstance(event, TargetReached):
                self._target = event
                self._turns = [(self._now_s, worker.worker, "stopped") for worker in reversed(self._workers)]
                self._num_joins = 0
        self._plan_evaluation()

    def _plan_evaluation(self) -> None:
        """Let the next one be due. It is not in the heap, which so is empty where nobody does anything any more."""
        self._sequence += 1
        self._evaluation = (self._num_evaluations * self._scenario.evaluate_every_s, self._sequence)
        self._num_evaluations += 1

    # ---- the worker's side ------------------------------------------------------------------------------

    def _compute(self, worker: VirtualWorker) -> None:
        """Start the next iteration, on the weights that landed last; have a pull out where it may be answered."""
        duration_s = worker.duration_s(worker.iteration, self._now_s)
        duration_s = max(duration_s, self._step_s)
        if not 0 < duration_s < math.inf:
            raise SimulationError(
                f"iteration {worker.iteration} of worker {worker.worker} would take {duration_s:g} s: "
                "a simulation needs a speed model, or the time of a step (step_s)"
            )
        worker.computed_version = worker.version
        worker.overlapped_until_s = math.inf if worker.in_flight else self._now_s
        worker.compute_started_s = self._now_s
        self._schedule(self._now_s + duration_s, _BOUNDARY, worker.worker, duration_s)
        directive = worker.directive
        if (directive.max_ahead > 0 or directive.push_at > worker.iteration + 1) and not worker.is_pulling:
            self._hold_pull(worker)

    def _reach_boundary(self, worker: VirtualWorker, compute_s: float) -> None:
        worker.iteration = iteration = worker.iteration + 1
        worker.compute_s += compute_s
        loss = self._train(self._trainer, worker) if self._trainer else 0.0
        if self._emit:
            self._emit(worker.iteration_finished(self._now_s, compute_s, loss, self._scenario.batch_size))
        worker.compute_started_s = None
        directive = worker.directive
        if iteration >= self._last:
            worker.blocked_from_s = self._now_s  # it only waits for its last push to arrive
            self._send(worker, self._push(worker, compute_s, is_blocking=False))
        elif iteration >= directive.push_at and (
            worker.pushed.arrived_s <= self._now_s if directive.push_after == "received" else not worker.in_flight
        ):
            patience_s = directive.patience_s
            is_blocking = directive.max_ahead == 0 or (
                patience_s is not None and self._now_s - worker.landed_s > patience_s
            )
            push = self._push(worker, compute_s, is_blocking)
            self._go_on(worker, is_blocking)
            self._send(worker, push)
        else:
            is_waiting = bool(worker.in_flight) and iteration - worker.pushed.iteration >= directive.max_ahead
            self._go_on(worker, is_waiting)
            at_s = max(self._now_s, worker.pushed.arrived_s)
            down_s, worker.down_s = worker.down_s, 0.0
            report = IterationReported(at_s, worker.worker, iteration, compute_s, self._now_s, is_waiting, down_s)
            self._send(worker, report)
            if is_waiting and not worker.is_pulling:
                self._hold_pull(worker)

    def _train(self, trainer: Trainer, worker: VirtualWorker) -> float:
        """Do the iteration that ends now on the weights of its start, then merge what has landed meanwhile."""
        loss = trainer.compute(worker.worker, worker.iteration)
        self._merge(trainer, worker)
        return loss

    def _merge(self, trainer: Trainer, worker: VirtualWorker) -> None:
        for released, settled in worker.landed:
            trainer.land(worker.worker, settled, released.directive)
        worker.landed.clear()

    def _go_on(self, worker: VirtualWorker, is_blocked: bool) -> None:
        if is_blocked:
            worker.blocked_from_s = self._now_s
        else:
            self._compute(worker)

    def _push(self, worker: VirtualWorker, compute_s: float, is_blocking: bool) -> PushArrived:
        iteration, before = worker.iteration, worker.pushed
        up_s = worker.transfer.up_s(iteration) if worker.hop_s is None else worker.hop_s
        at_s = self._arrival_s(worker, up_s)
        worker.pushed = Exchange(iteration, self._now_s, at_s)
        worker.in_flight.append(worker.pushed)
        if self._trainer:
            self._trainer.push(worker.worker, iteration)
        num_iterations = iteration - (before.iteration or worker.joined_with)
        down_s, worker.down_s = worker.down_s, 0.0
        version = worker.computed_version
        return PushArrived(
            at_s, worker.worker, iteration, num_iterations, compute_s, self._now_s, version, is_blocking, down_s
        )

    def _arrival_s(self, worker: VirtualWorker, up_s: float) -> float:
        """Give when a push arrives that is sent now: it follows the one before it."""
        return max(self._now_s, worker.pushed.arrived_s) + up_s

    def _send(self, worker: VirtualWorker, message: PushArrived | IterationReported) -> None:
        if message.at_s > self._now_s or worker.num_travelling:  # messages do not overtake each other
            worker.num_travelling += 1
            self._schedule(message.at_s, ARRIVAL, worker.worker, message)
        else:
            self._arrive(worker, message)

    def _land(self, worker: VirtualWorker, released: WorkerReleased, settled: int) -> None:
        """Take new weights in; they and their directive count from the next boundary on."""
        if worker.iteration >= self._last:
            return  # its last push is on its way, it has no use for them
        num_answered = worker.take_answers(settled)
        is_blocked = worker.blocked_from_s is not None
        if self._emit:
            sent_bytes = num_answered * self._scenario.message_bytes
            self._emit(worker.exchange_finished(self._now_s, released, sent_bytes, self._scenario.message_bytes))
        if self._trainer:
            worker.landed.append((released, settled))
            if is_blocked:
                self._merge(self._trainer, worker)
        if is_blocked:
            worker.unblock(self._now_s, worker.waits_with())
        worker.down_s = self._now_s - (worker.released_s or 0.0)
        worker.released_s = None
        worker.has_weights = True
        worker.landed_s = self._now_s
        if not worker.in_flight:
            worker.overlapped_until_s = min(worker.overlapped_until_s, self._now_s)
        worker.version = released.version
        worker.directive = released.directive
        goes_on = is_blocked and not worker.is_at_cap
        if is_blocked and not goes_on:
            worker.blocked_from_s = self._now_s  # these weights crossed its push: it waits on, for those that hold it
        if worker.directive.max_ahead > 0 or worker.blocked_from_s is not None:
            self._hold_pull(worker)
        if goes_on:
            self._compute(worker)

    # ---- the server's side ------------------------------------------------------------------------------

    def _arrive(self, worker: VirtualWorker, message: PushArrived | IterationReported) -> None:
        if type(message) is not PushArrived:
            self._feed(message)
            return
        self._num_pushes += 1
        self._makespan_s = self._now_s
        is_last = message.iteration >= self._last
        if message.is_blocking and not is_last and not worker.is_pulling:
            worker.is_pull_held = True
            worker.late_release = worker.late_directive = None  # the answer to this push makes them obsolete
        self._feed(message)
        lead = message.iteration - self._gate.min_clock
        self._max_lead = max(self._max_lead, lead)
        if is_last:
            self._leave(worker, "finished")

    def _hold_pull(self, worker: VirtualWorker) -> None:
        """Take a pull in; what fell due before it came is sent now, with the weights of this moment."""
        worker.is_pull_held = True
        late, worker.late_release = worker.late_release, None
        directive, worker.late_directive = worker.late_directive, None
        if late:
            now = self._gate.members[worker.worker]
            weights = WorkerReleased(
                late.at_s, late.worker, self._gate.version, now.acknowledged, now.directive, late.reason
            )
            self._release(weights)
        elif directive:
            worker.directive = directive

    def _release(self, released: WorkerReleased) -> None:
        worker = self._workers[released.worker]
        if not worker.is_pull_held:
            worker.late_release = released
            return
        worker.is_pull_held = False
        worker.released_s = released.at_s
        settled = worker.settled = max(worker.settled, released.acknowledged)
        if self._trainer:
            self._trainer.release(worker.worker)
        down_s = worker.hop_s
        if down_s is None:
            down_s = worker.transfer.down_s(released.acknowledged)
        landed_s = self._landing_s(down_s) if worker.has_weights else self._now_s
        if landed_s > self._now_s:
            self._schedule(landed_s, LANDING, worker.worker, (released, settled))
        else:
            self._land(worker, released, settled)

    def _landing_s(self, down_s: float) -> float:
        """Give when weights land that are sent now."""
        return self._now_s + down_s

    def _feed(self, stimulus: Stimulus) -> None:
        """Ask the gate, and do what it says."""
        instructions = self._handle(stimulus)
        if self._emit:
            self._emit(stimulus)
            for instruction in instructions:
                self._emit(instruction)
        for instruction in instructions:
            if isinstance(instruction, WorkerReleased):
                self._release(instruction)
            elif isinstance(instruction, AggregateApplied):
                if self._trainer:
                    self._trainer.apply(instruction)
            elif isinstance(instruction, WakeAt):
                self._wake = (instruction.due_at_s, instruction.token) if instruction.due_at_s < math.inf else None
            elif isinstance(instruction, PushDiscarded):
                discarded = self._workers[instruction.worker]
                discarded.settled = max(discarded.settled, instruction.iteration)
                if self._trainer:
                    self._trainer.discard(instruction.worker, instruction.iteration)
            elif isinstance(instruction, DirectiveChanged):
                worker = self._workers[instruction.worker]
                if worker.is_pull_held:
                    worker.directive = instruction.directive
                else:
                    worker.late_directive = instruction.directive

    def _wake_up(self) -> None:
        assert self._wake, "called only when a wish is due"
        (_, token), self._wake = self._wake, None
        self._sequence += 1
        self._feed(DeadlinePassed(self._now_s, token))

    def _turn(self, at_s: float, number: int, what: Turn) -> None:
        """Do what the scenario has planned for a worker."""
        worker = self._workers[number]
        if what == "joins":
            self._num_joins -= 1
            if worker.clock < self._last:
                self._now_s = at_s
                self._join(worker)
        elif worker.is_alive:
            self._now_s = at_s
            self._leave(worker, what)
        if what == "stopped" and self._num_joins:  # whoever is away stays away
            self._turns = [turn for turn in self._turns if turn[2] != "joins"]
            self._num_joins = 0

    def _join(self, worker: VirtualWorker) -> None:
        """Begin a life of a worker in mid-run: with the newest weights, and at the clock of the slowest.

        What it had not pushed, and what was under way, is lost with its life before. Its clock never falls.
        """
        heap, gate = self._heap, self._gate
        heap[:] = [entry for entry in heap if entry[3] != worker.worker]
        heapify(heap)
        if self._trainer:
            self._trainer.restart(worker.worker, worker.clock)
        clock = max(worker.clock, gate.min_clock)
        worker.join(self._now_s, clock)
        self._num_alive += 1
        self._feed(WorkerJoined(self._now_s, worker.worker, worker.incarnation, clock))

    def _leave(self, worker: VirtualWorker, reason: LeaveReason) -> None:
        worker.leave(self._now_s, self._gate.members[worker.worker].clock)
        self._num_alive -= 1
        self._feed(WorkerLeft(self._now_s, worker.worker, reason))

    def _schedule(self, at_s: float, kind: int, worker: int, payload: object) -> None:
        self._sequence += 1
        heappush(self._heap, (at_s, self._sequence, kind, worker, payload))

    # ---- what comes out ---------------------------------------------------------------------------------

    def closing(self) -> RunFinished:
        """Give the closing event."""
        return closing(self._now_s, self._scenario, self._workers, self._target)

    def result(self) -> SimulationResult:
        times = [worker.times() for worker in self._workers]
        return result_of(times, self._makespan_s, self._num_pushes, self._max_lead, self._gate.version)
