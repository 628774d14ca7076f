"""File formats of data sets: one file each, one line for each here. The first that matches is taken."""

from __future__ import annotations

from workers.datasets.formats.base import Format
from workers.datasets.formats.cifar10_binary import CIFAR10_BINARY
from workers.datasets.formats.cifar10_pickle import CIFAR10_PICKLE
from workers.datasets.formats.idx import IDX
from workers.datasets.formats.npz import NPZ

FORMATS: dict[str, Format] = {
    "idx": IDX,
    "cifar10_binary": CIFAR10_BINARY,
    "cifar10_pickle": CIFAR10_PICKLE,
    "npz": NPZ,
}

__all__ = ["FORMATS", "Format"]
