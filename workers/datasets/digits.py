"""The digits of scikit-learn (Alpaydin & Kaynak 1998): 1,797 images of 8 x 8 pixels with values 0 to 16."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from workers.datasets.base import Dataset, Description, checked, fixed_split
from workers.errors import DataError

NUM_SAMPLES = 1797
NUM_TEST = 397
MAX_VALUE = 16.0


class Digits:
    """The data set that is always there, since it comes with scikit-learn."""

    help = "Handwritten digits of 8 x 8 pixels, from scikit-learn; always there, trains in seconds."
    reads_data_dir = False
    facts = Description((1, 8, 8), NUM_SAMPLES - NUM_TEST, NUM_TEST, num_classes=10)

    def load(self, data_dir: str | None) -> Dataset:
        _refuse(data_dir)
        path = _path()
        try:
            table = np.loadtxt(path, delimiter=",", dtype=np.float32)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: cannot be read ({error}), install scikit-learn anew") from error
        images, labels = table[:, :-1].astype(np.uint8).reshape(-1, 1, 8, 8), table[:, -1].astype(np.int64)
        train, test = fixed_split(images, labels, NUM_TEST, MAX_VALUE)
        return checked(Dataset("digits", train, test, num_classes=10), path)

    def describe(self, data_dir: str | None) -> Description:
        _refuse(data_dir)
        _path()
        return self.facts


def _path() -> Path:
    """Find the table inside scikit-learn without importing it, which takes seconds and 75 MiB in every process."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("data set 'digits' comes with scikit-learn, which is not installed: install it")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    if not path.is_file():
        raise DataError(f"{path}: is missing, install scikit-learn anew")
    return path


def _refuse(data_dir: str | None) -> None:
    if data_dir is not None:
        raise DataError(
            f"data set 'digits' comes with scikit-learn and reads no data_dir, got {data_dir!r}: "
            "give your data a name of its own"
        )
