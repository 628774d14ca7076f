"""Data sets: those known by name, one file each and one line here; all others are read from the user's files."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from predictor.spec import TaskSpec
from workers.datasets import files
from workers.datasets.base import Dataset, Description, Split
from workers.datasets.digits import Digits
from workers.datasets.fashion_mnist import FashionMnist
from workers.errors import DataError


class Source(Protocol):
    """A data set that is known by name. Both methods raise DataError if it cannot be used."""

    help: str
    facts: Description  # what it is when it is there
    reads_data_dir: bool

    def load(self, data_dir: str | None) -> Dataset: ...

    def describe(self, data_dir: str | None) -> Description:
        """Look at headers, sizes and labels only."""
        ...


DATASETS: dict[str, Source] = {
    "digits": Digits(),
    "fashion_mnist": FashionMnist(),
}


def load(task: TaskSpec) -> Dataset:
    """Load the data set of a task into memory; never from a network.

    Raises:
        DataError: it is missing, damaged or not fit for training; names the path, what was found and the wish.
    """
    source = DATASETS.get(task.dataset)
    if source is not None:
        return source.load(task.data_dir)
    return files.read(_locate(task.dataset, task.data_dir), task.dataset)


def describe(name: str, data_dir: str | None) -> Description:
    """Describe a data set without reading its samples.

    Raises:
        DataError: as `load`, as far as it can be seen.
    """
    source = DATASETS.get(name)
    if source is not None:
        return source.describe(data_dir)
    return files.describe(_locate(name, data_dir))


def _locate(name: str, data_dir: str | None) -> Path:
    try:
        return files.locate(name, data_dir)
    except DataError as error:
        if data_dir is not None:
            raise
        raise DataError(f"{error}, or choose one of {', '.join(DATASETS)}") from error


__all__ = ["DATASETS", "Dataset", "Description", "Source", "Split", "describe", "load"]
