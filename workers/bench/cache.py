"""Results by content: a computation is done again only when something that decides about it has changed."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Record = dict[str, Any]

_HOUSE = ("predictor", "workers")
# Modules that say what there is, not how it behaves: they change with every addition. Their use is part of the key.
_CATALOGUES = ("predictor.policies", "predictor.forecasters", "predictor.spec", "workers.bench.peers")
_ROOTS = ("workers.bench.cells", "workers.bench.trainer", "predictor.simulator.entry")


def default_folder() -> Path:
    """Give the folder that is used unless another one is named: `bench` in FORESYNC_HOME."""
    return Path(os.environ.get("FORESYNC_HOME") or "~/.foresync").expanduser() / "bench"


class Cache:
    """A folder of JSON files, each named by the hash of its key. Several processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: Mapping[str, Any]) -> Record | None:
        """Give what is stored; None where there is nothing, or nothing that can be read."""
        try:
            value = json.loads(self._path(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def put(self, key: Mapping[str, Any], value: Record) -> None:
        """Store a value; a reader sees all of it or nothing."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(value, file)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    def get_or_make(self, key: Mapping[str, Any], make: Callable[[], Record]) -> Record:
        """Give what is stored, or make and store it."""
        value = self.get(key)
        if value is None:
            value = make()
            self.put(key, value)
        return value

    def _path(self, key: Mapping[str, Any]) -> Path:
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self._folder / name[:2] / f"{name}.json"


@lru_cache
def version_of(*modules: str) -> str:
    """Give a hash of the sources that decide about a run: these modules, the simulator, the trainer, all they import.

    The registries are not followed, so that a new policy leaves the results of the others as they are.
    """
    found: dict[str, Path] = {}
    waiting = [*modules, *_ROOTS]
    while waiting:
        module = waiting.pop()
        if module not in found and (path := _source(module)):
            found[module] = path
            waiting += [one for one in _imports(path) if one not in _CATALOGUES]
    digest = hashlib.sha256(np.__version__.encode())
    for module in sorted(found):
        digest.update(module.encode() + b"\0" + found[module].read_bytes() + b"\0")
    return digest.hexdigest()


def _source(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # `from module import name`, where the module is no package
        return None
    return Path(spec.origin) if spec and spec.origin else None


@lru_cache
def _imports(path: Path) -> tuple[str, ...]:
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    """Name the modules of the house that a source imports, and names in them that may be modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in _HOUSE)
