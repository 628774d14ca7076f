"""The run directory: the seam between a run and whoever asked for it (ARCHITECTURE, "The run directory")."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from workers.errors import RunDirectoryError


class RunDirectory:
    """Paths and the lock of one run."""

    def __init__(self, path: Path) -> None:
        """Take note of the directory.

        Raises:
            RunDirectoryError: it is not there.
        """
        if not path.is_dir():
            raise RunDirectoryError(f"there is no run directory {path}")
        self.path = path.resolve()
        self.run_id = self.path.name
        self.events = self.path / "events.jsonl"
        self.log = self.path / "log.txt"
        self.checkpoint = self.path / "checkpoints" / "checkpoint.npz"
        self.control = self.path / "control.jsonl"
        self._lock = -1

    def lock(self) -> None:
        """Become the one coordinator of this run, until `unlock` or the end of the process.

        Raises:
            RunDirectoryError: another one holds it, or nothing can be written there.
        """
        try:
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RunDirectoryError(f"the run directory {self.path} cannot be written to: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(self._lock, 32, 0).decode() or "unknown"
            self.unlock()
            raise RunDirectoryError(f"run {self.run_id} is being trained already, by process {pid}") from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def read_spec(self) -> object:
        """Read `spec.json`, not checked yet.

        Raises:
            RunDirectoryError: it is missing or no JSON.
        """
        path = self.path / "spec.json"
        try:
            return json.loads(path.read_bytes())
        except FileNotFoundError as error:
            raise RunDirectoryError(f"there is no spec.json in {self.path}") from error
        except (OSError, ValueError) as error:
            raise RunDirectoryError(f"{path} cannot be read: {error}") from error


class Control:
    """Follows `control.jsonl`, to which others append commands."""

    def __init__(self, path: Path, *, skips_present: bool) -> None:
        """Start to follow; the file is created when it is not there.

        Args:
            path: of the file.
            skips_present: ignore what stands there already: it was meant for an earlier life of the run.
        """
        path.touch()
        self._file = path.open("rb")
        if skips_present:
            self._file.seek(0, os.SEEK_END)
        self._torn = b""

    def poll(self) -> list[dict[str, Any]]:
        """Give what was written since the last call; a line that is no command comes as `{"unreadable": line}`."""
        *lines, self._torn = (self._torn + self._file.read()).split(b"\n")
        return [_command(line) for line in lines]


def _command(line: bytes) -> dict[str, Any]:
    try:
        command = json.loads(line)
    except ValueError:
        command = None
    return command if isinstance(command, dict) else {"unreadable": line[:200].decode(errors="replace")}
