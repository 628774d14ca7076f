"""How a command finds the server that it talks to."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from backend.client import Client
from backend.settings import read_settings

DEFAULT_URL = "http://127.0.0.1:8000"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let the user say which server; by default the one on this machine's port 8000."""
    parser.add_argument(
        "--url",
        metavar="URL",
        default=os.environ.get("FORESYNC_URL") or DEFAULT_URL,
        help=f"of the server, as it printed it, token included (default: FORESYNC_URL, else {DEFAULT_URL})",
    )
    parser.add_argument(
        "--home", metavar="DIR", type=Path, help="of that server; its token is read there (FORESYNC_HOME)"
    )


def connect(arguments: argparse.Namespace) -> Client:
    """Open a client; a URL without a token gets the one of the home.

    Raises:
        ClientError: the URL is none.
        SettingsError: the home cannot be used.
    """
    token = None if "token=" in arguments.url else read_settings(home=arguments.home).token
    return Client(arguments.url, token)
