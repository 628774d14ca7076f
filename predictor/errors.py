"""The predictor's errors.

PredictorError
├── SpecError          the user's spec is wrong: field, value and wish
├── LogError           an event log breaks its own rules
├── ProtocolError      a stimulus that no correct worker or server sends
└── SimulationError    a simulated run stands still, or has no end
"""

from __future__ import annotations

from dataclasses import dataclass


class PredictorError(Exception):
    """Root of all errors raised by `predictor`."""


_LONGEST = 200  # characters of a wrong value that are repeated


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with a spec."""

    field: str  # dotted path, e.g. "policy.threshold"
    value: object  # what was given (None when nothing was)
    wish: str  # what would be right, e.g. "must be >= 0"

    def __str__(self) -> str:
        value = repr(self.value)
        return f"{self.field} {self.wish}, got {value if len(value) <= _LONGEST else value[:_LONGEST] + '…'}"


class SpecError(PredictorError, ValueError):
    """A spec cannot be used; `complaints` names every field, its value and the wish."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.complaints = complaints
        super().__init__("; ".join(map(str, complaints)))


class LogError(PredictorError, ValueError):
    """An event log cannot be read further than a given place."""


class ProtocolError(PredictorError, ValueError):
    """A stimulus contradicts the state of the gate, e.g. a push of a worker that never joined."""


class SimulationError(PredictorError, RuntimeError):
    """A simulated run cannot go on: its policy releases nobody, or time does not advance."""
