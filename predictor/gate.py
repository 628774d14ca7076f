"""The gate: the one place where synchronisation state changes.

    stimulus -> handle -> instructions

The gate is the same under a live clock (`workers/server/live_gate.py`), under a virtual clock
(`predictor/simulator/`) and in a replay. Its rules:

1. Time comes with the stimuli and never goes back. The gate reads no clock.
2. A stimulus first changes the state, then the policy is asked once, then its verdict is carried out. So a
   policy sees a state that includes what it is asked about.
3. The same stimuli in the same order give the same instructions (recorded runs are replayed to check this).
4. Only the newest `WakeAt` token is alive; a `DeadlinePassed` with another one changes nothing.
5. A worker that is not a member is not released, held or redirected; its pushes are an error, except that
   pushes which arrived before it left stay pending until the policy applies or discards them.
6. A worker leaves with its updates applied: `acknowledged` never falls.
7. A forecaster that is changed in mid-run is built anew and taught what was seen of its worker.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence

from predictor.errors import ProtocolError
from predictor.events import (
    AggregateApplied,
    Contribution,
    DeadlinePassed,
    Directive,
    DirectiveChanged,
    ForecastUpdated,
    Instruction,
    IterationReported,
    PushArrived,
    PushDiscarded,
    Retuned,
    RunResumed,
    Stimulus,
    SyncPlanned,
    WakeAt,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import Forecaster, ForecasterParams, with_changes
from predictor.policies.base import UNASKED, Member, PolicyParams, Verdict

_NUM_KEPT = 128  # compute times of each worker, from which a changed forecaster learns; bounds what that costs
_UNTOLD = Directive(push_at=1, max_ahead=0, alpha=0.0)  # what a member holds before its first release


class Gate:
    """State of the synchronisation, and the policy's `Cluster`."""

    def __init__(self, policy: PolicyParams, forecaster: ForecasterParams, *, is_logged: bool = True) -> None:
        """Start without members.

        Args:
            policy: the rule.
            forecaster: of each member, where the policy forecasts.
            is_logged: False leaves out the instructions that tell a worker nothing (aggregates, holds, plans,
                forecasts): for a simulation of times alone, which has neither weights nor a log.
        """
        self.now_s = 0.0
        self.version = 0
        self.is_logged = is_logged
        self._policy_params = policy
        self._policy = policy.build()
        self._first_forecaster = self._forecaster_params = forecaster
        self._seen: dict[int, deque[float]] = {}  # newest compute times of each member whose forecaster is asked
        self._members: dict[int, Member] = {}
        self.members: Mapping[int, Member] = self._members
        self._acknowledged: dict[int, int] = {}  # of all workers that ever pushed
        self._pending: list[PushArrived] = []
        self.pending: Sequence[PushArrived] = self._pending
        self._token = 0  # of the newest WakeAt
        self._min_clock: int | None = None  # None: is looked up when asked for
        self._num_slowest = 0  # members with that clock

    @property
    def min_clock(self) -> int:
        if self._min_clock is None:
            self._find_slowest()
        return self._min_clock or 0

    @property
    def num_slowest(self) -> int:
        if self._min_clock is None:
            self._find_slowest()
        return self._num_slowest

    def staleness(self, push: PushArrived) -> int:
        return self.version - push.pulled_version

    def clocks(self) -> dict[int, int]:
        """Give, for each worker that ever joined, how many of its iterations are in the global weights."""
        return dict(self._acknowledged)

    def handle(self, stimulus: Stimulus) -> list[Instruction]:
        """Take in what happened and say what must be done now.

        Raises:
            ProtocolError: the stimulus contradicts the state; nothing has changed.
        """
        if isinstance(stimulus, PushArrived) or isinstance(stimulus, IterationReported):  # noqa: SIM101 (it is faster)
            member = self._reach(stimulus)
            instructions = self._carry_out(self._policy.decide(self, stimulus))
            if self.is_logged and self._policy.forecasts:
                instructions += self._forecast(member)
            return instructions
        if isinstance(stimulus, DeadlinePassed) and stimulus.token != self._token:
            return []
        self._take(stimulus)
        return self._carry_out(self._policy.decide(self, stimulus))

    def _find_slowest(self) -> None:
        if not self._members:
            return  # nothing to keep: whoever joins first is the slowest
        clocks = [member.clock for member in self._members.values()]
        self._min_clock = min(clocks)
        self._num_slowest = clocks.count(self._min_clock)

    # ---- taking stimuli in ------------------------------------------------------------------------------

    def _reach(self, boundary: PushArrived | IterationReported) -> Member:
        """Take in what happens all the time; give the member that tells of it."""
        member = self._members.get(boundary.worker)
        if member is None:
            raise ProtocolError(f"{type(boundary).__name__} of worker {boundary.worker}, which is not a member")
        iteration = boundary.iteration
        if iteration <= member.iteration:
            raise ProtocolError(
                f"worker {boundary.worker} reached iteration {iteration} after iteration {member.iteration}"
            )
        if boundary.at_s > self.now_s:  # noqa: PLR1730 (a call of max costs more)
            self.now_s = boundary.at_s
        member.iteration = iteration
        member.running_since_s = boundary.ended_at_s
        member.forecaster.observe(boundary.compute_s)
        if (seen := self._seen.get(boundary.worker)) is not None:
            seen.append(boundary.compute_s)
        if isinstance(boundary, PushArrived):
            is_waiting = boundary.is_blocking
            self._leave_clock(member.clock)
            member.clock = iteration
            self._pending.append(boundary)
        else:
            # What it waits for may have been sent already, while the report was on its way.
            is_waiting = boundary.is_waiting and member.acknowledged < member.clock
        member.is_waiting = is_waiting
        if not is_waiting:
            member.held_reason = ""
        return member

    def _take(self, stimulus: Stimulus) -> None:
        """Take in what happens rarely."""
        if isinstance(stimulus, WorkerJoined) and stimulus.worker in self._members:
            raise ProtocolError(f"worker {stimulus.worker} joins but is a member already")
        if isinstance(stimulus, WorkerLeft) and stimulus.worker not in self._members:
            raise ProtocolError(f"WorkerLeft of worker {stimulus.worker}, which is not a member")
        self.now_s = max(self.now_s, stimulus.at_s)
        match stimulus:
            case WorkerJoined():
                self._join(stimulus)
            case WorkerLeft():
                self._leave_clock(self._members.pop(stimulus.worker).clock)
                self._seen.pop(stimulus.worker, None)
            case Retuned():
                self._retune(stimulus)
            case RunResumed():
                self.version = stimulus.version
                self._policy = self._policy_params.build()
                self._forecaster_params = self._first_forecaster
                self._seen.clear()
                self._members.clear()
                self._pending.clear()
                self._min_clock, self._num_slowest = None, 0
                self._acknowledged = {int(worker): clock for worker, clock in stimulus.clocks.items()}
            case _:
                pass

    def _join(self, joined: WorkerJoined) -> None:
        self._acknowledged.setdefault(joined.worker, joined.iteration)
        self._members[joined.worker] = Member(
            worker=joined.worker,
            clock=joined.iteration,
            iteration=joined.iteration,
            incarnation=joined.incarnation,
            forecaster=self._new_forecaster(joined.worker),
            directive=_UNTOLD,
            running_since_s=self.now_s,
            acknowledged=self._acknowledged[joined.worker],
        )
        if self._min_clock is not None and joined.iteration <= self._min_clock:
            self._num_slowest = self._num_slowest + 1 if joined.iteration == self._min_clock else 1
            self._min_clock = joined.iteration

    def _new_forecaster(self, worker: int) -> Forecaster:
        """Build the forecaster of a worker that joins, and begin to keep what it is shown."""
        if not self._policy.forecasts:
            return UNASKED
        self._seen[worker] = deque(maxlen=_NUM_KEPT)
        return self._forecaster_params.build()

    def _retune(self, retuned: Retuned) -> None:
        self._policy.params = dataclasses.replace(self._policy.params, **retuned.params)
        if not retuned.forecaster:
            return
        self._forecaster_params = with_changes(self._forecaster_params, retuned.forecaster)
        for worker, seen in self._seen.items():
            forecaster = self._forecaster_params.build()
            for compute_s in seen:
                forecaster.observe(compute_s)
            self._members[worker].forecaster = forecaster

    def _leave_clock(self, clock: int) -> None:
        """Take note that a member is no longer at this clock."""
        if clock == self._min_clock:
            self._num_slowest -= 1
            if self._num_slowest == 0:
                self._min_clock = None

    def _forecast(self, member: Member) -> list[Instruction]:
        """Say when the iteration ends that a member has just begun; nothing where it waits, or none was seen yet."""
        forecast = None if member.is_waiting else member.forecaster.forecast()
        if forecast is None:
            return []
        since_s = member.running_since_s
        ends_s = since_s + forecast.mean_s, since_s + forecast.low_s, since_s + forecast.high_s
        return [ForecastUpdated(self.now_s, member.worker, member.iteration + 1, since_s, *ends_s)]

    # ---- carrying verdicts out --------------------------------------------------------------------------

    def _carry_out(self, verdict: Verdict) -> list[Instruction]:
        instructions: list[Instruction] = []
        if verdict.apply:
            self._apply(verdict, instructions)
        for push, reason in verdict.discard:
            self._settle((push,))
            instructions.append(PushDiscarded(self.now_s, push.worker, push.iteration, reason))
        for worker, directive, reason in verdict.release:
            instructions.append(self._release(worker, directive, reason))
        for worker, waits_for, reason in verdict.hold:
            member = self._members[worker]
            if member.is_waiting and member.held_reason != reason:
                member.held_reason = reason
                if self.is_logged:
                    instructions.append(WorkerHeld(self.now_s, worker, waits_for, reason))
        for worker, directive, reason in verdict.redirect:
            member = self._members[worker]
            if member.directive != directive:
                member.directive = directive
                instructions.append(DirectiveChanged(self.now_s, worker, directive, reason))
        if verdict.plan and self.is_logged:
            plan, version = verdict.plan, self.version + 1
            cut_s = plan.cut_at_s, plan.low_at_s, plan.high_at_s
            instructions.append(SyncPlanned(self.now_s, version, *cut_s, plan.idle_fraction, plan.pushes, plan.reason))
        if verdict.wake_at_s is not None:
            self._token += 1
            instructions.append(WakeAt(self.now_s, self._token, max(self.now_s, verdict.wake_at_s)))
        return instructions

    def _apply(self, verdict: Verdict, instructions: list[Instruction]) -> None:
        acknowledged, version = self._acknowledged, self.version
        for push in verdict.apply:
            worker, iteration = push.worker, push.iteration
            if iteration > acknowledged.get(worker, 0):
                acknowledged[worker] = iteration
            if member := self._members.get(worker):
                member.acknowledged = acknowledged[worker]
        self.version = version + 1
        if self.is_logged:
            pushes = verdict.apply
            contributions = tuple(
                [Contribution(p.worker, p.iteration, p.num_iterations, version - p.pulled_version) for p in pushes]
            )
            what = verdict.scale, contributions, verdict.apply_reason, verdict.momentum, verdict.velocity_share
            instructions.append(AggregateApplied(self.now_s, version + 1, *what))
        self._settle(verdict.apply)

    def _settle(self, pushes: Sequence[PushArrived]) -> None:
        """Take pushes out of what is pending."""
        pending = self._pending
        if len(pushes) == 1 and pending and pending[-1] is pushes[0]:
            pending.pop()
            return
        settled = {id(push) for push in pushes}
        kept = [push for push in pending if id(push) not in settled]
        assert len(kept) + len(settled) == len(pending), "a policy settles what is pending, once"
        pending[:] = kept

    def _release(self, worker: int, directive: Directive, reason: str) -> WorkerReleased:
        member = self._members[worker]
        if member.is_waiting:
            member.running_since_s = self.now_s
        member.is_waiting = False
        member.held_reason = ""
        member.directive = directive
        member.pulled_version = self.version
        return WorkerReleased(self.now_s, worker, self.version, member.acknowledged, directive, reason)
