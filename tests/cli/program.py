"""The program as a process, as a user starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROGRAM = (sys.executable, "-m", "backend.cli")
LIMIT_S = 60


def environment(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a user who has set FORESYNC_HOME and nothing else of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FORESYNC_")}
    return {**kept, "FORESYNC_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1", **more}


def foresync(home: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env=environment(home, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@contextlib.contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve on a free port inside the block; give the process and the URL with the token that it printed."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *arguments],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            raise AssertionError(f"the server did not start: {process.communicate()[1]}")
        yield process, line
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # faulthandler prints what each thread does
            raise AssertionError(f"the server did not stop: {process.communicate()[1][-8000:]}") from None
