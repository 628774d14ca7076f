"""Checkpoints: what was written comes back, and a broken one is said to be broken."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workers.errors import RunDirectoryError
from workers.server.checkpoint import CheckpointMeta, load, load_meta, save

META = CheckpointMeta(version=7, clocks={"0": 3, "1": 4}, model="mlp", dataset="digits")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "checkpoint.npz"
    save(path, torch.arange(5.0), META)
    save(path, torch.arange(6.0), META)
    weights, meta = load(path)
    assert weights.tolist() == [0, 1, 2, 3, 4, 5]
    assert weights.dtype == torch.float32
    assert meta == load_meta(path) == META
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


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
