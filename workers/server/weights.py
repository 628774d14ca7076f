"""The global weights: one flat float32 vector, and the pushed deltas that wait for the gate's word on them.

With a momentum they move by a velocity, a vector of the same length; nothing is kept for runs without one.
"""

from __future__ import annotations

import torch

from predictor.events import AggregateApplied
from workers.transport.base import Pieces, split


class Weights:
    """Not safe for threads by itself: `LiveGate` calls it under its lock, so that no snapshot is torn."""

    def __init__(self, flat: torch.Tensor, version: int = 0, velocity: torch.Tensor | None = None) -> None:
        self.flat = flat
        self.version = version
        self.velocity = velocity  # None: no momentum was asked for yet
        self._pieces = split(flat)
        self._pending: dict[tuple[int, int], Pieces] = {}  # (worker, iteration) -> delta

    @property
    def num_bytes(self) -> int:
        return self.flat.numel() * self.flat.element_size()

    def keep(self, worker: int, iteration: int, delta: Pieces) -> None:
        """Hold a pushed delta until it is applied or dropped.

        Raises:
            ValueError: it is not as long as the weights.
        """
        length = sum(piece.numel() for piece in delta)
        if length != self.flat.numel():
            raise ValueError(f"a delta must hold {self.flat.numel()} numbers, worker {worker} sent {length}")
        self._pending[worker, iteration] = delta

    def drop(self, worker: int, iteration: int) -> None:
        del self._pending[worker, iteration]

    def apply(self, aggregate: AggregateApplied) -> None:
        """Add scale x delta of each contribution; O(contributions x parameters).

        With a momentum: velocity = momentum x velocity + velocity_share x that sum, and the weights move by the
        velocity and by the rest of the sum. It starts at 0 with the first aggregate whose momentum is not 0.
        """
        if self.velocity is None and aggregate.momentum != 0:
            self.velocity = torch.zeros_like(self.flat)
        parts = [(self._pieces, aggregate.scale)]
        if self.velocity is not None:
            share = aggregate.velocity_share
            parts = [(split(self.velocity.mul_(aggregate.momentum)), share * aggregate.scale)]
            if share != 1:
                parts.append((self._pieces, (1 - share) * aggregate.scale))
        for contribution in aggregate.contributions:
            delta = self._pending.pop((contribution.worker, contribution.iteration))
            for pieces, scale in parts:
                for mine, piece in zip(pieces, delta, strict=True):
                    mine.add_(piece, alpha=scale)
        if self.velocity is not None:
            self.flat.add_(self.velocity)
        self.version = aggregate.version

    def copy_to(self, buffer: torch.Tensor) -> Pieces:
        """Take a snapshot into a buffer of the same length and return its pieces."""
        buffer.copy_(self.flat)
        return split(buffer)
