"""The program `foresync`: reads the command line, calls the command, says errors in one sentence.

Exit codes: 0 done, 1 failed, 2 what was asked for cannot be used, 130 ended by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from backend.cli import (
    account,
    bench,
    compare,
    demo,
    export,
    replay,
    report,
    retune,
    run,
    runs,
    serve,
    simulate,
    version,
)
from backend.cli.errors import CliError
from backend.client import ClientError
from backend.errors import BackendError
from predictor.errors import PredictorError, SpecError

COMMANDS = (
    serve,
    demo,
    run,
    runs,
    retune,
    compare,
    account,
    simulate,
    replay,
    export,
    report,
    bench,
    version,
)  # each has `add_parser` and `main`


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.main(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `foresync runs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if arguments.debug:
            raise
        print(f"foresync: {_sentence(error)}", file=sys.stderr)
        return _exit_code(error)


def parser() -> argparse.ArgumentParser:
    """Give the parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    program = argparse.ArgumentParser(
        prog="foresync", description="Predicted synchronisation for data-parallel training: launch, watch, compare."
    )
    commands = program.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands, common).set_defaults(main=command.main)
    return program


def _sentence(error: Exception) -> str:
    if isinstance(error, CliError | BackendError | ClientError | PredictorError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"failed unexpectedly ({type(error).__name__}: {error}); --debug shows where"


def _exit_code(error: Exception) -> int:
    if isinstance(error, CliError):
        return error.exit_code
    return 2 if isinstance(error, SpecError) else 1
