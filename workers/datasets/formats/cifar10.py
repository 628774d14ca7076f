"""What both forms of CIFAR-10 share: batches numbered from 1, images of 3 x 32 x 32, ten classes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.datasets.base import Split
from workers.errors import DataError

SAMPLE_SHAPE = (3, 32, 32)
NUM_PIXELS = 3 * 32 * 32
NUM_CLASSES = 10


def training_files(folder: Path, suffix: str) -> list[Path]:
    """Give data_batch_1, data_batch_2, ... in the order of their numbers.

    Raises:
        DataError: a number in between is missing.
    """
    pattern = re.compile(rf"data_batch_(\d+){re.escape(suffix)}")
    numbers = {int(match[1]): path for path in folder.iterdir() if (match := pattern.fullmatch(path.name))}
    for number in range(1, max(numbers, default=1) + 1):
        if number not in numbers:
            raise DataError(f"{folder}: data_batch_{number}{suffix} is missing, all batches up to the last are needed")
    return [numbers[number] for number in sorted(numbers)]


def test_file(folder: Path, suffix: str) -> Path:
    """Give the path of the test batch.

    Raises:
        DataError: it is missing.
    """
    path = folder / f"test_batch{suffix}"
    if not path.is_file():
        raise DataError(f"{folder}: test_batch{suffix} is missing, CIFAR-10 data needs it beside its data_batch files")
    return path


def join(batches: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]]) -> Split:
    """Join batches of (pixels (N, 3072), labels (N,)) into one split of images."""
    pixels, labels = zip(*batches, strict=True)
    return Split(np.concatenate(pixels).reshape(-1, *SAMPLE_SHAPE), np.concatenate(labels), divisor=255)
