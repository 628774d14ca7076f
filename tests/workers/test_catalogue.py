"""The catalogue: what the form of the browser offers, and why it does not offer the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from predictor.spec import TaskSpec
from tests.workers.data_files import write_idx, write_npz_of_two
from workers import datasets
from workers.catalogue import catalogue
from workers.datasets import DATASETS, files
from workers.errors import DataError
from workers.models import MODELS, build, fits


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give an empty $FORESYNC_DATA_DIR on a machine without data sets of its own."""
    path = tmp_path / "users"
    path.mkdir()
    torch.set_num_threads(1)  # a process that has computed with more must not be forked
    monkeypatch.setattr(files, "SYSTEM_DIR", tmp_path / "system")
    monkeypatch.setenv(files.DATA_DIR_VARIABLE, str(path))
    return path


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {dataset["name"]: dataset for dataset in answer["datasets"]}


def test_every_registered_model_and_data_set_is_listed(users: Path) -> None:
    answer = catalogue(None)
    assert [model["name"] for model in answer["models"]] == list(MODELS)
    assert [dataset["name"] for dataset in answer["datasets"]] == list(DATASETS)


def test_a_data_set_that_is_not_there_is_listed_with_the_reason_that_a_run_would_give(users: Path) -> None:
    answer = catalogue(None)
    clothes = by_name(answer)["fashion_mnist"]
    with pytest.raises(DataError) as refusal:
        datasets.load(TaskSpec(dataset="fashion_mnist"))
    assert clothes["is_available"] is False
    assert clothes["reason"] == str(refusal.value)
    assert "install Debian's package dataset-fashion-mnist" in clothes["reason"]
    assert (clothes["sample_shape"], clothes["num_train"], clothes["num_classes"]) == ([1, 28, 28], 60_000, 10)
    assert not any(pair.endswith("/fashion_mnist") for pair in answer["step_s"])


def test_the_users_own_data_is_listed_by_name(users: Path) -> None:
    write_idx(users / "fashion-mnist")
    write_idx(users / "small", side=8)
    write_idx(users / "torn", side=8)
    (users / "torn" / "t10k-images-idx3-ubyte").write_bytes(b"")
    np.savez(users / "table.npz", x=np.ones((10, 4)), y=np.arange(10) % 3)
    (users / ".hidden").mkdir()
    (users / "notes.txt").touch()
    listed = by_name(catalogue(None))
    assert list(listed) == ["digits", "fashion_mnist", "small", "table", "torn"]
    assert listed["fashion_mnist"]["is_available"]
    assert listed["fashion_mnist"]["num_train"] == 20
    assert listed["small"]["models"] == ["mlp", "resnet8"]
    assert (listed["table"]["sample_shape"], listed["table"]["models"]) == ([4], ["mlp"])
    assert (listed["torn"]["is_available"], listed["torn"]["models"]) == (False, [])
    assert "begins with nothing" in listed["torn"]["reason"]


@pytest.mark.parametrize("name", ["digits", "fashion_mnist", "table"])
def test_data_that_is_given_by_path_comes_last_whatever_its_name(name: str, users: Path, tmp_path: Path) -> None:
    for path, num_samples in ((users / "table.npz", 10), (users / "zoo.npz", 10), (tmp_path / f"{name}.npz", 15)):
        np.savez(path, x=np.ones((num_samples, 4)), y=np.arange(num_samples) % 3)
    last = catalogue(tmp_path / f"{name}.npz")["datasets"][-1]
    assert (last["name"], last["is_available"], last["reason"]) == (name, True, "")
    assert (last["num_train"], last["num_test"]) == (12, 3)


def test_every_offered_pair_can_be_built_and_has_its_cost(users: Path) -> None:
    write_idx(users / "fashion_mnist")
    answer = catalogue(None)
    pairs = set()
    for dataset in answer["datasets"]:
        shape = tuple(dataset["sample_shape"])
        for model in dataset["models"]:
            build(model, shape, dataset["num_classes"], seed=0)
            pairs.add(f"{model}/{dataset['name']}")
        assert all((fits(model, shape) is None) == (model in dataset["models"]) for model in MODELS)
    assert pairs == {
        "mlp/digits",
        "resnet8/digits",
        "mlp/fashion_mnist",
        "lenet5/fashion_mnist",
        "resnet8/fashion_mnist",
    }
    assert set(answer["step_s"]) <= pairs  # on a slow machine the budget ends before the last pair
    assert "mlp/digits" in answer["step_s"]
    assert all(0 < cost < 60 for cost in answer["step_s"].values())


def test_the_program_prints_one_json_object(users: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my table"
    mine.mkdir()
    write_npz_of_two(mine)
    command = [sys.executable, "-m", "workers", "catalogue", "--data-dir", str(mine)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert set(answer) == {"models", "datasets", "versions", "step_s"}
    assert set(answer["versions"]) == {"python", "torch"}
    listed = by_name(answer)
    assert listed["my table"]["is_available"]
    assert (listed["my table"]["num_train"], listed["my table"]["num_test"]) == (21, 5)
    assert listed["digits"] == {
        "name": "digits",
        "help": DATASETS["digits"].help,
        "reads_data_dir": False,
        "is_available": True,
        "reason": "",
        "sample_shape": [1, 8, 8],
        "num_train": 1400,
        "num_test": 397,
        "num_classes": 10,
        "models": ["mlp", "resnet8"],
    }
