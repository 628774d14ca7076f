"""The version of Foresync."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("foresync")
except PackageNotFoundError:  # a checkout that was not installed
    VERSION = "0+unknown"
