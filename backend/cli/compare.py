"""`foresync compare`: runs side by side."""

from __future__ import annotations

import argparse
from typing import Any

from backend.cli import connect
from backend.cli.tables import compare_runs, console


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("compare", parents=[common], help="compare runs of a server")
    connect.add_options(parser)
    parser.add_argument("runs", metavar="RUN", nargs="+", help="id of a run, as `foresync runs` lists it")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Print the figures of the runs and the settings in which they differ."""
    with connect.connect(arguments) as client:
        comparison = client.compare(arguments.runs)
    if arguments.json:
        print(comparison.model_dump_json(indent=1))
        return 0
    terminal = console()
    terminal.print(compare_runs(comparison.runs, [run.name for run in comparison.runs]))
    for difference in comparison.differences:
        terminal.print(f"{difference.path}: {', '.join(map(str, difference.values))}", markup=False)
    return 0
