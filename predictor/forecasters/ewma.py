"""Exponentially weighted moving average of the compute times (the paper's group forecasts likewise)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param


@dataclass(frozen=True)
class EwmaParams:
    """Moving average that forgets: follows slow drift, smooths jitter."""

    __pydantic_config__ = STRICT

    name: Literal["ewma"] = "ewma"
    weight: Annotated[float, param("Weight of the newest iteration; 1 remembers nothing else.", gt=0, le=1)] = 0.1

    def build(self) -> Calibrated:
        return Calibrated(Ewma(self.weight))


class Ewma:
    """See `EwmaParams`."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._mean_s = 0.0

    def learn(self, duration_s: float) -> None:
        self._mean_s = self._mean_s + self._weight * (duration_s - self._mean_s) if self._mean_s else duration_s

    def point_s(self) -> float:
        return self._mean_s
