"""A run's directory: the seam between the backend and the processes that train.

spec.json       written by the backend before the start
events.jsonl    appended by the coordinator alone; after its death by whoever holds the lock (`close_log`)
control.jsonl   appended by the backend, followed by the coordinator; empty at each start
lock            flock held by the coordinator for its life, with its pid as text
checkpoints/    checkpoint.npz, written by the coordinator's side
log.txt         what the processes of the run printed
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from backend.store.ids import is_id
from predictor import log
from predictor.events import Event, RunFinished

TAIL_BYTES = 64 * 1024
logger = logging.getLogger(__name__)

DELETED = ".deleted-"  # prefix of a directory whose deletion has begun


class RunDirectory:
    """The directory of one run."""

    def __init__(self, runs_dir: Path, run_id: str) -> None:
        """Name the directory; nothing is touched.

        Raises:
            ValueError: the id has not the form of one, and so might lead elsewhere.
        """
        if not is_id(run_id):
            raise ValueError(f"not the id of a run: {run_id!r}")
        self.run_id = run_id
        self.path = runs_dir / run_id
        self.events = self.path / "events.jsonl"
        self.log = self.path / "log.txt"
        self._control = self.path / "control.jsonl"
        self._lock = self.path / "lock"

    # ---- before and while it trains ----------------------------------------------------------------------

    def prepare(self, spec: dict[str, Any]) -> None:
        """Make ready for a start: the spec, and no command left over from an earlier life.

        Raises:
            OSError: the disk is full, the directory cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path / "spec.json.new"
        with fresh.open("w") as file:
            json.dump(spec, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / "spec.json")
        self._control.write_bytes(b"")

    def send(self, command: dict[str, Any]) -> None:
        """Append a command for the coordinator.

        Raises:
            OSError: it could not be written.
        """
        with self._control.open("ab") as file:
            file.write(json.dumps(command).encode() + b"\n")

    @property
    def has_checkpoint(self) -> bool:
        return (self.path / "checkpoints" / "checkpoint.npz").is_file()

    def read_log_tail(self, tail_bytes: int = TAIL_BYTES) -> str:
        """Give the end of log.txt from the start of a line; empty when nothing was printed."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - tail_bytes))
            tail = file.read()
        if size > tail_bytes and b"\n" in tail:
            tail = tail[tail.index(b"\n") + 1 :]
        return tail.decode(errors="replace")

    def note(self, sentence: str) -> None:
        """Add a line of our own to log.txt. What cannot be written is in our own log at least."""
        logger.warning("Run %s: %s", self.run_id, sentence)
        with contextlib.suppress(OSError), self.log.open("a") as file:
            file.write(sentence + "\n")

    def last_words(self) -> str:
        """Give the last line that the run printed; empty when there is none."""
        lines = [line.strip() for line in self.read_log_tail(4096).splitlines() if line.strip()]
        return lines[-1][:500] if lines else ""

    # ---- the coordinator ---------------------------------------------------------------------------------

    def find_holder(self) -> psutil.Process | None:
        """Find the coordinator: the process that the lock's file names, if it has that file open."""
        try:
            pid = int(self._lock.read_text())
            process = psutil.Process(pid)
            path = str(self._lock.resolve())
            return process if any(file.path == path for file in process.open_files()) else None
        except (OSError, ValueError, psutil.Error):
            return None  # no file, no pid in it, no such process, or one of somebody else

    def is_locked(self) -> bool:
        """Tell whether a coordinator lives. Ask only when none is about to start: the look takes the lock."""
        if not self._lock.exists():
            return False
        with self._try_lock() as is_mine:
            return not is_mine

    @contextlib.contextmanager
    def _try_lock(self) -> Iterator[bool]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)

    # ---- the end -----------------------------------------------------------------------------------------

    def close_log(self, reason: str, stored_bytes: int) -> bool:
        """Append the closing event for a coordinator that died without one.

        False, and nothing is done, while a coordinator holds the lock, or while more than `stored_bytes` of the
        log are there: the closing event may be among them.

        Raises:
            OSError: it could not be written; what was written of it is cut the next time.
        """
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._try_lock() as is_mine:
            if not is_mine:
                return False
            with self.events.open("a+b") as file:
                length = _complete_length(file)
                if length != stored_bytes:
                    return False
                file.truncate(length)
                seq, last = _last_event(file, length)
                closing = RunFinished(at_s=last.at_s if last else 0.0, outcome="failed", reason=reason)
                file.write(log.with_seq(log.encode(closing), seq + 1))
                file.flush()
                os.fsync(file.fileno())
        return True

    # ---- deletion: rename, forget the rows, then remove -----------------------------------------------------

    def set_aside(self) -> None:
        """Rename the directory, so that what is begun can be finished, or undone, after a crash."""
        with contextlib.suppress(FileNotFoundError):  # a run that never started has none
            self.path.rename(self._aside)

    def restore(self) -> None:
        """Undo `set_aside`."""
        with contextlib.suppress(FileNotFoundError):
            self._aside.rename(self.path)

    def remove(self) -> None:
        """Remove what was set aside.

        Raises:
            OSError: not all of it could be removed.
        """
        if self._aside.is_symlink():
            self._aside.unlink()
        elif self._aside.exists():
            shutil.rmtree(self._aside)

    @property
    def _aside(self) -> Path:
        return self.path.with_name(DELETED + self.run_id)


def set_aside_ids(runs_dir: Path) -> list[str]:
    """Give the ids of the runs whose deletion was begun and not finished."""
    names = (path.name.removeprefix(DELETED) for path in runs_dir.glob(DELETED + "*"))
    return [name for name in names if is_id(name)]


def _complete_length(file: BinaryIO) -> int:
    """Give the length of the file up to the end of its last complete line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - TAIL_BYTES)
        file.seek(start)
        length = log.complete_length(file.read(end - start))
        if length:
            return start + length
        end = start
    return 0


def _last_event(file: BinaryIO, length: int) -> tuple[int, Event | None]:
    """Read the last line of a file that ends at `length`; `(0, None)` when it is empty."""
    line, start = b"", max(0, length - 1)  # without the last newline
    while start > 0 and b"\n" not in line:
        begin = max(0, start - TAIL_BYTES)
        file.seek(begin)
        line = file.read(start - begin) + line
        start = begin
    return log.decode(line[line.rfind(b"\n") + 1 :]) if length else (0, None)
