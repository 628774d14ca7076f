"""Batches: a pure function of (seed, worker, iteration); every sample once an epoch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.batches import Batches, as_tensors
from workers.datasets.base import Split


def numbered(num_samples: int) -> Split:
    """Give samples whose one value is their index, which is their label too."""
    indices = np.arange(num_samples)
    return Split(indices.astype(np.float32)[:, None], indices)


def labels_of(batches: Batches, iteration: int) -> list[int]:
    labels: list[int] = batches.batch(iteration)[1].tolist()
    return labels


@st.composite
def cases(draw: st.DrawFn) -> tuple[Split, np.ndarray, int, int, int]:
    num_samples = draw(st.integers(1, 60))
    shard = np.array(sorted(draw(st.sets(st.integers(0, num_samples - 1), min_size=1))))
    batch_size = draw(st.integers(1, 80))  # also larger than the shard
    return numbered(num_samples), shard, batch_size, draw(st.integers(0, 2**31 - 1)), draw(st.integers(0, 63))


@settings(max_examples=150, deadline=None)
@given(case=cases(), num_epochs=st.integers(1, 5))
def test_every_sample_is_seen_once_in_each_epoch(
    case: tuple[Split, np.ndarray, int, int, int], num_epochs: int
) -> None:
    _, shard, batch_size, _, _ = case
    batches = Batches(*case)
    num_batches = -(-num_epochs * len(shard) // batch_size)
    row = [label for iteration in range(num_batches) for label in labels_of(batches, iteration)]
    for epoch in range(num_epochs):
        assert sorted(row[epoch * len(shard) : (epoch + 1) * len(shard)]) == shard.tolist()


@settings(max_examples=150, deadline=None)
@given(case=cases(), iterations=st.lists(st.integers(0, 200), min_size=1, max_size=12))
def test_a_batch_depends_on_its_number_alone(
    case: tuple[Split, np.ndarray, int, int, int], iterations: list[int]
) -> None:
    used = Batches(*case)
    for iteration in iterations:
        samples, labels, epoch = used.batch(iteration)
        fresh_samples, fresh_labels, fresh_epoch = Batches(*case).batch(iteration)
        assert torch.equal(samples, fresh_samples)
        assert torch.equal(labels, fresh_labels)
        assert epoch == fresh_epoch == iteration * case[2] // len(case[1])


def test_a_batch_may_straddle_two_epochs() -> None:
    shard = np.arange(100, 110)
    batches = Batches(numbered(200), shard, 4, seed=1, worker=0)
    row = [labels_of(batches, iteration) for iteration in range(5)]
    assert sorted(row[0] + row[1] + row[2][:2]) == sorted(row[2][2:] + row[3] + row[4]) == shard.tolist()
    assert row[0] + row[1] + row[2][:2] != row[2][2:] + row[3] + row[4]
    assert [batches.batch(iteration)[2] for iteration in range(6)] == [0, 0, 0, 1, 1, 2]


def test_seed_and_worker_change_the_order() -> None:
    shard = np.arange(50)
    orders = {
        tuple(labels_of(Batches(numbered(50), shard, 50, seed, worker), 0)) for seed in (1, 2) for worker in (0, 1)
    }
    assert len(orders) == 4


def test_samples_are_scaled_and_stay_beside_their_labels() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(6, 1, 2, 2) * 10
    split = Split(pixels, np.arange(6), divisor=16)
    samples, labels, _ = Batches(split, np.arange(6), 4, seed=0, worker=0).batch(0)
    assert samples.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert samples.shape == (4, 1, 2, 2)
    for sample, label in zip(samples.numpy(), labels.tolist(), strict=True):
        assert np.array_equal(sample, pixels[label].astype(np.float32) / 16)


@pytest.mark.parametrize("indices", [slice(1, 4), np.array([1, 2, 3])])
def test_what_is_done_to_a_batch_does_not_reach_the_data(indices: np.ndarray | slice) -> None:
    split = numbered(5)
    samples, labels = as_tensors(split, indices)
    assert labels.tolist() == [1, 2, 3]
    samples.fill_(-1)
    labels.fill_(-1)
    assert split.samples.ravel().tolist() == split.labels.tolist() == [0, 1, 2, 3, 4]
