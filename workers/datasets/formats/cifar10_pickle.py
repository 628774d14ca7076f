"""CIFAR-10, Python version: pickled dictionaries of an array `data` (N, 3072) and a list `labels`.

A pickle can run any code when it is loaded. Here it can name five things only, none of which is what it
names: stand-ins written below, which note what they are given. The array is then made from the noted bytes.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.datasets.base import Dataset, Description
from workers.datasets.formats import cifar10
from workers.datasets.formats.base import Format
from workers.errors import DataError


class _Dtype:
    """Stands in for numpy.dtype."""

    def __init__(self, code: object = None, align: object = None, copy: object = None) -> None:
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Ignore byte order and the like: single bytes have none."""


class _Array:
    """Stands in for numpy.ndarray."""

    state: Any = None  # (version, shape, dtype, is_fortran, bytes)

    def __setstate__(self, state: object) -> None:
        self.state = state


def _reconstruct(kind: object, shape: object, code: object) -> _Array:  # noqa: ARG001  (as the pickle calls it)
    return _Array()


def _encode(text: object, encoding: object) -> bytes:
    """Stand in for _codecs.encode, by which Python 3 stores bytes in the old pickle protocols."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("only text in latin1 may be encoded")
    return text.encode("latin1")


STAND_INS: dict[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STAND_INS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return STAND_INS[module, name]


def _matches(path: Path) -> bool:
    return path.is_dir() and (path / "data_batch_1").is_file()


def _read(path: Path, name: str) -> Dataset:
    train = cifar10.join(_batch(file) for file in cifar10.training_files(path, ""))
    test = cifar10.join([_batch(cifar10.test_file(path, ""))])
    return Dataset(name, train, test, cifar10.NUM_CLASSES)


def _describe(path: Path) -> Description:
    dataset = _read(path, "")  # a pickle has no header, and a whole CIFAR-10 is read in a fraction of a second
    return Description(cifar10.SAMPLE_SHAPE, len(dataset.train), len(dataset.test), cifar10.NUM_CLASSES)


def _batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        with path.open("rb") as file:
            content = _Unpickler(file, encoding="bytes").load()
        content = {key.decode() if isinstance(key, bytes) else key: value for key, value in content.items()}
        labels = np.array(content["labels"], np.int64)
        return _pixels(content["data"]), labels
    except Exception as error:  # a damaged pickle can raise anything
        raise DataError(
            f"{path}: is not a usable batch of CIFAR-10 ({error or type(error).__name__}), a pickled dictionary of "
            "`data` (uint8, N x 3072) and `labels` is needed"
        ) from error


def _pixels(array: object) -> NDArray[np.uint8]:
    if not isinstance(array, _Array):
        raise TypeError(f"data is a {type(array).__name__}")
    _, shape, dtype, is_fortran, values = array.state
    if dtype.code not in ("u1", b"u1"):
        raise TypeError(f"data has type {dtype.code}")
    if len(shape) != 2 or shape[1] != cifar10.NUM_PIXELS:
        raise TypeError(f"data has shape {shape}")
    return np.frombuffer(values, np.uint8).reshape(shape, order="F" if is_fortran else "C")


CIFAR10_PICKLE = Format(
    files="data_batch_1, ..., test_batch",
    matches=_matches,
    read=_read,
    describe=_describe,
)
