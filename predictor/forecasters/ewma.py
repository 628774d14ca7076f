"""Exponentially weighted moving average of the compute times (the paper's group forecasts likewise)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.base import Forecast
from predictor.forecasters.residuals import Residuals
from predictor.params import STRICT, param


@dataclass(frozen=True)
class EwmaParams:
    """Moving average that forgets: follows slow drift, smooths jitter."""

    __pydantic_config__ = STRICT

    name: Literal["ewma"] = "ewma"
    weight: Annotated[float, param("Weight of the newest iteration; 1 remembers nothing else.", gt=0, le=1)] = 0.1

    def build(self) -> Ewma:
        return Ewma(self.weight)


class Ewma:
    """See `EwmaParams`."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._mean_s: float | None = None
        self._residuals = Residuals()

    def observe(self, duration_s: float) -> None:
        if self._mean_s is None:
            self._mean_s = duration_s
            return
        self._residuals.add(duration_s / self._mean_s if self._mean_s > 0 else 1.0)
        self._mean_s += self._weight * (duration_s - self._mean_s)

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        return None if self._mean_s is None else self._residuals.widen(self._mean_s, elapsed_s)
