"""Checkpoints: what was written comes back, and a broken one is said to be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workers.errors import RunDirectoryError
from workers.server.checkpoint import CheckpointMeta, load, load_meta, load_velocity, save

META = CheckpointMeta(version=7, clocks={"0": 3, "1": 4}, model="mlp", dataset="digits")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "checkpoint.npz"
    save(path, torch.arange(5.0), META)
    save(path, torch.arange(6.0), META)
    weights, meta = load(path)
    assert weights.tolist() == [0, 1, 2, 3, 4, 5]
    assert weights.dtype == torch.float32
    assert meta == load_meta(path) == META
    assert load_velocity(path) is None
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


def test_a_velocity_is_kept_beside_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    save(path, torch.arange(3.0), META, velocity=torch.tensor([0.5, -1.0, 2.0]))
    weights, meta = load(path)
    velocity = load_velocity(path)
    assert velocity is not None
    assert (weights.tolist(), velocity.tolist(), meta) == ([0, 1, 2], [0.5, -1.0, 2.0], META)
    assert velocity.dtype == torch.float32
    save(path, torch.arange(3.0), META)  # another run without one
    assert load_velocity(path) is None


def test_one_that_is_missing_or_broken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(
        RunDirectoryError, match=r"there is no checkpoint at .*checkpoint.npz: the run cannot be resumed"
    ):
        load(path)
    save(path, torch.arange(1000.0), META)
    whole = path.read_bytes()
    for broken in (b"", b"PK\x03\x04 no archive", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(RunDirectoryError, match=r"the checkpoint .*checkpoint.npz cannot be read"):
            load(path)
