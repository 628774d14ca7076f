"""A fixed factor for each worker, times lognormal jitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.params import STRICT
from predictor.speeds.base import BaseS, Factors, Jitter, JitterCv, ReadText, factor_of


@dataclass(frozen=True)
class LognormalParams:
    """Each worker has its own fixed slowness, with jitter."""

    __pydantic_config__ = STRICT

    kind: Literal["lognormal"] = "lognormal"
    base_s: BaseS = 0.05
    factors: Factors = (1.0,)
    cv: JitterCv = 0.1

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Lognormal:
        return Lognormal(self.base_s * factor_of(self.factors, worker), Jitter(seed, worker, self.cv))


class Lognormal:
    """See `LognormalParams`."""

    def __init__(self, mean_s: float, jitter: Jitter) -> None:
        self._mean_s, self._jitter = mean_s, jitter

    def duration_s(self, iteration: int, at_s: float) -> float:
        return self._mean_s * self._jitter.factor(iteration)
