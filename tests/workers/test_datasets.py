"""Data sets: those known by name, and where files are looked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from predictor.spec import TaskSpec
from tests.workers.data_files import NUM_TRAIN, labels, load, write_idx
from workers import datasets
from workers.datasets import DATASETS, files
from workers.errors import DataError


def is_there(name: str) -> bool:
    try:
        datasets.describe(name, None)
    except DataError:
        return False
    return True


THERE = [name for name in DATASETS if is_there(name)]  # seen before the fixture hides what the machine has


@pytest.fixture(autouse=True)
def no_data_on_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "SYSTEM_DIR", tmp_path / "system")
    monkeypatch.delenv(files.DATA_DIR_VARIABLE, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    return path


def test_the_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    dataset, original = datasets.load(TaskSpec(dataset="digits")), load_digits()
    assert (len(dataset.train), len(dataset.test), dataset.train.divisor) == (1400, 397, 16)
    images = np.concatenate([dataset.train.samples, dataset.test.samples]).reshape(-1, 64)
    numbers = np.concatenate([dataset.train.labels, dataset.test.labels])
    found = sorted((image.tobytes(), int(number)) for image, number in zip(images, numbers, strict=True))
    expected = zip(original.data.astype(np.uint8), original.target, strict=True)
    assert found == sorted((image.tobytes(), int(number)) for image, number in expected)


def test_the_permutation_of_the_digits_is_fixed_for_ever() -> None:
    dataset = datasets.load(TaskSpec(dataset="digits"))
    digest = hashlib.sha256(dataset.train.samples.tobytes() + dataset.test.labels.tobytes()).hexdigest()
    assert digest == "2fa6bd51645657e36ce079d8b9ba8979f36ae1d7bb8d337b18843bbe10456028"


def test_the_digits_read_no_data_dir(folder: Path) -> None:
    with pytest.raises(DataError, match=r"'digits' comes with scikit-learn and reads no data_dir, got .*mine"):
        load(folder, "digits")


def test_the_digits_are_always_there() -> None:
    assert "digits" in THERE


@pytest.mark.parametrize("name", THERE)
def test_the_facts_of_a_known_data_set_are_true(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    dataset, facts = datasets.load(TaskSpec(dataset=name)), DATASETS[name].facts
    assert datasets.describe(name, None) == facts
    assert (dataset.sample_shape, dataset.num_classes) == (facts.sample_shape, facts.num_classes)
    assert (len(dataset.train), len(dataset.test)) == (facts.num_train, facts.num_test)
    assert np.bincount(dataset.train.labels).min() > 0.85 * facts.num_train / facts.num_classes


def test_a_name_is_looked_for_in_the_users_folder_before_the_systems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"not found, .*/system/fashion_mnist, .*/system/fashion-mnist .* is not set"):
        datasets.load(TaskSpec(dataset="fashion_mnist"))
    write_idx(tmp_path / "system" / "fashion-mnist")
    assert len(datasets.load(TaskSpec(dataset="fashion_mnist")).train) == NUM_TRAIN
    monkeypatch.setenv(files.DATA_DIR_VARIABLE, str(tmp_path / "users"))
    assert len(datasets.load(TaskSpec(dataset="fashion_mnist")).train) == NUM_TRAIN
    (tmp_path / "users" / "fashion_mnist").mkdir(parents=True)
    with pytest.raises(DataError, match=r"users/fashion_mnist: holds nothing, a folder of data needs"):
        datasets.load(TaskSpec(dataset="fashion_mnist"))
    np.savez(tmp_path / "users" / "table.npz", x=np.ones((10, 4)), y=labels(10))
    assert datasets.load(TaskSpec(dataset="table")).sample_shape == (4,)


def test_the_path_of_the_task_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> None:
    monkeypatch.setenv(files.DATA_DIR_VARIABLE, str(tmp_path / "users"))
    write_idx(tmp_path / "users" / "fashion_mnist")
    with pytest.raises(DataError, match=r"mine: holds nothing"):
        load(folder, "fashion_mnist")
    write_idx(folder, side=8)
    with pytest.raises(DataError, match=r"samples of shape \(1, 8, 8\) in 10 classes, fashion_mnist has \(1, 28, 28\)"):
        load(folder, "fashion_mnist")
    with pytest.raises(DataError, match="give other data a name of its own"):
        datasets.describe("fashion_mnist", str(folder))
    assert load(folder, "small clothes").name == "small clothes"


@pytest.mark.parametrize("name", ["cifar", "../mine", "/etc"])
def test_a_name_that_is_nowhere_is_refused_with_what_would_be_right(name: str, folder: Path) -> None:
    write_idx(folder)
    with pytest.raises(DataError, match=f"data set '{name}' was not found, .*choose one of digits, fashion_mnist"):
        datasets.load(TaskSpec(dataset=name))


def test_a_path_that_holds_no_data_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        load(folder / "nowhere")
    for number in range(7):
        (folder / f"photo{number}.jpg").touch()
    with pytest.raises(DataError, match=r"holds photo0\.jpg, photo1\.jpg, .* and 2 more, a folder of data needs"):
        load(folder)
    with pytest.raises(DataError, match=r"photo0\.jpg: is no \.npz file"):
        load(folder / "photo0.jpg")
