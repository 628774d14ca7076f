"""Checkpoints: the global weights and the state of the gate in one npz file, replaced atomically."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from workers.errors import RunDirectoryError


@dataclass(frozen=True, slots=True)
class CheckpointMeta:
    """What stands beside the weights."""

    version: int
    clocks: dict[str, int]  # worker -> iterations whose updates are in the weights
    model: str
    dataset: str


def save(path: Path, weights: torch.Tensor, meta: CheckpointMeta) -> None:
    """Write the checkpoint so that a crash at any moment leaves the old or the new one, whole.

    Raises:
        OSError: the disk is full or fails; the old checkpoint stays.
    """
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, weights=weights.numpy(), meta=np.array(json.dumps(asdict(meta))))
            _sync(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def load(path: Path) -> tuple[torch.Tensor, CheckpointMeta]:
    """Read a checkpoint.

    Raises:
        RunDirectoryError: there is none, or it cannot be read.
    """
    weights, meta = _read(path, with_weights=True)
    assert weights is not None
    return torch.from_numpy(weights), meta


def load_meta(path: Path) -> CheckpointMeta:
    """Read what stands beside the weights, without reading them.

    Raises:
        RunDirectoryError: as `load`.
    """
    return _read(path, with_weights=False)[1]


def _read(path: Path, with_weights: bool) -> tuple[np.ndarray | None, CheckpointMeta]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            meta = CheckpointMeta(**json.loads(str(archive["meta"])))
            return (archive["weights"] if with_weights else None), meta
    except FileNotFoundError as error:
        raise RunDirectoryError(f"there is no checkpoint at {path}: the run cannot be resumed") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise RunDirectoryError(f"the checkpoint {path} cannot be read: {error}") from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
