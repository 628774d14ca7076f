"""`python -m workers run|catalogue|host|bench-sync`: see `--help`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from workers.bench import options

# Read by OpenMP, TensorPipe and torch's logger when torch is loaded, so they are set before anything imports it.
# Two OpenMP threads on a busy machine spin against each other and make a step fifty times slower.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TP_SOCKET_IFNAME": "lo", "TORCH_CPP_LOG_LEVEL": "ERROR"}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the run failed, 2 what was asked for cannot be used."""
    arguments = _parser().parse_args(argv)
    os.environ.update(ENVIRONMENT)
    if arguments.command == "run":
        from workers.coordinator import process  # noqa: PLC0415 (loads torch, which must find the environment set)

        return process.main(arguments.run_dir, is_resume=arguments.resume)
    if arguments.command == "host":
        from workers import host  # noqa: PLC0415 (as above)

        return host.main(arguments.socket)
    if arguments.command == "bench-sync":
        from workers.bench import command  # noqa: PLC0415 (as above)

        return command.main(arguments)
    from workers import catalogue  # noqa: PLC0415 (as above)

    return catalogue.main(arguments.data_dir)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="coordinate one run in the foreground")
    run.add_argument("run_dir", type=Path, help="folder that holds spec.json")
    run.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    listing = commands.add_parser("catalogue", help="print the models and data sets as JSON")
    listing.add_argument("--data-dir", type=Path, default=None, help="folder with your own data")
    host = commands.add_parser("host", help="stay warm and start coordinators on request")
    host.add_argument("socket", type=Path, help="path of the UNIX socket to listen on")
    bench = commands.add_parser("bench-sync", help="compare synchronisation policies in virtual time")
    options.add_arguments(bench)
    return parser


if __name__ == "__main__":
    sys.exit(main())
