"""File formats: what is read is what was written, and every damage is one sentence."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.data_files import (
    IDX_FILES,
    NUM_TEST,
    NUM_TRAIN,
    WRITERS,
    idx_arrays,
    idx_bytes,
    labels,
    load,
    pixels,
    write_cifar10_binary,
    write_cifar10_pickle,
    write_idx,
    write_idx_gz,
    write_npz,
)
from workers import datasets
from workers.datasets import Dataset
from workers.datasets.formats import FORMATS
from workers.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    return path


# ---- the contract of formats -----------------------------------------------------------------------------------


def test_every_format_has_a_writer_here() -> None:
    assert {name.split()[0] for name in WRITERS} == set(FORMATS)


@pytest.mark.parametrize("writer", WRITERS)
def test_the_description_agrees_with_what_is_loaded(writer: str, folder: Path) -> None:
    WRITERS[writer](folder)
    dataset, description = load(folder), datasets.describe("mine", str(folder))
    assert dataset.name == "mine"
    assert dataset.sample_shape == dataset.test.samples.shape[1:] == description.sample_shape
    assert dataset.num_classes == description.num_classes == 10
    assert (len(dataset.train), len(dataset.test)) == (description.num_train, description.num_test)
    assert len(dataset.train) + len(dataset.test) == NUM_TRAIN + NUM_TEST
    for split in (dataset.train, dataset.test):
        assert split.labels.dtype == np.int64
        assert split.samples.dtype in (np.uint8, np.float32)
        assert split.divisor == (255 if split.samples.dtype == np.uint8 else 1)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_one_sentence_with_its_path(writer: str, share: float, folder: Path) -> None:
    WRITERS[writer](folder)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(DataError) as refusal:
            load(folder)
        assert str(refusal.value).startswith(str(path if path.stat().st_size else folder))
        assert "\n" not in str(refusal.value)
        path.write_bytes(whole)
    load(folder)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_missing_file_is_one_sentence(writer: str, folder: Path) -> None:
    WRITERS[writer](folder)
    for path in sorted(folder.iterdir())[1:]:
        whole = path.read_bytes()
        path.unlink()
        if path.name.startswith("data_batch_2"):
            assert len(load(folder).train) == 12  # fewer batches are a smaller data set
        else:
            with pytest.raises(DataError, match=f"^{folder}: .*{path.stem.split('-idx')[0]}.*needs"):
                load(folder)
        path.write_bytes(whole)


# ---- IDX -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", [write_idx, write_idx_gz])
def test_idx_gives_what_was_written(writer: Callable[[Path], None], folder: Path) -> None:
    writer(folder)
    dataset, written = load(folder), idx_arrays()
    for split, kind in ((dataset.train, "train"), (dataset.test, "t10k")):
        assert np.array_equal(split.samples[:, 0], written[f"{kind}-images-idx3-ubyte"])
        assert np.array_equal(split.labels, written[f"{kind}-labels-idx1-ubyte"])


def test_idx_files_may_have_the_dotted_names(folder: Path) -> None:
    for name, array in idx_arrays().items():
        (folder / name.replace("-idx", ".idx")).write_bytes(idx_bytes(array))
    assert len(load(folder).train) == NUM_TRAIN


@pytest.mark.parametrize(
    ("file", "content", "wish"),
    [
        (0, b"", "begins with nothing, such an IDX file begins with 00000803"),
        (0, b"\x89PNG....", "begins with 89504e47, such an IDX file begins with 00000803"),
        (0, idx_bytes(labels(20)), "begins with 00000801, such an IDX file begins with 00000803"),
        (1, idx_bytes(pixels(20, 1, 1)), "begins with 00000803, such an IDX file begins with 00000801"),
        (0, bytes([0, 0, 8, 3, 0, 0]), "ends within its header"),
        (0, bytes([0, 0, 8, 3]) + b"\xff" * 12, "but the file holds fewer; a file that is whole is needed"),
        (0, idx_bytes(pixels(20, 28, 28)) + b"x", "20 x 28 x 28 = 15680 values, but the file holds more"),
        (1, idx_bytes(labels(19)), "the training set has 20 samples but 19 labels, each sample needs one"),
        (3, idx_bytes(labels(7)), "the test set has 6 samples but 7 labels, each sample needs one"),
        (3, idx_bytes(labels(6) + 5), r"the test set has the label 10, labels must lie in 0\.\.9"),
        (1, idx_bytes(labels(0)), "there are no labels, at least one sample is needed"),
        (1, idx_bytes(labels(20) * 0), "all labels are 0, at least the classes 0 and 1 are needed"),
        (2, idx_bytes(pixels(6, 28, 27)), r"have shape \(1, 28, 28\) but test samples \(1, 28, 27\)"),
    ],
)
def test_wrong_idx_is_refused(file: int, content: bytes, wish: str, folder: Path) -> None:
    write_idx(folder)
    (folder / IDX_FILES[file]).write_bytes(content)
    with pytest.raises(DataError, match=wish):
        load(folder)


def test_empty_idx_is_refused(folder: Path) -> None:
    write_idx(folder)
    for name, array in idx_arrays().items():
        if name.startswith("t10k"):
            (folder / name).write_bytes(idx_bytes(array[:0]))
    with pytest.raises(DataError, match="the test set is empty, at least one sample is needed"):
        load(folder)


def test_a_gz_that_is_none_or_promises_terabytes_is_refused(folder: Path) -> None:
    write_idx_gz(folder)
    path = folder / f"{IDX_FILES[0]}.gz"
    path.write_bytes(b"not gzip at all")
    with pytest.raises(DataError, match=r"cannot be read \(Not a gzipped file"):
        load(folder)
    with pytest.raises(DataError, match="cannot be read"):
        datasets.describe("mine", str(folder))
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 12))
    with pytest.raises(DataError, match="holds fewer"):
        load(folder)


# ---- CIFAR-10 --------------------------------------------------------------------------------------------------


def assert_is_cifar10(dataset: Dataset) -> None:
    written = np.concatenate([pixels(12, 3072), pixels(8, 3072)]).reshape(-1, 3, 32, 32)
    assert np.array_equal(dataset.train.samples, written)
    assert dataset.train.labels.tolist() == [*labels(12), *labels(8)]
    assert np.array_equal(dataset.test.samples, pixels(NUM_TEST, 3, 32, 32))
    assert dataset.num_classes == 10


def test_cifar10_binary_gives_what_was_written(folder: Path) -> None:
    write_cifar10_binary(folder)
    assert_is_cifar10(load(folder))


def test_cifar10_binary_with_a_gap_or_a_wild_label_is_refused(folder: Path) -> None:
    write_cifar10_binary(folder)
    (folder / "data_batch_2.bin").rename(folder / "data_batch_3.bin")
    with pytest.raises(DataError, match=r"data_batch_2\.bin is missing, all batches up to the last are needed"):
        load(folder)
    (folder / "data_batch_3.bin").write_bytes(b"\x00" * 3074)
    (folder / "data_batch_3.bin").rename(folder / "data_batch_2.bin")
    with pytest.raises(DataError, match=r"data_batch_2\.bin: holds 3074 bytes, .* a multiple of 3073"):
        datasets.describe("mine", str(folder))
    (folder / "data_batch_2.bin").write_bytes(b"\x0a" * 3073)
    with pytest.raises(DataError, match="the training set has the label 10"):
        load(folder)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("key", [str, str.encode])
def test_cifar10_pickles_of_python_3_are_read(protocol: int, key: Callable[[str], Any], folder: Path) -> None:
    write_cifar10_pickle(folder, key, protocol)
    assert_is_cifar10(load(folder))


def test_cifar10_pickles_of_python_2_are_read(folder: Path) -> None:
    # What Python 2 wrote, and what is published: text is bytes (opcodes U and T), numbers are K and M.
    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<I", len(value)) + value

    for name, num in (("data_batch_1", 12), ("data_batch_2", 8), ("test_batch", NUM_TEST)):
        array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
        dtype = (
            b"cnumpy\ndtype\n"
            + text(b"u1")
            + b"K\x00K\x01\x87R(K\x03"
            + text(b"|")
            + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        )
        state = (
            b"(K\x01K" + bytes([num]) + b"M\x00\x0c\x86" + dtype + b"\x89" + text(pixels(num, 3072).tobytes()) + b"tb"
        )
        numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels(num).tolist()) + b"e"
        content = b"\x80\x02}(" + text(b"data") + array + state + text(b"labels") + numbers + b"u."
        assert np.array_equal(pickle.loads(content, encoding="bytes")[b"data"], pixels(num, 3072))
        (folder / name).write_bytes(content)
    assert_is_cifar10(load(folder))


class Attack:
    """A pickle that makes a folder when it is loaded by one who trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_runs_no_code(folder: Path, tmp_path: Path) -> None:
    write_cifar10_pickle(folder)
    trap = tmp_path / "trap"
    attack = pickle.dumps({"data": Attack(trap), "labels": []})
    (folder / "test_batch").write_bytes(attack)
    with pytest.raises(DataError, match=r"test_batch: is not a usable batch of CIFAR-10 \(it names posix\.mkdir\)"):
        load(folder)
    assert not trap.exists()
    pickle.loads(attack)
    assert trap.exists(), "the attack was none"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (["no dictionary"], "has no attribute"),
        ({"labels": [1]}, "'data'"),
        ({"data": [[1]], "labels": [1]}, "data is a list"),
        ({"data": np.zeros((1, 3072)), "labels": [1]}, "data has type .*f8"),
        ({"data": pixels(1, 3073), "labels": [1]}, r"data has shape \(1, 3073\)"),
        ({"data": pixels(1, 3072), "labels": ["cat"]}, "invalid literal"),
        ({"data": np.array([[{}]]), "labels": [1]}, "data has type .*O8"),
    ],
)
def test_a_pickle_of_something_else_is_refused(content: object, found: str, folder: Path) -> None:
    write_cifar10_pickle(folder)
    (folder / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(DataError, match=rf"data_batch_1: is not a usable batch of CIFAR-10 \(.*{found}"):
        load(folder)


def test_a_pickled_array_in_column_order_is_read(folder: Path) -> None:
    write_cifar10_pickle(folder)
    content = {"data": np.asfortranarray(pixels(12, 3072)), "labels": labels(12).tolist()}
    (folder / "data_batch_1").write_bytes(pickle.dumps(content, protocol=2))
    assert_is_cifar10(load(folder))


# ---- npz -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [((7,), (7,)), ((9, 8), (1, 9, 8)), ((1, 9, 8), (1, 9, 8)), ((3, 9, 8), (3, 9, 8)), ((9, 8, 3), (3, 9, 8))],
)
def test_npz_may_have_any_usual_layout(written: tuple[int, ...], read: tuple[int, ...], folder: Path) -> None:
    write_npz(folder, x_train=pixels(NUM_TRAIN, *written), x_test=pixels(NUM_TEST, *written))
    dataset = load(folder)
    assert dataset.sample_shape == datasets.describe("mine", str(folder)).sample_shape == read
    assert dataset.train.samples.sum() == pixels(NUM_TRAIN, *written).sum()
    if written == (9, 8, 3):
        assert np.array_equal(dataset.train.samples[4, 2], pixels(NUM_TRAIN, 9, 8, 3)[4, :, :, 2])


