"""Checkpoints: the global weights, their velocity and the state of the gate in one npz file, replaced atomically."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

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


def save(path: Path, weights: torch.Tensor, meta: CheckpointMeta, velocity: torch.Tensor | None = None) -> None:
    """Write the checkpoint so that a crash at any moment leaves the old or the new one, whole.

    Args:
        path: of the file; its directory is made.
        weights: flat float32.
        meta: what stands beside them.
        velocity: of the weights, of the same length; None: they have none.

    Raises:
        OSError: the disk is full or fails; the old checkpoint stays.
    """
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".partial")
    arrays: dict[str, Any] = {"weights": weights.numpy(), "meta": np.array(json.dumps(asdict(meta)))}
    if velocity is not None:
        arrays["velocity"] = velocity.numpy()
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
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
    weights, meta = _read(path, "weights")
    if weights is None:
        raise RunDirectoryError(f"the checkpoint {path} cannot be read: it holds no weights")
    return torch.from_numpy(weights), meta


def load_velocity(path: Path) -> torch.Tensor | None:
    """Read the velocity of the weights; None: they had none when the checkpoint was written.

    Raises:
        RunDirectoryError: as `load`.
    """
    velocity, _ = _read(path, "velocity")
    return None if velocity is None else torch.from_numpy(velocity)


def load_meta(path: Path) -> CheckpointMeta:
    """Read what stands beside the weights, without reading them.

    Raises:
        RunDirectoryError: as `load`.
    """
    return _read(path)[1]


def _read(path: Path, vector: str = "") -> tuple[np.ndarray | None, CheckpointMeta]:
    """Read one of the vectors, None where there is no such one, and what stands beside them."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            meta = CheckpointMeta(**json.loads(str(archive["meta"])))
            return archive.get(vector), meta
    except FileNotFoundError as error:
        raise RunDirectoryError(f"there is no checkpoint at {path}: the run cannot be resumed") from error
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise RunDirectoryError(f"the checkpoint {path} cannot be read: {error}") from error


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
