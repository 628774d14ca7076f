"""`foresync report`: one HTML file that shows a run, or compares several, and opens anywhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from backend.cli import connect
from backend.cli.export import STANDARD_OUTPUT, add_runs, write


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "report", parents=[common], help="write a page about a run, or one that compares several, to a file"
    )
    connect.add_options(parser)
    add_runs(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="HTML file to write")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Write the report, and say where it is."""
    write(arguments, "html")
    if arguments.out != STANDARD_OUTPUT:
        print(f"Wrote {arguments.out} ({arguments.out.stat().st_size / 1e6:.1f} MB); it opens in any browser, offline.")
    return 0
