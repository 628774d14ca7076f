"""Data sets in files: where they are looked for, and which format they have.

The search: the path that the user gives (`data_dir`); else NAME or NAME.npz in $FORESYNC_DATA_DIR; else NAME in
/usr/share/datasets, where Debian's packages put theirs. The first that exists is taken. Nothing is ever downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from workers.datasets.base import Dataset, Description, checked
from workers.datasets.formats import FORMATS, Format
from workers.errors import DataError

DATA_DIR_VARIABLE = "FORESYNC_DATA_DIR"
SYSTEM_DIR = Path("/usr/share/datasets")

T = TypeVar("T")


def locate(name: str, data_dir: str | Path | None) -> Path:
    """Find the file or folder of a data set.

    Raises:
        DataError: it is in none of the places; the sentence names them.
    """
    if data_dir is not None:
        path = Path(data_dir).expanduser()
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder, give the path of your data")
        return path
    candidates = _candidates(name)
    for path in candidates:
        if path.exists():
            return path
    hint = "" if os.environ.get(DATA_DIR_VARIABLE) else f" (${DATA_DIR_VARIABLE} is not set)"
    raise DataError(
        f"data set {name!r} was not found, looked for {', '.join(map(str, candidates)) or 'nothing'}{hint}: "
        "give the path of the data as data_dir"
    )


def read(path: Path, name: str) -> Dataset:
    """Read and check the data set at `path`, in whichever format it has.

    Raises:
        DataError: no known format, damaged, or not fit for training.
    """
    return checked(_guarded(path, lambda: _format(path).read(path, name)), path)


def describe(path: Path) -> Description:
    """Describe the data set at `path` from headers, sizes and labels.

    Raises:
        DataError: no known format, or seen to be damaged.
    """
    return _guarded(path, lambda: _format(path).describe(path))


def own_datasets() -> dict[str, Path]:
    """Give name and path of everything in $FORESYNC_DATA_DIR that may be a data set: folders and .npz files."""
    root = os.environ.get(DATA_DIR_VARIABLE)
    if not root or not Path(root).is_dir():
        return {}
    return {
        path.name.removesuffix(".npz"): path
        for path in sorted(Path(root).iterdir())
        if not path.name.startswith(".") and (path.is_dir() or path.suffix == ".npz")
    }


def _candidates(name: str) -> list[Path]:
    if Path(name).name != name:  # a name is no path: it may not lead out of the folders
        return []
    spellings = list(dict.fromkeys((name, name.replace("_", "-"))))
    paths = [SYSTEM_DIR / spelling for spelling in spellings]
    root = os.environ.get(DATA_DIR_VARIABLE)
    if root:
        paths = [Path(root).expanduser() / (s + end) for s in spellings for end in ("", ".npz")] + paths
    return paths


def _format(path: Path) -> Format:
    for one in FORMATS.values():
        if one.matches(path):
            return one
    wishes = "; or ".join(one.files for one in FORMATS.values())
    if not path.is_dir():
        raise DataError(f"{path}: is no .npz file, give the path of one, or of a folder with {wishes}")
    names = sorted(entry.name for entry in path.iterdir())
    found = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    raise DataError(f"{path}: holds {found or 'nothing'}, a folder of data needs {wishes}")


def _guarded(path: Path, read_it: Callable[[], T]) -> T:
    try:
        return read_it()
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read ({error.strerror or error})") from error
