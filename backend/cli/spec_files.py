"""Specs as YAML files, with changes by dotted path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from backend.cli.errors import CliError
from predictor.spec import RunSpec, read_run


def read_file(path: Path, changes: Sequence[str] = ()) -> RunSpec:
    """Read the spec of one run.

    Args:
        path: a YAML (or JSON) file; what it leaves out takes its default.
        changes: "key=value", where the key is a dotted path and the value is YAML.

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
    if "experiment" in data or "grid" in data or "run" in data:
        wish = "submit it in the dashboard or with the client, or give the spec of one run"
        raise CliError(f"The spec {str(path)!r} is that of an experiment, which needs a server's queue: {wish}.", 2)
    for change in changes:
        _apply(data, change)
    return read_run(data)


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
