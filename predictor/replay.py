"""Replay: the recorded stimuli, in the order of the log, give a fresh gate exactly the recorded instructions."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from predictor.errors import ProtocolError
from predictor.events import Event, Instruction, RunFinished, RunResumed, RunStarted, Stimulus
from predictor.gate import Gate
from predictor.spec import RunSpec


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How far a replay went, and the first difference in words, if there is one."""

    num_stimuli: int
    num_instructions: int  # that were the same
    difference: str | None = None
    seq: int | None = None  # where the log differs; None when it does not

    @property
    def is_same(self) -> bool:
        return self.difference is None


def replay(events: Iterable[tuple[int, Event]], spec: RunSpec) -> ReplayReport:
    """Compare the instructions of a log with those of a fresh gate, one by one.

    A log may end, or be resumed, in the middle of what the gate said: its writer died there. Only a run that
    closed as completed or stopped must be whole. At `RunResumed` the gate is a new one, as it was in the run.

    Args:
        events: (seq, event) in the order of the log, as `predictor.log.decode` gives them.
        spec: of the run.
    """
    return _Replay(spec).run(events)


class _Replay:
    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._gate = Gate(spec.policy, spec.forecaster)
        self._expected: deque[Instruction] = deque()
        self._stimulus = "the start"  # the last one, in words
        self._num_stimuli = self._num_instructions = 0

    def run(self, events: Iterable[tuple[int, Event]]) -> ReplayReport:
        seq, is_whole = 0, False
        for seq, event in events:
            difference = None
            if isinstance(event, RunStarted):
                self._expected.clear()
            elif isinstance(event, Stimulus):
                difference = self._take(seq, event)
            elif isinstance(event, Instruction):
                difference = self._compare(event)
            is_whole = isinstance(event, RunFinished) and event.outcome != "failed"
            if difference:
                return self._report(seq, difference)
        if is_whole and self._expected:
            return self._report(seq, f"the log ends, but after {self._stimulus} the gate says {self._expected[0]}")
        return self._report(None, None)

    def _take(self, seq: int, stimulus: Stimulus) -> str | None:
        if isinstance(stimulus, RunResumed):
            self._gate = Gate(self._spec.policy, self._spec.forecaster)
            self._expected.clear()
        if self._expected:
            return f"the log goes on with {stimulus}, but after {self._stimulus} the gate says {self._expected[0]}"
        self._num_stimuli += 1
        self._stimulus = f"seq {seq} ({type(stimulus).__name__})"
        try:
            self._expected.extend(self._gate.handle(stimulus))
        except ProtocolError as error:
            return f"the gate refuses {stimulus}: {error}"
        return None

    def _compare(self, recorded: Instruction) -> str | None:
        if not self._expected:
            return f"the log says {recorded}, but after {self._stimulus} the gate says no more"
        expected = self._expected.popleft()
        if recorded == expected:
            self._num_instructions += 1
            return None
        if type(recorded) is not type(expected):
            return f"the log says {recorded}, but after {self._stimulus} the gate says {expected}"
        names = [field.name for field in dataclasses.fields(recorded)]
        name = next(name for name in names if getattr(recorded, name) != getattr(expected, name))
        return (
            f"{name} of {type(recorded).__name__} is {getattr(recorded, name)!r} in the log, "
            f"but after {self._stimulus} the gate says {getattr(expected, name)!r}"
        )

    def _report(self, seq: int | None, difference: str | None) -> ReplayReport:
        return ReplayReport(self._num_stimuli, self._num_instructions, difference, seq)
