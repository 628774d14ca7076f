"""The optimizers of `workers.worker.optimizer` for a whole grid of learning rates at once. Arrays (L, P)."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from predictor.optimizers import ADAM_EPSILON, ADAM_FIRST, ADAM_SECOND, MomentumOptimizer, OptimizerSpec
from workers.bench.network import Array


class GridOptimizer(Protocol):
    """One worker's; its state stays with it when new weights come in."""

    def step(self, gradient: Array) -> Array:
        """Give what is to be added to the weights; `gradient` is overwritten, and may be what is given back."""
        ...


class _Sgd:
    def __init__(self, minus_rates: Array) -> None:
        self._minus_rates = minus_rates

    def step(self, gradient: Array) -> Array:
        gradient *= self._minus_rates
        return gradient


class _Momentum:
    def __init__(self, minus_rates: Array, momentum: float) -> None:
        self._minus_rates, self._momentum = minus_rates, np.float32(momentum)
        self._velocity: Array | None = None

    def step(self, gradient: Array) -> Array:
        if self._velocity is None:
            self._velocity = np.zeros_like(gradient)
        self._velocity *= self._momentum
        self._velocity += gradient
        return np.multiply(self._velocity, self._minus_rates, out=gradient)


class _Adam:
    def __init__(self, minus_rates: Array) -> None:
        self._minus_rates = minus_rates
        self._first: Array | None = None
        self._second: Array | None = None
        self._num_steps = 0

    def step(self, gradient: Array) -> Array:
        if self._first is None or self._second is None:
            self._first, self._second = np.zeros_like(gradient), np.zeros_like(gradient)
        self._num_steps += 1
        first, second = self._first, self._second
        first += np.float32(1 - ADAM_FIRST) * (gradient - first)
        second *= np.float32(ADAM_SECOND)
        second += np.float32(1 - ADAM_SECOND) * gradient * gradient
        bias, root = 1 - ADAM_FIRST**self._num_steps, math.sqrt(1 - ADAM_SECOND**self._num_steps)
        np.sqrt(second, out=gradient)
        gradient /= np.float32(root)
        gradient += np.float32(ADAM_EPSILON)
        np.divide(first, gradient, out=gradient)
        gradient *= self._minus_rates / np.float32(bias)
        return gradient


def grid_optimizer(spec: OptimizerSpec, minus_rates: Array) -> GridOptimizer:
    """Build one worker's optimizer for all learning rates, given with the minus sign: (L, 1)."""
    if isinstance(spec, MomentumOptimizer):
        return _Momentum(minus_rates, spec.momentum)
    return _Adam(minus_rates) if spec == "adam" else _Sgd(minus_rates)
