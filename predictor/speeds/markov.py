"""Weather: each worker alternates between fast and slow states of exponential length."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from predictor.params import STRICT, param
from predictor.speeds.base import (
    STREAM_WEATHER,
    BaseS,
    Draws,
    Factors,
    Jitter,
    JitterCv,
    ReadText,
    factor_of,
)

_BLOCK = 256  # stays that are drawn at once; even, so that each block starts in the first block's state


@dataclass(frozen=True)
class MarkovParams:
    """Each worker has spells of slowness, as on shared machines; the best match to recorded clusters."""

    __pydantic_config__ = STRICT

    kind: Literal["markov"] = "markov"
    base_s: BaseS = 0.05
    factors: Factors = (1.0,)
    cv: JitterCv = 0.1
    mean_fast_s: Annotated[float, param("Mean length of a fast spell.", unit="s", ge=0.01, le=86400)] = 6.0
    mean_slow_s: Annotated[float, param("Mean length of a slow spell.", unit="s", ge=0.01, le=86400)] = 2.0
    slow: Annotated[float, param("Multiple of the compute time in a slow spell.", ge=1, le=1000)] = 5.0

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Markov:
        return Markov(self, worker, seed)


class Markov:
    """See `MarkovParams`. An iteration takes the state of the moment at which it starts, to its end."""

    def __init__(self, params: MarkovParams, worker: int, seed: int) -> None:
        self._mean_s = params.base_s * factor_of(params.factors, worker)
        self._slow = params.slow
        self._jitter = Jitter(seed, worker, params.cv)
        self._spells = Spells(Draws(seed, worker, STREAM_WEATHER), params.mean_fast_s, params.mean_slow_s)

    def duration_s(self, iteration: int, at_s: float) -> float:
        slow = self._slow if self._spells.is_slow(at_s) else 1.0
        return self._mean_s * slow * self._jitter.factor(iteration)


class Spells:
    """The alternation as a timeline in seconds, so that every policy sees the same weather.

    Drawn in blocks as time goes on; only the block of the last question is kept. A question from before it
    starts anew from 0. The first state is drawn with the share of time that it has in the long run.
    """

    def __init__(self, draws: Draws, mean_fast_s: float, mean_slow_s: float) -> None:
        self._draws = draws
        self._starts_slow = draws.block(0).random() * (mean_fast_s + mean_slow_s) < mean_slow_s
        first_s, second_s = (mean_slow_s, mean_fast_s) if self._starts_slow else (mean_fast_s, mean_slow_s)
        self._means_s = np.tile([first_s, second_s], _BLOCK // 2)
        self._draw(1, 0.0)

    def is_slow(self, at_s: float) -> bool:
        if at_s < self._since_s:
            self._draw(1, 0.0)
        while at_s >= self._ends_s[-1]:  # ends: each block adds about 128 x (mean_fast_s + mean_slow_s) > 0
            self._draw(self._number + 1, self._ends_s[-1])
        return (bisect_right(self._ends_s, at_s) % 2 == 0) == self._starts_slow

    def _draw(self, number: int, since_s: float) -> None:
        stays_s = self._draws.block(number).standard_exponential(_BLOCK) * self._means_s
        self._number, self._since_s = number, since_s
        self._ends_s: list[float] = (since_s + np.cumsum(stays_s)).tolist()
