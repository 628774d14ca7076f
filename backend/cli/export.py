"""`foresync export`: a run, or several, as a file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from backend.api.compare import differences
from backend.cli import connect
from backend.cli.errors import CliError
from backend.errors import BadValue
from backend.export.make import FORMATS, RUNS_FORMATS, TABLE_NAMES, export_run, export_runs
from backend.export.source import RunDirectory

STANDARD_OUTPUT = Path("-")


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "export", parents=[common], help="write a run, or several as one table, to a file"
    )
    connect.add_options(parser)
    add_runs(parser)
    parser.add_argument(
        "--format", metavar="FORMAT", choices=FORMATS, required=True, help=f"one of {', '.join(FORMATS)}"
    )
    parser.add_argument(
        "--table", metavar="TABLE", choices=TABLE_NAMES, help=f"of one run, one of {', '.join(TABLE_NAMES)}"
    )
    parser.add_argument("--kinds", metavar="A,B,...", default="", help="events of only these kinds")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="file to write; - is standard output")
    return parser


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Let the user name runs, of a server or by their directories."""
    parser.add_argument("runs", metavar="RUN", nargs="+", help="directory of a run, or id of a run of a server")


def main(arguments: argparse.Namespace) -> int:
    """Write the file; it is there only when it is whole."""
    kinds = tuple(filter(None, map(str.strip, arguments.kinds.split(","))))
    write(arguments, arguments.format, arguments.table, kinds)
    return 0


def write(arguments: argparse.Namespace, format: Any, table: Any = None, kinds: Sequence[str] = ()) -> None:
    """Write what the runs that were named give in a format to the file that was named.

    Raises:
        CliError: directories and ids are mixed, the parts do not go together, or the file cannot be written.
    """
    runs: list[str] = arguments.runs
    if len(runs) > 1 and (table or kinds):
        raise CliError("--table and --kinds are for one run; of several a table has one row for each run.", 2)
    if len(runs) > 1 and format not in RUNS_FORMATS:
        raise CliError(f"Several runs are exported as one of {', '.join(RUNS_FORMATS)}, got {format!r}.", 2)
    are_directories = [Path(run).is_dir() for run in runs]
    try:
        if all(are_directories):
            save(_pieces_of_directories([Path(run) for run in runs], format, table, kinds), arguments.out)
            return
        if any(are_directories):
            raise CliError("Name runs either all by their directories or all by their ids.", 2)
        unknown = next((run for run in runs if len(Path(run).parts) != 1), None)
        if unknown is not None:
            raise CliError(f"There is no directory of a run at {unknown!r}.", 2)
        with connect.connect(arguments) as client:
            if len(runs) > 1:
                save(client.export_runs(runs, format), arguments.out)
            else:
                save(client.export(runs[0], format, table=table, kinds=kinds), arguments.out)
    except BadValue as error:
        raise CliError(f"{error}.", 2) from error


def _pieces_of_directories(paths: Sequence[Path], format: Any, table: Any, kinds: Sequence[str]) -> Iterable[bytes]:
    sources = [RunDirectory(path) for path in paths]
    if len(sources) == 1:
        return export_run(sources[0], format, table, kinds).pieces
    return export_runs(sources, format, differences([source.run["spec_in_force"] for source in sources])).pieces


def save(pieces: Iterable[bytes], path: Path) -> None:
    """Write a file that is there only when it is whole, or to the standard output.

    Raises:
        CliError: the file cannot be written.
    """
    if path == STANDARD_OUTPUT:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    fresh = ""
    try:
        descriptor, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
        umask = os.umask(0)
        os.umask(umask)
        Path(fresh).chmod(0o666 & ~umask)
        Path(fresh).replace(path)
        fresh = ""
    except OSError as error:
        raise CliError(f"The file {str(path)!r} cannot be written: {error.strerror or error}.", 2) from error
    finally:
        if fresh:
            Path(fresh).unlink(missing_ok=True)
