"""How a worker turns gradients into steps: its local optimizer.

The state (velocity, moments) belongs to the worker. It is never sent, and stays as it is when new weights come in, so
that a worker goes on with the momentum that its own gradients have gathered. What it pushes is the sum of the steps
that it has made, whatever the optimizer. A new life of a worker, also after a resume, begins with an empty state.

One flat float32 vector of the length of the weights for momentum, two for Adam, none for plain SGD.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch

from predictor.optimizers import ADAM_EPSILON, ADAM_FIRST, ADAM_SECOND, MomentumOptimizer
from predictor.spec import TaskSpec


class Optimizer(Protocol):
    """Called once for each iteration of a worker, in their order."""

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        """Give what is to be added to the weights; `gradient` is overwritten, and may be what is given back."""
        ...


class Sgd:
    """step = -rate x gradient."""

    def __init__(self, learning_rate: float) -> None:
        self._rate = learning_rate

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.mul_(-self._rate)


class Momentum:
    """velocity = momentum x velocity + gradient; step = -rate x velocity (Polyak 1964)."""

    def __init__(self, learning_rate: float, momentum: float) -> None:
        self._rate, self._momentum = learning_rate, momentum
        self._velocity: torch.Tensor | None = None

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        if self._velocity is None:
            self._velocity = torch.zeros_like(gradient)
        self._velocity.mul_(self._momentum).add_(gradient)
        return torch.mul(self._velocity, -self._rate, out=gradient)


class Adam:
    """step = -rate x mean of gradients / square root of the mean of their squares, both corrected for their start."""

    def __init__(self, learning_rate: float) -> None:
        self._rate = learning_rate
        self._first: torch.Tensor | None = None
        self._second: torch.Tensor | None = None
        self._num_steps = 0

    def step(self, gradient: torch.Tensor) -> torch.Tensor:
        if self._first is None or self._second is None:
            self._first, self._second = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self._num_steps += 1
        self._first.lerp_(gradient, 1 - ADAM_FIRST)
        self._second.mul_(ADAM_SECOND).addcmul_(gradient, gradient, value=1 - ADAM_SECOND)
        bias, root = 1 - ADAM_FIRST**self._num_steps, math.sqrt(1 - ADAM_SECOND**self._num_steps)
        torch.sqrt(self._second, out=gradient).div_(root).add_(ADAM_EPSILON)
        return torch.div(self._first, gradient, out=gradient).mul_(-self._rate / bias)


def optimizer_of(task: TaskSpec) -> Optimizer:
    """Build the optimizer of one worker."""
    if isinstance(task.optimizer, MomentumOptimizer):
        return Momentum(task.learning_rate, task.optimizer.momentum)
    return Adam(task.learning_rate) if task.optimizer == "adam" else Sgd(task.learning_rate)
