"""Fashion-MNIST (Xiao et al. 2017): 60,000 + 10,000 images of 28 x 28 pixels, ten kinds of clothes."""

from __future__ import annotations

from pathlib import Path

from workers.datasets import files
from workers.datasets.base import Dataset, Description
from workers.errors import DataError

NAME = "fashion_mnist"


class FashionMnist:
    """Read from IDX files, such as Debian's package `dataset-fashion-mnist` installs."""

    help = "Clothes of 28 x 28 pixels; Debian's package dataset-fashion-mnist, or IDX files of your own."
    reads_data_dir = True
    facts = Description((1, 28, 28), num_train=60_000, num_test=10_000, num_classes=10)

    def load(self, data_dir: str | None) -> Dataset:
        path = _locate(data_dir)
        dataset = files.read(path, NAME)
        _check(path, dataset.sample_shape, dataset.num_classes)
        return dataset

    def describe(self, data_dir: str | None) -> Description:
        path = _locate(data_dir)
        description = files.describe(path)
        _check(path, description.sample_shape, description.num_classes)
        return description


def _locate(data_dir: str | None) -> Path:
    try:
        return files.locate(NAME, data_dir)
    except DataError as error:
        if data_dir is not None:
            raise
        raise DataError(f"{error}, or install Debian's package dataset-fashion-mnist") from error


def _check(path: object, sample_shape: tuple[int, ...], num_classes: int) -> None:
    if (sample_shape, num_classes) != (FashionMnist.facts.sample_shape, FashionMnist.facts.num_classes):
        raise DataError(
            f"{path}: holds samples of shape {sample_shape} in {num_classes} classes, fashion_mnist has (1, 28, 28) "
            "in 10: give other data a name of its own"
        )
