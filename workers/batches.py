"""Minibatches as a pure function of (seed, worker, iteration), so that policies see the same data order and a
resumed run needs no state.

A worker's epochs are permutations of its shard, one after the other; batch k is the samples k * batch_size to
(k + 1) * batch_size - 1 of that endless row. So it may straddle two epochs, and every sample is seen exactly once in
each.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.datasets.base import Split

STREAM = 1  # third word of the Philox counter: keeps these draws apart from those of partition and speed models


class Batches:
    """The minibatches of one worker."""

    def __init__(self, split: Split, shard: NDArray[np.int64], batch_size: int, seed: int, worker: int) -> None:
        """Take note of what the batches are made of.

        Args:
            split: the training set of all workers.
            shard: indices of this worker's samples, at least one.
            batch_size: samples of a batch, >= 1.
            seed: of the run.
            worker: its number.
        """
        assert len(shard) > 0, f"worker {worker} has no samples"
        self._split, self._shard, self._batch_size = split, shard, batch_size
        self._seed, self._worker = seed, worker
        self._epoch, self._order = -1, shard

    def batch(self, iteration: int) -> tuple[Tensor, Tensor, int]:
        """Give batch number `iteration`, counted from 0.

        Returns:
            (samples float32 (B, *sample_shape), labels int64 (B,), epoch of the first sample).
        """
        start = iteration * self._batch_size
        samples, labels = as_tensors(self._split, self._indices(start, start + self._batch_size))
        return samples, labels, start // len(self._shard)

    def _indices(self, start: int, stop: int) -> NDArray[np.int64]:
        """Give the samples at the places start to stop - 1 of the endless row."""
        size = len(self._shard)
        pieces = []
        while start < stop:
            epoch, offset = divmod(start, size)
            end = min(size, offset + stop - start)
            pieces.append(self._permutation(epoch)[offset:end])
            start += end - offset
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            bits = np.random.Philox(key=[self._seed, self._worker], counter=[0, 0, STREAM, epoch])
            self._epoch, self._order = epoch, np.random.Generator(bits).permutation(self._shard)
        return self._order


def as_tensors(split: Split, indices: NDArray[np.int64] | slice) -> tuple[Tensor, Tensor]:
    """Copy some samples into what a model takes.

    Returns:
        (samples float32 (B, *sample_shape), scaled; labels int64 (B,)).
    """
    if isinstance(indices, slice):  # a slice shares the memory of the data set, which must not be written to
        indices = np.arange(len(split))[indices]
    samples = torch.from_numpy(split.samples[indices]).to(torch.float32)
    if split.divisor != 1:
        samples.div_(split.divisor)
    return samples, torch.from_numpy(split.labels[indices])
