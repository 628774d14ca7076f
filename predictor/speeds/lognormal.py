"""A fixed factor for each worker, times lognormal jitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.params import STRICT, param
from predictor.speeds.base import jitter

Factor = Annotated[float, param("Multiple of the base time.", gt=0, le=1000)]


@dataclass(frozen=True)
class LognormalParams:
    """Each worker has its own fixed slowness, with jitter."""

    __pydantic_config__ = STRICT

    kind: Literal["lognormal"] = "lognormal"
    base_s: Annotated[
        float, param("Compute time of one iteration of a worker with factor 1.", unit="s", gt=0, le=3600)
    ] = 0.05
    factors: Annotated[
        tuple[Factor, ...],
        param("Slowness of each worker, or one entry for all; 4 is four times slower.", min_length=1),
    ] = (1.0,)
    cv: Annotated[float, param("Coefficient of variation of the jitter.", ge=0, le=3)] = 0.1

    def build(self, worker: int, num_workers: int, seed: int) -> Lognormal:
        factor = self.factors[worker] if len(self.factors) > 1 else self.factors[0]
        return Lognormal(self.base_s * factor, self.cv, worker, seed)


class Lognormal:
    """See `LognormalParams`."""

    def __init__(self, mean_s: float, cv: float, worker: int, seed: int) -> None:
        self._mean_s, self._cv, self._worker, self._seed = mean_s, cv, worker, seed

    def duration_s(self, iteration: int, at_s: float) -> float:
        return self._mean_s * jitter(self._seed, self._worker, iteration, self._cv)
