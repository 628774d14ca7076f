"""What a data set is once it is in memory, what every one must satisfy, and what is said of it in a list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.errors import DataError

MAX_CLASSES = 10_000  # a wild label must not ask for a last layer of gigabytes

Samples = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True)
class Split:
    """Labelled samples; a model sees `samples / divisor`.

    Pixels stay uint8 here, a quarter of the memory, and are scaled batch by batch.
    """

    samples: Samples  # (N, *sample_shape)
    labels: NDArray[np.int64]  # (N,)
    divisor: float = 1.0

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A training and a held-back split."""

    name: str
    train: Split
    test: Split
    num_classes: int

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample: (channels, height, width), or (features,)."""
        return self.train.samples.shape[1:]


@dataclass(frozen=True)
class Description:
    """What a list says of a data set; found without reading its samples."""

    sample_shape: tuple[int, ...]
    num_train: int
    num_test: int
    num_classes: int


def checked(dataset: Dataset, origin: object) -> Dataset:
    """Give the data set back if it can be trained on.

    Args:
        dataset: as it was read.
        origin: where it was read from, for the sentence.

    Raises:
        DataError: empty or uneven splits, samples without values, values that are not finite, labels
            outside 0..num_classes-1.
    """
    for kind, split in (("training", dataset.train), ("test", dataset.test)):
        if not len(split.samples):
            raise DataError(f"{origin}: the {kind} set is empty, at least one sample is needed")
        if len(split.samples) != len(split.labels):
            raise DataError(
                f"{origin}: the {kind} set has {len(split.samples)} samples but {len(split.labels)} labels, "
                "each sample needs one"
            )
        low, high = int(split.labels.min()), int(split.labels.max())
        if low < 0 or high >= dataset.num_classes:
            wrong = low if low < 0 else high
            raise DataError(
                f"{origin}: the {kind} set has the label {wrong}, labels must lie in 0..{dataset.num_classes - 1}"
            )
        if split.samples.dtype == np.float32 and not np.isfinite(split.samples).all():
            num_wrong = int((~np.isfinite(split.samples)).sum())
            raise DataError(f"{origin}: the {kind} set has {num_wrong} values that are NaN or infinite, none may be")
    if 0 in dataset.sample_shape:
        raise DataError(f"{origin}: samples have shape {dataset.sample_shape}, no side may be 0")
    if dataset.train.samples.shape[1:] != dataset.test.samples.shape[1:]:
        raise DataError(
            f"{origin}: training samples have shape {dataset.train.samples.shape[1:]} but test samples "
            f"{dataset.test.samples.shape[1:]}, they must be alike"
        )
    return dataset


def count_classes(labels: NDArray[np.int64], origin: object) -> int:
    """Give the number of classes that these labels stand for: the largest plus 1.

    Raises:
        DataError: no labels, fewer than 2 classes, or more than MAX_CLASSES.
    """
    if not len(labels):
        raise DataError(f"{origin}: there are no labels, at least one sample is needed")
    num_classes = int(labels.max()) + 1
    if num_classes < 2:
        raise DataError(f"{origin}: all labels are {num_classes - 1}, at least the classes 0 and 1 are needed")
    if num_classes > MAX_CLASSES:
        raise DataError(f"{origin}: the largest label is {num_classes - 1}, it must be < {MAX_CLASSES}")
    return num_classes


def fixed_split(samples: Samples, labels: NDArray[np.int64], num_test: int, divisor: float) -> tuple[Split, Split]:
    """Split into (train, test) after one fixed permutation, the same on every machine and for every seed."""
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(labels))
    train, test = order[: len(order) - num_test], order[len(order) - num_test :]
    return Split(samples[train], labels[train], divisor), Split(samples[test], labels[test], divisor)
