"""The log of a run's directory, as the commands read it that need no server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backend.cli.errors import CliError
from backend.runs.logreader import Batch, read_batches


def read_log(path: Path) -> Iterator[Batch]:
    """Give the complete lines of a log and their events, batch by batch.

    Raises:
        CliError: it is missing or damaged; what stands before the damage was given.
    """
    if not path.is_file():
        raise CliError(f"{str(path.parent)!r} is not the directory of a run: events.jsonl is missing.", 2)
    for batch in read_batches(path):
        yield batch
        if batch.damage:
            raise CliError(f"The log cannot be read further: {batch.damage}", 2)
