"""The options of `bench-sync`, apart from what it needs to run: `python -m workers` reads them at every start."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--scenarios", metavar="PATH", type=Path, nargs="+", required=True, help="files or folders")
    parser.add_argument("--policies", metavar="A,B,...", default=None, help="only these (default: all)")
    parser.add_argument("--seeds", metavar="1,2,...", default="1,2,3", help="seeds that are reported")
    parser.add_argument("--out", metavar="FILE", type=Path, default=None, help="write the results as JSON")
    parser.add_argument("--jobs", metavar="N", default=None, help="processes (default: one for each core)")
    parser.add_argument("--cache", metavar="DIR", type=Path, default=None, help="folder of what was computed before")
    parser.add_argument("--same-terms", action="store_true", help="give the peers the momentum and bound of foresync")
