"""What a speed model is: how long an iteration of a worker should take (METHOD section 7).

A pure function of (seed, worker, iteration, time): the same seed gives every policy the same weather, and a
resumed run goes on in it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


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

    def build(self, worker: int, num_workers: int, seed: int) -> SpeedModel:
        """Build the model of one worker.

        Raises:
            SpecError: the parameters cannot be used, e.g. a trace file that is missing.
        """
        ...


def jitter(seed: int, worker: int, iteration: int, cv: float) -> float:
    """Give a lognormal factor of mean 1 and coefficient of variation `cv`, fixed by its arguments."""
    if cv == 0:
        return 1.0
    sigma2 = np.log1p(cv * cv)
    normal = np.random.Generator(np.random.Philox(key=[seed, worker], counter=[0, 0, 0, iteration])).standard_normal()
    return float(np.exp(np.sqrt(sigma2) * normal - sigma2 / 2))
