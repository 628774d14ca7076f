"""What a speed model is: how long an iteration of a worker should take (METHOD section 7).

A pure function of (seed, worker, iteration, time): the same seed gives every policy the same weather, and a
resumed run goes on in it. Random numbers are counter based (Philox), so the n-th one needs none before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Protocol

import numpy as np

from predictor.params import param

ReadText = Callable[[str], str]  # gives the text of the file of that path; raises OSError or UnicodeError

BaseS = Annotated[float, param("Compute time of one iteration of a worker with factor 1.", unit="s", gt=0, le=3600)]
Factor = Annotated[float, param("Multiple of the base time.", gt=0, le=1000)]
Factors = Annotated[
    tuple[Factor, ...], param("Slowness of each worker, or one entry for all; 4 is four times slower.", min_length=1)
]
JitterCv = Annotated[float, param("Coefficient of variation of the lognormal jitter.", ge=0, le=3)]

# One stream of random numbers for each use, so that no two uses share numbers.
STREAM_COMPUTE, STREAM_WEATHER, STREAM_UPLINK, STREAM_DOWNLINK = range(4)

_BLOCK = 256  # numbers that are drawn at once


class SpeedModel(Protocol):
    """Compute times of one worker."""

    def duration_s(self, iteration: int, at_s: float) -> float:
        """Give the length of the iteration that starts at `at_s`; `iteration` counts from 0.

        0 means: as fast as the machine can.
        """
        ...


class SpeedParams(Protocol):
    """Parameters of a speed model; they build one instance for each worker."""

    @property
    def kind(self) -> str: ...

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> SpeedModel:
        """Build the model of one worker.

        `predictor` opens no file, so whoever runs it hands in how the text of one is read:
        `spec.speed.build(worker, num_workers, seed, read_text)` with `read_text = lambda path:
        Path(path).read_text()`. Only `trace` calls it, once, here. Whoever takes in a spec builds worker 0
        before any process starts, and so finds a file that is missing or broken.

        Raises:
            SpecError: the parameters cannot be used, e.g. a trace file that is missing.
        """
        ...


class Draws:
    """Random numbers fixed by (seed, worker, stream, index); drawn in blocks, of which the last one is kept."""

    def __init__(self, seed: int, worker: int, stream: int) -> None:
        self._key, self._stream = [seed, worker], stream

    def block(self, number: int) -> np.random.Generator:
        """Give the generator of one block; it yields the same numbers each time."""
        return np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, self._stream, number]))


class Jitter:
    """Lognormal factors of mean 1 and coefficient of variation `cv`, one for each index."""

    def __init__(self, seed: int, worker: int, cv: float, stream: int = STREAM_COMPUTE) -> None:
        self._draws = Draws(seed, worker, stream)
        self._variance = math.log1p(cv * cv)
        self._number = -1
        self._factors: list[float] = []

    def factor(self, index: int) -> float:
        if self._variance == 0:
            return 1.0
        number, place = divmod(index, _BLOCK)
        if number != self._number:
            normals = self._draws.block(number).standard_normal(_BLOCK)
            self._factors = np.exp(math.sqrt(self._variance) * normals - self._variance / 2).tolist()
            self._number = number
        return self._factors[place]


def factor_of(factors: tuple[float, ...], worker: int) -> float:
    """Give the worker's own entry, or the one that holds for all."""
    return factors[worker] if len(factors) > 1 else factors[0]
