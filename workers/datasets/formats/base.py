"""What a file format is to the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workers.datasets.base import Dataset, Description


@dataclass(frozen=True)
class Format:
    """One way in which data sets are stored. `read` and `describe` raise DataError for files that are damaged."""

    files: str  # the files that it needs, in words
    matches: Callable[[Path], bool]  # does this file or folder hold the format? Looks at names only
    read: Callable[[Path, str], Dataset]  # (path, name of the data set) -> unchecked data set
    describe: Callable[[Path], Description]  # looks at headers, sizes and labels only
