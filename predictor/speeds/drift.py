"""Factors that are exchanged every so often: who was slow becomes fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.params import STRICT, param
from predictor.speeds.base import BaseS, Factor, Factors, Jitter, JitterCv, ReadText, factor_of


@dataclass(frozen=True)
class DriftParams:
    """The workers' slowness changes between two sets of factors."""

    __pydantic_config__ = STRICT

    kind: Literal["drift"] = "drift"
    base_s: BaseS = 0.05
    factors: Factors = (1.0,)
    then: Annotated[
        tuple[Factor, ...], param("Slowness of each worker after the exchange, or one entry for all.", min_length=1)
    ] = (4.0,)
    every_s: Annotated[float, param("Time between two exchanges, there and back.", unit="s", gt=0, le=86400)] = 10.0
    cv: JitterCv = 0.1

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Drift:
        means_s = (self.base_s * factor_of(self.factors, worker), self.base_s * factor_of(self.then, worker))
        return Drift(means_s, self.every_s, Jitter(seed, worker, self.cv))


class Drift:
    """See `DriftParams`. An iteration takes the factor of the moment at which it starts, to its end."""

    def __init__(self, means_s: tuple[float, float], every_s: float, jitter: Jitter) -> None:
        self._means_s, self._every_s, self._jitter = means_s, every_s, jitter

    def duration_s(self, iteration: int, at_s: float) -> float:
        return self._means_s[int(at_s // self._every_s) % 2] * self._jitter.factor(iteration)
