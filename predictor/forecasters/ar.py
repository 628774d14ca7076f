"""Autoregression of the logarithms of the compute times, fitted at every iteration.

The autocovariances are kept recursively, with forgetting; the Levinson-Durbin recursion gives the least squares
coefficients from them (Yule-Walker; Brockwell & Davis 1991, section 8.2). With every reflection coefficient below 1
in absolute value the fitted model is stable, so no forecast explodes. O(order^2).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param

_WEIGHT = 0.03  # of the newest iteration in mean and autocovariances
_LARGEST_REFLECTION = 0.98


@dataclass(frozen=True)
class ArParams:
    """Autoregression: uses how much an iteration resembles the ones just before it."""

    __pydantic_config__ = STRICT

    name: Literal["ar"] = "ar"
    order: Annotated[int, param("Earlier iterations that it looks at.", unit="iterations", ge=1, le=3)] = 2

    def build(self) -> Calibrated:
        return Calibrated(Ar(self.order))


class Ar:
    """See `ArParams`."""

    def __init__(self, order: int) -> None:
        self._past: deque[float] = deque(maxlen=order)  # newest first
        self._covariances = [0.0] * (order + 1)
        self._mean = 0.0
        self._num = 0

    def learn(self, duration_s: float) -> None:
        value = math.log(duration_s)
        self._num += 1
        weight = max(_WEIGHT, 1 / self._num)
        self._mean += weight * (value - self._mean)
        distance = value - self._mean
        self._covariances[0] += weight * (distance * distance - self._covariances[0])
        for lag, past in enumerate(self._past, 1):
            self._covariances[lag] += weight * (distance * (past - self._mean) - self._covariances[lag])
        self._past.appendleft(value)

    def point_s(self) -> float:
        coefficients = levinson_durbin(self._covariances)
        return math.exp(self._mean + sum(c * (past - self._mean) for c, past in zip(coefficients, self._past)))  # noqa: B905 (fewer at first)


def levinson_durbin(covariances: list[float]) -> list[float]:
    """Give the coefficients of lags 1, 2, ... that predict best, from the autocovariances of lags 0, 1, ..."""
    coefficients: list[float] = []
    error = covariances[0]
    for lag in range(1, len(covariances)):
        if error <= 1e-12:  # nothing left to explain, or nothing but rounding
            coefficients.append(0.0)
            continue
        unexplained = covariances[lag] - sum(c * covariances[lag - i] for i, c in enumerate(coefficients, 1))
        reflection = min(_LARGEST_REFLECTION, max(-_LARGEST_REFLECTION, unexplained / error))
        mirrored = [c - reflection * back for c, back in zip(coefficients, reversed(coefficients), strict=True)]
        coefficients = [*mirrored, reflection]
        error *= 1 - reflection * reflection
    return coefficients
