"""`foresync bench`: benchmarks. They train, so a process of `python -m workers` does the work."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any

from backend.cli.errors import CliError
from backend.cli.server import signals_to
from backend.runs.executor import worker_environment
from backend.settings import read_settings


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser("bench", help="compare synchronisation policies")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="sync")
    sync = kinds.add_parser(
        "sync", parents=[common], help="train in virtual time, each policy tuned, and print the times to the target"
    )
    sync.add_argument("--scenarios", metavar="PATH", type=Path, nargs="+", required=True, help="files or folders")
    sync.add_argument("--policies", metavar="A,B,...", help="only these (default: all that are compared)")
    sync.add_argument("--seeds", metavar="1,2,...", help="seeds that are reported (default: 1,2,3)")
    sync.add_argument("--out", metavar="FILE", type=Path, help="write the results as JSON")
    sync.add_argument("--jobs", metavar="N", help="processes (default: one for each core)")
    sync.add_argument(
        "--cache", metavar="DIR", type=Path, help="folder of what was computed before (default: bench in the home)"
    )
    sync.add_argument("--same-terms", action="store_true", help="give the peers the momentum and bound of foresync")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Run the benchmark to its end; its exit code is ours."""
    settings = read_settings()
    words = ["--scenarios", *map(str, arguments.scenarios)]
    for name in ("policies", "seeds", "out", "jobs"):
        value = getattr(arguments, name)
        words += [] if value is None else [f"--{name}={value}"]
    words += ["--same-terms"] if arguments.same_terms else []
    words.append(f"--cache={arguments.cache or settings.home / 'bench'}")
    process = subprocess.Popen(
        [*settings.worker_command, "bench-sync", *words],
        stdin=subprocess.DEVNULL,
        env=worker_environment(),
        start_new_session=True,  # Ctrl-C reaches only us, and we pass it on once
    )
    with signals_to(process.terminate):
        code = process.wait()
    if code < 0:
        raise CliError(f"The benchmark was ended by signal {-code}.", 1)
    return code
