"""What a forecaster is: it sees the compute times of one worker and tells when the running one ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SHORTEST_S = 1e-9  # a duration of 0 is taken for this one: forecasts are > 0, and logarithms exist


@dataclass(frozen=True, slots=True)
class Forecast:
    """Duration of one iteration in seconds: mean and the 5% and 95% quantiles, low_s <= mean_s <= high_s."""

    mean_s: float
    low_s: float
    high_s: float


class Forecaster(Protocol):
    """One instance for each worker. Pure: no clock, no random source."""

    def observe(self, duration_s: float) -> None:
        """Learn the compute time of a finished iteration."""
        ...

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        """Forecast the whole duration of the running iteration, given that it has lasted `elapsed_s` already.

        `elapsed_s = 0` forecasts any iteration after the running one. None until something was observed.
        """
        ...

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        """Give the duration to act on where early costs the time until the end and late costs `late_s`.

        None for `late_s` is a whole iteration. Most forecasters act on their mean, whatever late costs. None until
        something was observed.
        """
        ...


class ForecasterParams(Protocol):
    """Parameters of a forecaster; they build one instance for each worker."""

    @property
    def name(self) -> str: ...

    def build(self) -> Forecaster: ...


class Point(Protocol):
    """The part in which forecasters differ: one number. `Calibrated` makes a forecaster of it."""

    def learn(self, duration_s: float) -> None:
        """Learn a duration, >= SHORTEST_S."""
        ...

    def point_s(self) -> float:
        """Give the expected duration of the next iteration, > 0; asked only after something was learned."""
        ...
