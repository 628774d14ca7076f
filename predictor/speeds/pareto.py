"""Heavy tail: most iterations are quick, a few take very long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from predictor.params import STRICT, param
from predictor.speeds.base import STREAM_COMPUTE, BaseS, Draws, ReadText

_BLOCK = 256


@dataclass(frozen=True)
class ParetoParams:
    """Workers alike, with a heavy tail: each iteration may be the one that takes very long."""

    __pydantic_config__ = STRICT

    kind: Literal["pareto"] = "pareto"
    base_s: BaseS = 0.05
    index: Annotated[float, param("Tail index: the smaller, the heavier the tail.", gt=1, le=100)] = 1.6
    cap: Annotated[float, param("Longest iteration, as a multiple of the base time.", ge=1, le=10_000)] = 40.0

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Pareto:
        return Pareto(self, worker, seed)


class Pareto:
    """See `ParetoParams`. Scaled to mean `base_s`, then cut; so the mean of what is left is a little below."""

    def __init__(self, params: ParetoParams, worker: int, seed: int) -> None:
        self._params = params
        self._draws = Draws(seed, worker, STREAM_COMPUTE)
        self._number = -1
        self._durations_s: list[float] = []

    def duration_s(self, iteration: int, at_s: float) -> float:
        number, place = divmod(iteration, _BLOCK)
        if number != self._number:
            params = self._params
            shortest_s = params.base_s * (params.index - 1) / params.index
            tail = 1.0 + self._draws.block(number).pareto(params.index, _BLOCK)
            self._durations_s = np.minimum(shortest_s * tail, params.cap * params.base_s).tolist()
            self._number = number
        return self._durations_s[place]
