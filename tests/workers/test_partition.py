"""Partition: every sample goes to exactly one worker, for ever the same."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.spec import DirichletPartition
from workers.errors import DataError
from workers.partition import shards

PARTITIONS = st.one_of(
    st.just("iid"),
    st.floats(1e-6, 1000).map(DirichletPartition),
)
TEN_CLASSES = np.repeat(np.arange(10), 140)


@st.composite
def label_sets(draw: st.DrawFn) -> np.ndarray:
    num_classes = draw(st.integers(1, 12))
    num_samples = draw(st.integers(1, 400))
    return np.random.default_rng(draw(st.integers(0, 99))).integers(0, num_classes, num_samples)


@settings(max_examples=150, deadline=None)
@given(
    labels=label_sets(),
    num_workers=st.integers(1, 16),
    partition=PARTITIONS,
    seed=st.integers(0, 2**31 - 1),
    min_samples=st.integers(1, 64),
)
def test_every_sample_has_one_owner_and_nobody_goes_short(
    labels: np.ndarray, num_workers: int, partition: Literal["iid"] | DirichletPartition, seed: int, min_samples: int
) -> None:
    if len(labels) < num_workers:
        with pytest.raises(DataError, match=f"{len(labels)} training samples cannot be shared among {num_workers}"):
            shards(labels, num_workers, partition, seed)
        return
    parts = shards(labels, num_workers, partition, seed, min_samples=min_samples)
    assert len(parts) == num_workers
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    assert min(map(len, parts)) >= min(min_samples, len(labels) // num_workers)
    again = shards(labels.copy(), num_workers, partition, seed, min_samples=min_samples)
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))


@settings(max_examples=50, deadline=None)
@given(labels=label_sets(), num_workers=st.integers(1, 16), seed=st.integers(0, 1000))
def test_iid_shares_are_equal(labels: np.ndarray, num_workers: int, seed: int) -> None:
    if len(labels) >= num_workers:
        sizes = [len(part) for part in shards(labels, num_workers, "iid", seed)]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("partition", ["iid", DirichletPartition(0.3)])
def test_another_seed_shares_otherwise(partition: Literal["iid"] | DirichletPartition) -> None:
    one, other = (shards(TEN_CLASSES, 4, partition, seed) for seed in (1, 2))
    assert any(not np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def skew(partition: Literal["iid"] | DirichletPartition) -> float:
    """Give the mean over workers and seeds of the share of a worker's most frequent class."""
    parts = [part for seed in range(10) for part in shards(TEN_CLASSES, 4, partition, seed)]
    return float(np.mean([np.bincount(TEN_CLASSES[part]).max() / len(part) for part in parts]))


def test_the_smaller_the_concentration_the_more_the_shards_differ() -> None:
    assert skew("iid") < 0.2
    assert skew(DirichletPartition(1000.0)) < 0.2
    assert skew(DirichletPartition(0.3)) > 0.25
    assert skew(DirichletPartition(0.01)) > 0.4


def test_a_poor_worker_is_given_a_mixture_of_what_the_richest_has() -> None:
    # At this concentration each class goes to one worker whole, so that some would have none.
    parts = shards(TEN_CLASSES, 8, DirichletPartition(1e-6), seed=3, min_samples=32)
    sizes = sorted(map(len, parts))
    assert sizes[0] == 32
    assert sizes[-1] > 4 * 32