def test_npz_may_be_given_as_a_file(folder: Path) -> None:
    write_npz(folder)
    assert np.array_equal(load(folder / "mine.npz").train.samples, load(folder).train.samples)


def test_npz_without_a_test_set_holds_back_the_same_fifth_for_ever(folder: Path) -> None:
    np.savez(folder / "mine.npz", x=np.arange(50.0)[:, None], y=np.arange(50) % 5)
    one, again = load(folder), load(folder)
    assert len(one.test) == 10
    assert np.array_equal(one.test.samples, again.test.samples)
    together = np.concatenate([one.train.samples, one.test.samples]).ravel()
    assert sorted(together.tolist()) == list(range(50))
    assert np.array_equal(one.train.samples.ravel() % 5, one.train.labels)
    assert one.train.samples.dtype == np.float32
    assert one.test.labels.tolist() != [40 % 5 + i % 5 for i in range(10)], "the last ten, in order"


@pytest.mark.parametrize(
    ("changes", "wish"),
    [
        ({"x_test": None}, r"holds the arrays x_train, y_train, y_test, it needs x_train, .*; or x, y"),
        ({"x_train": np.array([{}] * 20)}, "without pickled objects"),
        ({"x_train": pixels(20, 9, 8).astype(np.int32)}, "x_train has type int32, it must be uint8"),
        ({"x_train": pixels(20, 9, 8) / 255}, "x_train has type float64 but x_test uint8, they must be alike"),
        ({"x_train": pixels(20)}, r"x_train has shape \(20,\), it must be"),
        ({"x_train": pixels(20, 2, 9, 8)}, r"x_train has shape \(20, 2, 9, 8\), it must be"),
        ({"x_train": pixels(20, 0), "x_test": pixels(6, 0)}, r"samples have shape \(0,\), no side may be 0"),
        ({"x_train": pixels(0, 9, 8)}, "the training set is empty"),
        ({"x_train": np.full((20, 9, 8), np.nan), "x_test": np.zeros((6, 9, 8))}, "has 1440 values that are NaN"),
        ({"x_train": np.full((20, 9, 8), 1e300), "x_test": np.zeros((6, 9, 8))}, "NaN or infinite, none may be"),
        ({"y_train": labels(20) / 1}, "y_train has type float64, labels must be whole numbers"),
        ({"y_train": np.eye(20, dtype=int)}, r"y_train has shape \(20, 20\), labels must have shape"),
        ({"y_train": labels(21)}, "20 samples but 21 labels"),
        ({"y_train": labels(20) - 1}, "the training set has the label -1, labels must lie in 0..8"),
        ({"y_test": labels(6) + 99}, "the test set has the label 104, labels must lie in 0..9"),
        ({"y_train": labels(20) * 10**9}, "the largest label is 9000000000, it must be < 10000"),
        ({"y_train": labels(20) * 0}, "all labels are 0"),
    ],
)
def test_wrong_npz_is_refused(changes: dict[str, Any], wish: str, folder: Path) -> None:
    write_npz(folder, **changes)
    with pytest.raises(DataError, match=wish):
        load(folder)


def test_npz_of_two_with_labels_missing_is_refused(folder: Path) -> None:
    np.savez(folder / "mine.npz", x=pixels(20, 4), y=labels(19))
    with pytest.raises(DataError, match="has 20 samples but 19 labels, each sample needs one"):
        load(folder)


def test_a_file_that_is_no_archive_is_refused(folder: Path) -> None:
    (folder / "mine.npz").write_text("hello")
    with pytest.raises(DataError, match=r"mine\.npz: cannot be read"):
        load(folder)
    buffer = io.BytesIO()
    np.save(buffer, pixels(3, 3))
    (folder / "mine.npz").write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match=r"mine\.npz: cannot be read"):
        load(folder)
