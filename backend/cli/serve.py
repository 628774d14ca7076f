"""`foresync serve`: the dashboard and the API."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import webbrowser
from pathlib import Path
from typing import Any

from backend.cli.server import Server, serving
from backend.settings import Settings, read_settings


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve", parents=[common], help="serve the dashboard and start the runs in its queue"
    )
    parser.add_argument("--host", metavar="HOST", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", metavar="PORT", type=int, default=8000, help="0 takes a free one (default: 8000)")
    add_settings(parser)
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="name, or name:port, under which browsers reach the server beside the loopback ones; may be repeated",
    )
    parser.add_argument("--keep-runs", action="store_true", help="leave runs training when the server ends")
    parser.add_argument("--open", action="store_true", help="open the dashboard in the browser")
    return parser


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options that every command with a server of its own has."""
    parser.add_argument(
        "--home",
        metavar="DIR",
        type=Path,
        help="folder of the database and the runs (default: FORESYNC_HOME, else ~/.foresync)",
    )
    parser.add_argument(
        "--database-url",
        metavar="URL",
        help="postgresql://... or sqlite:///FILE (default: FORESYNC_DATABASE_URL, else a file in the home)",
    )
    parser.add_argument(
        "--concurrency",
        metavar="N",
        type=int,
        help="runs that train at once (default: as it was last set in the dashboard, at first 1)",
    )


def main(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C; print one line with the URL and the token."""
    settings = read_settings(
        home=arguments.home,
        database_url=arguments.database_url,
        host=arguments.host,
        port=arguments.port,
        concurrency=arguments.concurrency,
        keep_runs=arguments.keep_runs,
        allowed_hosts=tuple(arguments.allow_host),
    )
    return serve(settings, is_opened=arguments.open)


def serve(settings: Settings, *, is_opened: bool = False) -> int:
    """Serve until a signal comes, or raise what kept the server from it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    server = Server(settings)
    with serving(server) as stopping:
        print(server.url, flush=True)
        gc.freeze()  # the program itself never becomes garbage: looking through it would hold up the live stream
        if is_opened:
            webbrowser.open(server.url)
        while not stopping.wait(0.5):
            server.check()
        print("foresync: stopping", file=sys.stderr, flush=True)
    return 0
