"""What the benchmark's models learn (METHOD section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from predictor.spec import DirichletPartition
from workers.bench.network import Array, Shape
from workers.datasets.digits import Digits
from workers.partition import shards

Metric = Literal["test_loss", "test_accuracy"]

_NUM_TEACHER_TRAIN, _NUM_TEACHER_TEST = 8000, 1000
_TEACHER_SHAPE = Shape(48, 48, 16)
_TEACHER_NOISE = 0.5  # standard deviation of the noise on the teacher's logits, in those of the logits


@dataclass(frozen=True)
class Task:
    """Data, its shares, the model's shape and the goal."""

    shape: Shape
    samples: Array  # (M, I)
    one_hot: Array  # (M, C)
    test_samples: Array
    test_labels: NDArray[np.int64]
    shards: list[NDArray[np.int64]]  # for each worker the indices of its samples
    batch_size: int
    metric: Metric
    goal: float


def make_task(
    name: str,
    partition: Literal["iid"] | DirichletPartition,
    *,
    batch_size: int,
    num_workers: int,
    seed: int,
    metric: Metric,
    goal: float,
) -> Task:
    """Give the task of a scenario for one seed.

    Args:
        name: "digits" or "teacher_student".
        partition: how the training data is shared among the workers.
        batch_size: samples of a minibatch, drawn with replacement from the worker's share.
        num_workers: of the cluster.
        seed: of the partition.
        metric: that the target is about.
        goal: value of it.
    """
    shape, samples, labels, test_samples, test_labels = _digits() if name == "digits" else _teacher_student()
    one_hot = np.eye(shape.num_classes, dtype=np.float32)[labels]
    shares = shards(labels, num_workers, partition, seed, min_samples=batch_size)
    return Task(shape, samples, one_hot, test_samples, test_labels, shares, batch_size, metric, goal)


_Data = tuple[Shape, Array, NDArray[np.int64], Array, NDArray[np.int64]]


@lru_cache
def _digits() -> _Data:
    data = Digits().load(None)
    train, test = data.train, data.test
    flat = [part.samples.reshape(len(part), -1).astype(np.float32) / np.float32(part.divisor) for part in (train, test)]
    return Shape(64, 32, 10), flat[0], train.labels, flat[1], test.labels


@lru_cache
def _teacher_student() -> _Data:
    """Label correlated inputs, whose scales fall from 1.6 to 0.3, by a noisy random network."""
    generator = np.random.Generator(np.random.Philox(key=[2023, 48]))
    shape, num = _TEACHER_SHAPE, _NUM_TEACHER_TRAIN + _NUM_TEACHER_TEST
    rotation, _ = np.linalg.qr(generator.standard_normal((shape.num_inputs, shape.num_inputs)))
    scales = np.geomspace(1.6, 0.3, shape.num_inputs)
    samples = ((generator.standard_normal((num, shape.num_inputs)) * scales) @ rotation).astype(np.float32)
    hidden = np.maximum(samples @ generator.standard_normal((shape.num_inputs, shape.num_hidden)), 0)
    logits = hidden @ generator.standard_normal((shape.num_hidden, shape.num_classes))
    logits += _TEACHER_NOISE * logits.std() * generator.standard_normal(logits.shape)
    labels = logits.argmax(axis=1)
    cut = _NUM_TEACHER_TRAIN
    return shape, samples[:cut], labels[:cut], samples[cut:], labels[cut:]
