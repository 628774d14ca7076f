"""IDX, the format of MNIST and its successors: four files, raw or gzipped, of unsigned bytes.

A file is: two zero bytes, the type (8 = unsigned byte), the number of dimensions, each dimension as a
big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from workers.datasets.base import Dataset, Description, Split, count_classes
from workers.datasets.formats.base import Format
from workers.errors import DataError

UNSIGNED_BYTE = 8
MAX_DEFLATE_RATIO = 1032  # zlib's own limit, so that a wrong header cannot ask for terabytes
NAMES = ("{}-images-idx3-ubyte", "{}-images.idx3-ubyte"), ("{}-labels-idx1-ubyte", "{}-labels.idx1-ubyte")
SPLITS = ("train", "t10k")  # what MNIST calls its training and test set


def _matches(path: Path) -> bool:
    return path.is_dir() and any(_candidates(path, names, split) for names in NAMES for split in SPLITS)


def _read(path: Path, name: str) -> Dataset:
    train, test = (_read_split(path, split) for split in SPLITS)
    return Dataset(name, train, test, count_classes(train.labels, path))


def _describe(path: Path) -> Description:
    shapes = [_shape(_find(path, NAMES[0], split), num_dimensions=3) for split in SPLITS]
    labels = _array(_find(path, NAMES[1], SPLITS[0]), num_dimensions=1)
    return Description((1, *shapes[0][1:]), shapes[0][0], shapes[1][0], count_classes(labels.astype(np.int64), path))


def _read_split(path: Path, split: str) -> Split:
    images = _array(_find(path, NAMES[0], split), num_dimensions=3)
    labels = _array(_find(path, NAMES[1], split), num_dimensions=1)
    return Split(images[:, None], labels.astype(np.int64), divisor=255)


def _candidates(path: Path, names: tuple[str, ...], split: str) -> list[Path]:
    paths = [path / (name.format(split) + suffix) for name in names for suffix in ("", ".gz")]
    return [one for one in paths if one.is_file()]


def _find(path: Path, names: tuple[str, ...], split: str) -> Path:
    candidates = _candidates(path, names, split)
    if not candidates:
        raise DataError(f"{path}: the file {names[0].format(split)} (or .gz) is missing, IDX data needs all four files")
    return candidates[0]


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _shape(path: Path, num_dimensions: int) -> tuple[int, ...]:
    """Read the header alone.

    Raises:
        DataError: it cannot be read, or is not that of an IDX file with so many dimensions.
    """
    try:
        with _open(path) as file:
            return _read_header(file, path, num_dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}), a whole IDX file is needed") from error


def _array(path: Path, num_dimensions: int) -> NDArray[np.uint8]:
    try:
        with _open(path) as file:
            shape = _read_header(file, path, num_dimensions)
            num_values = math.prod(shape)
            limit = path.stat().st_size * (MAX_DEFLATE_RATIO if path.suffix == ".gz" else 1)
            values = file.read(num_values + 1) if num_values <= limit else b""
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error}), a whole IDX file is needed") from error
    if len(values) != num_values:
        found = "more" if len(values) > num_values else "fewer"
        raise DataError(
            f"{path}: the header promises {' x '.join(map(str, shape))} = {num_values} values, but the file holds "
            f"{found}; a file that is whole is needed"
        )
    return np.frombuffer(values, np.uint8).reshape(shape)


def _read_header(file: IO[bytes], path: Path, num_dimensions: int) -> tuple[int, ...]:
    magic = file.read(4)
    wanted = bytes([0, 0, UNSIGNED_BYTE, num_dimensions])
    if magic != wanted:
        raise DataError(f"{path}: begins with {magic.hex() or 'nothing'}, such an IDX file begins with {wanted.hex()}")
    sizes = file.read(4 * num_dimensions)
    if len(sizes) != 4 * num_dimensions:
        raise DataError(f"{path}: ends within its header, a file that is whole is needed")
    return struct.unpack(f">{num_dimensions}I", sizes)


IDX = Format(
    files="train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (or .gz)",
    matches=_matches,
    read=_read,
    describe=_describe,
)
