"""`foresync runs`: the runs of a server."""

from __future__ import annotations

import argparse
import itertools
import json
from typing import Any

from backend.cli import connect
from backend.cli.tables import console, list_runs


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("runs", parents=[common], help="list the runs of a server")
    connect.add_options(parser)
    parser.add_argument("--limit", metavar="N", type=int, default=50, help="newest runs that are listed (default: 50)")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """List runs, newest first."""
    with connect.connect(arguments) as client:
        found = list(itertools.islice(client.runs(), max(arguments.limit, 0)))
    if arguments.json:
        print(json.dumps([run.model_dump(mode="json") for run in found], indent=1))
    else:
        console().print(list_runs(found) if found else "There are no runs yet.")
    return 0
