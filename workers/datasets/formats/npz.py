"""A numpy archive with x_train, y_train, x_test, y_test; or with x and y, of which a fifth is held back.

`x`: uint8 pixels (they are divided by 255) or floating-point values (taken as they are), of shape (N, features),
(N, height, width), (N, channels, height, width) or (N, height, width, channels) with 1 or 3 channels.
`y`: whole numbers from 0, of shape (N,) or (N, 1). Pickled objects are refused.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from workers.datasets.base import Dataset, Description, Samples, Split, count_classes, fixed_split
from workers.datasets.formats.base import Format
from workers.errors import DataError

FOUR = ("x_train", "y_train", "x_test", "y_test")
DAMAGES = (OSError, ValueError, KeyError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile)


def _matches(path: Path) -> bool:
    return path.suffix == ".npz" if path.is_file() else len(list(path.glob("*.npz"))) == 1


def _read(path: Path, name: str) -> Dataset:
    path = _file(path)
    keys = _keys(path)
    arrays = {key: _load(path, key) for key in keys}
    divisor = 255.0 if arrays[keys[0]].dtype == np.uint8 else 1.0
    if keys == FOUR:
        train = Split(
            _samples(arrays["x_train"], "x_train", path), _labels(arrays["y_train"], "y_train", path), divisor
        )
        test = Split(_samples(arrays["x_test"], "x_test", path), _labels(arrays["y_test"], "y_test", path), divisor)
        if train.samples.dtype != test.samples.dtype:
            raise DataError(
                f"{path}: x_train has type {arrays['x_train'].dtype} but x_test {arrays['x_test'].dtype}, "
                "they must be alike"
            )
        return Dataset(name, train, test, count_classes(train.labels, path))
    samples, labels = _samples(arrays["x"], "x", path), _labels(arrays["y"], "y", path)
    if len(samples) != len(labels):
        raise DataError(f"{path}: has {len(samples)} samples but {len(labels)} labels, each sample needs one")
    train, test = fixed_split(samples, labels, _num_held_back(len(labels)), divisor)
    return Dataset(name, train, test, count_classes(labels, path))


def _describe(path: Path) -> Description:
    path = _file(path)
    keys = _keys(path)
    shape = _shape(path, keys[0])
    labels = _labels(_load(path, keys[1]), keys[1], path)
    num_train, num_test = shape[0], _shape(path, "x_test")[0] if keys == FOUR else 0
    if keys != FOUR:
        num_test = _num_held_back(num_train)
        num_train -= num_test
    return Description(_layout(shape, keys[0], path)[1], num_train, num_test, count_classes(labels, path))


def _num_held_back(num_samples: int) -> int:
    return max(1, num_samples // 5)


def _file(path: Path) -> Path:
    return path if path.is_file() else next(path.glob("*.npz"))


def _keys(path: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry.removesuffix(".npy") for entry in archive.namelist()]
    except DAMAGES as error:
        raise _damaged(path, error) from error
    for keys in (FOUR, ("x", "y")):
        if set(keys) <= set(found):
            return keys
    raise DataError(
        f"{path}: holds the arrays {', '.join(found) or 'none'}, it needs x_train, y_train, x_test, y_test; or x, y"
    )


def _load(path: Path, key: str) -> NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            array: NDArray[Any] = archive[key]
            return array
    except DAMAGES as error:
        raise _damaged(path, error) from error


def _shape(path: Path, key: str) -> tuple[int, ...]:
    """Read the shape of one array from its header."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape: tuple[int, ...] = read(file)[0]
    except DAMAGES as error:
        raise _damaged(path, error) from error
    return shape


def _damaged(path: Path, error: BaseException) -> DataError:
    return DataError(f"{path}: cannot be read ({error}), a whole numpy archive without pickled objects is needed")


def _samples(array: NDArray[Any], key: str, path: Path) -> Samples:
    axes, shape = _layout(array.shape, key, path)
    if array.dtype != np.uint8:
        if not np.issubdtype(array.dtype, np.floating):
            raise DataError(
                f"{path}: {key} has type {array.dtype}, it must be uint8 (pixels) or floating point (taken as it is)"
            )
        with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused later
            array = array.astype(np.float32, copy=False)
    return np.ascontiguousarray(array.transpose(axes)).reshape(len(array), *shape)


def _layout(shape: tuple[int, ...], key: str, path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the order of axes that puts channels before pixels, and the shape of one sample thereafter."""
    if len(shape) == 2:
        return (0, 1), shape[1:]
    if len(shape) == 3:
        return (0, 1, 2), (1, *shape[1:])
    if len(shape) == 4 and shape[1] in (1, 3):
        return (0, 1, 2, 3), shape[1:]
    if len(shape) == 4 and shape[3] in (1, 3):
        return (0, 3, 1, 2), (shape[3], *shape[1:3])
    raise DataError(
        f"{path}: {key} has shape {shape}, it must be (N, features), (N, height, width), or (N, 1 or 3 channels, "
        "height, width) with the channels second or last"
    )


def _labels(array: NDArray[Any], key: str, path: Path) -> NDArray[np.int64]:
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{path}: {key} has type {array.dtype}, labels must be whole numbers")
    if array.ndim != 1 and not (array.ndim == 2 and array.shape[1] == 1):
        raise DataError(f"{path}: {key} has shape {array.shape}, labels must have shape (N,) or (N, 1)")
    return array.reshape(-1).astype(np.int64)


NPZ = Format(
    files="one .npz with x_train, y_train, x_test, y_test; or with x, y",
    matches=_matches,
    read=_read,
    describe=_describe,
)
