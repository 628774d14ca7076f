"""Writers of small data sets in every format, for tests."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from predictor.spec import TaskSpec
from workers import datasets
from workers.datasets import Dataset

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NUM_TRAIN, NUM_TEST = 20, 6


def pixels(num_samples: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(num_samples).integers(0, 256, (num_samples, *shape)).astype(np.uint8)


def labels(num_samples: int, num_classes: int = 10) -> np.ndarray:
    return np.arange(num_samples) % num_classes


def load(path: Path, name: str = "mine") -> Dataset:
    return datasets.load(TaskSpec(dataset=name, data_dir=str(path)))


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


def idx_arrays(side: int = 28) -> dict[str, np.ndarray]:
    arrays = (pixels(NUM_TRAIN, side, side), labels(NUM_TRAIN), pixels(NUM_TEST, side, side), labels(NUM_TEST))
    return dict(zip(IDX_FILES, arrays, strict=True))


def write_idx(folder: Path, side: int = 28) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in idx_arrays(side).items():
        (folder / name).write_bytes(idx_bytes(array))


def write_idx_gz(folder: Path) -> None:
    for name, array in idx_arrays().items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array)))


def write_cifar10_binary(folder: Path) -> None:
    for name, num in (("data_batch_1", 12), ("data_batch_2", 8), ("test_batch", NUM_TEST)):
        records = np.concatenate([labels(num)[:, None].astype(np.uint8), pixels(num, 3072)], axis=1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())


def write_cifar10_pickle(folder: Path, key: Callable[[str], Any] = str.encode, protocol: int = 2) -> None:
    for name, num in (("data_batch_1", 12), ("data_batch_2", 8), ("test_batch", NUM_TEST)):
        content = {key("data"): pixels(num, 3072), key("labels"): labels(num).tolist(), key("batch_label"): b"batch"}
        (folder / name).write_bytes(pickle.dumps(content, protocol=protocol))


def npz_arrays() -> dict[str, np.ndarray]:
    return {
        "x_train": pixels(NUM_TRAIN, 9, 8),
        "y_train": labels(NUM_TRAIN),
        "x_test": pixels(NUM_TEST, 9, 8),
        "y_test": labels(NUM_TEST),
    }


def write_npz(folder: Path, **changes: Any) -> None:
    arrays = {key: value for key, value in (npz_arrays() | changes).items() if value is not None}
    np.savez(folder / "mine.npz", **arrays)


def write_npz_of_two(folder: Path) -> None:
    np.savez_compressed(folder / "mine.npz", x=np.linspace(0, 1, 26 * 5).reshape(26, 5), y=labels(26)[:, None])


WRITERS: dict[str, Callable[[Path], None]] = {
    "idx": write_idx,
    "idx gz": write_idx_gz,
    "cifar10_binary": write_cifar10_binary,
    "cifar10_pickle": write_cifar10_pickle,
    "npz": write_npz,
    "npz x, y": write_npz_of_two,
}
