"""`foresync version`."""

from __future__ import annotations

import argparse
from typing import Any

from backend.version import VERSION


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("version", parents=[common], help="print the version")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Print the version."""
    print(f"foresync {VERSION}")
    return 0
