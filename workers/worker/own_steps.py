"""A worker's own steps that are not in the weights it pulled, and the merge of both.

    own = (pushed deltas that are not acknowledged) + (steps since the last push)
    weights = pulled + alpha x own                                              at every merge
    weights += step, own += step                                                at every iteration

Invariant: `own` holds exactly the steps that are not in the pulled weights; every step is in exactly one delta; so
with the server's scales, first weights + sum of scale x delta = global weights.
"""

from __future__ import annotations

from collections import deque

import torch


class OwnSteps:
    """Vectors are flat float32 of one length."""

    def __init__(self, length: int, iteration: int = 0) -> None:
        """Hold nothing, after `iteration` iterations that are all in the global weights."""
        self._since_push = torch.zeros(length)
        self._num_since_push = 0
        self._pushed: deque[tuple[int, torch.Tensor]] = deque()  # (iteration, delta), not acknowledged
        self._pushed_at = self._acknowledged = iteration

    @property
    def is_in_flight(self) -> bool:
        """Tell whether a push was not acknowledged yet."""
        return bool(self._pushed)

    @property
    def pushed_at(self) -> int:
        """Give the iteration of the newest push."""
        return self._pushed_at

    def add(self, step: torch.Tensor) -> None:
        """Take in the step of one iteration."""
        self._since_push.add_(step)
        self._num_since_push += 1

    def cut(self, iteration: int) -> tuple[torch.Tensor, int]:
        """Take what the push of `iteration` carries: the delta and the number of iterations that it sums up.

        The delta belongs to the transport from now on: nobody writes to it again.
        """
        delta, num_iterations = self._since_push, self._num_since_push
        assert num_iterations > 0, "there is nothing to push"
        self._pushed.append((iteration, delta))
        self._pushed_at = iteration
        self._since_push = torch.zeros_like(delta)
        self._num_since_push = 0
        return delta, num_iterations

    def acknowledge(self, iteration: int) -> None:
        """Forget the pushes up to `iteration`: they are in what was pulled."""
        while self._pushed and self._pushed[0][0] <= iteration:
            self._pushed.popleft()

    def merge(self, weights: torch.Tensor, alpha: float) -> None:
        """Add alpha x own steps to `weights`, which hold what was pulled."""
        if alpha == 0:
            return
        for _, delta in self._pushed:
            weights.add_(delta, alpha=alpha)
        if self._num_since_push:
            weights.add_(self._since_push, alpha=alpha)
