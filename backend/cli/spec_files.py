"""Specs as YAML files, of a run or of an experiment, with changes by dotted path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from backend.cli.errors import CliError
from backend.spec_text import EXPERIMENT_KEYS
from predictor.spec import RunSpec, expand, read_experiment, read_run


def read_file(path: Path, changes: Sequence[str] = ()) -> list[RunSpec]:
    """Read the spec of one run, or all runs that the spec of an experiment stands for, in their order.

    Args:
        path: a YAML (or JSON) file; what it leaves out takes its default.
        changes: "key=value", where the key is a dotted path of a run's spec and the value is YAML.

    Raises:
        CliError: the file or a change cannot be read.
        SpecError: a setting is wrong.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CliError(f"The spec {str(path)!r} cannot be read: {error.strerror}.", 2) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CliError(f"The spec {str(path)!r} is not YAML: {_first_line(error)}.", 2) from error
    data = {} if data is None else data
    if not isinstance(data, dict):
        raise CliError(f"The spec {str(path)!r} must be an object of settings, got {type(data).__name__}.", 2)
    if isinstance(data.get("experiment"), dict):  # a preset
        data = data["experiment"]
    if not EXPERIMENT_KEYS & set(data):
        for change in changes:
            _apply(data, change)
        return [read_run(data)]
    data = {"name": path.stem, **data}
    if not isinstance(data.setdefault("run", {}), dict):
        raise CliError(f"The spec {str(path)!r}: 'run' holds no settings.", 2)
    for change in changes:
        key = change.partition("=")[0]
        if key == "seed" or any(key == one or key.startswith(f"{one}.") for one in data.get("grid") or {}):
            raise CliError(f"--set {change!r}: the experiment gives {key!r} several values; change its file.", 2)
        _apply(data["run"], change)
    return expand(read_experiment(data))


def _apply(data: dict[str, Any], change: str) -> None:
    key, separator, text = change.partition("=")
    *parents, last = key.split(".")
    if not separator or not all((*parents, last)):
        raise CliError(f"--set takes KEY=VALUE, such as policy.threshold=5, got {change!r}.", 2)
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CliError(f"The value of --set {change!r} is not YAML: {_first_line(error)}.", 2) from error
    inner = data
    for parent in parents:
        inner = inner.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise CliError(f"--set {change!r}: {parent!r} holds no settings.", 2)
    inner[last] = value


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())
