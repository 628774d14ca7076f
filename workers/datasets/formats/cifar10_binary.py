"""CIFAR-10, binary version: records of one label byte and 3,072 pixel bytes (red, green, blue planes)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.datasets.base import Dataset, Description
from workers.datasets.formats import cifar10
from workers.datasets.formats.base import Format
from workers.errors import DataError

SUFFIX = ".bin"
RECORD_BYTES = 1 + cifar10.NUM_PIXELS


def _matches(path: Path) -> bool:
    return path.is_dir() and any(path.glob(f"data_batch_*{SUFFIX}"))


def _read(path: Path, name: str) -> Dataset:
    train = cifar10.join(_batch(file) for file in cifar10.training_files(path, SUFFIX))
    test = cifar10.join([_batch(cifar10.test_file(path, SUFFIX))])
    return Dataset(name, train, test, cifar10.NUM_CLASSES)


def _describe(path: Path) -> Description:
    num_train = sum(_num_records(file) for file in cifar10.training_files(path, SUFFIX))
    num_test = _num_records(cifar10.test_file(path, SUFFIX))
    return Description(cifar10.SAMPLE_SHAPE, num_train, num_test, cifar10.NUM_CLASSES)


def _num_records(path: Path) -> int:
    num_bytes = path.stat().st_size
    if num_bytes == 0 or num_bytes % RECORD_BYTES:
        raise DataError(f"{path}: holds {num_bytes} bytes, a whole file of CIFAR-10 holds a multiple of {RECORD_BYTES}")
    return num_bytes // RECORD_BYTES


def _batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    records = np.fromfile(path, np.uint8, _num_records(path) * RECORD_BYTES).reshape(-1, RECORD_BYTES)
    return records[:, 1:], records[:, 0].astype(np.int64)


CIFAR10_BINARY = Format(
    files="data_batch_1.bin, ..., test_batch.bin",
    matches=_matches,
    read=_read,
    describe=_describe,
)
