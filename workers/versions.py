"""Which programs train: stands in the first event of every log."""

from __future__ import annotations

import platform
from importlib import metadata


def versions() -> dict[str, str]:
    """Give the versions of python, torch and foresync."""
    return {"python": platform.python_version(), "torch": metadata.version("torch"), "foresync": _own_version()}


def _own_version() -> str:
    try:
        return metadata.version("foresync")
    except metadata.PackageNotFoundError:  # used from a checkout without an installation
        return "unknown"
