"""How the training data is shared among the workers: a pure function of labels, partition and seed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from predictor.spec import DirichletPartition
from workers.errors import DataError

STREAM = 2  # third word of the Philox counter: keeps these draws apart from those of batches and speed models

Shard = NDArray[np.int64]


def shards(
    labels: NDArray[np.int64],
    num_workers: int,
    partition: Literal["iid"] | DirichletPartition,
    seed: int,
    *,
    min_samples: int = 1,
) -> list[Shard]:
    """Share the samples among the workers; each sample goes to exactly one.

    "iid": equal shares of a permutation, whose sizes differ by at most 1. Dirichlet: the samples of each class
    are cut by proportions drawn from Dirichlet(concentration, ..., concentration). There, while a shard has
    fewer than `min_samples`, the largest shard gives it one of its samples, drawn at random; where the data
    does not suffice for that, all get the floor of the equal share at least.

    Args:
        labels: of the training set, (N,).
        num_workers: >= 1.
        partition: "iid" or the Dirichlet concentration.
        seed: of the run.
        min_samples: wish for the smallest shard, usually one batch.

    Returns:
        For each worker its sample indices in ascending order, (num_samples,).

    Raises:
        DataError: fewer samples than workers.
    """
    if len(labels) < num_workers:
        raise DataError(
            f"{len(labels)} training samples cannot be shared among {num_workers} workers, each needs at least one"
        )
    generator = np.random.Generator(np.random.Philox(key=[seed, 0], counter=[0, 0, STREAM, 0]))
    if partition == "iid":
        parts = np.array_split(generator.permutation(len(labels)), num_workers)
        return [np.sort(part) for part in parts]
    parts = _dirichlet(labels, num_workers, partition.dirichlet, generator)
    return _with_minimum(parts, min(min_samples, len(labels) // num_workers), generator)


def _dirichlet(
    labels: NDArray[np.int64], num_workers: int, concentration: float, generator: np.random.Generator
) -> list[Shard]:
    pieces: list[list[Shard]] = [[] for _ in range(num_workers)]
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        shares = generator.dirichlet(np.full(num_workers, concentration))
        cuts = np.rint(np.cumsum(shares)[:-1] * len(members)).astype(np.int64)
        for worker, piece in enumerate(np.split(members, cuts)):
            pieces[worker].append(piece)
    return [np.concatenate(piece) for piece in pieces]


def _with_minimum(parts: list[Shard], min_samples: int, generator: np.random.Generator) -> list[Shard]:
    shuffled = [generator.permutation(part).tolist() for part in parts]  # so that the last sample is a random one
    for poor in shuffled:
        while len(poor) < min_samples:
            poor.append(max(shuffled, key=len).pop())
    return [np.sort(np.array(part, np.int64)) for part in shuffled]
