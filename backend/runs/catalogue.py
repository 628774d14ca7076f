"""The models and data sets, learnt from `python -m workers catalogue`, which knows torch so that we need not."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

from backend.errors import ExecutorError
from backend.runs.executor import worker_environment

TIMEOUT_S = 120.0
MAX_KNOWN = 32  # the oldest is forgotten


class Catalogue:
    """Asks once, and remembers, for each folder of the user's own data."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._lock = threading.Lock()  # one question at a time
        self._known: dict[str | None, dict[str, Any]] = {}
        self._asking: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def warm_up(self) -> None:
        """Ask in the background; a failure shows when somebody wants the answer."""

        def ask() -> None:
            with contextlib.suppress(ExecutorError):
                self.read()

        threading.Thread(target=ask, name="catalogue", daemon=True).start()

    @property
    def is_known(self) -> bool:
        """Whether the catalogue without data of the user's own can be had at once."""
        return None in self._known

    def read(self, data_dir: str | None = None, *, is_fresh: bool = False) -> dict[str, Any]:
        """Give the catalogue; blocks for some seconds the first time.

        Args:
            data_dir: folder or file of the user's own data, to be described too.
            is_fresh: ask again, e.g. since data were installed.

        Raises:
            ExecutorError: it cannot be had; the sentence says why.
        """
        with self._lock:
            if self._is_closed:
                raise ExecutorError("The models and data sets cannot be listed: the program is shutting down.")
            if is_fresh or data_dir not in self._known:
                answer = self._ask([] if data_dir is None else [f"--data-dir={data_dir}"])
                if len(self._known) >= MAX_KNOWN:
                    self._known.pop(next(iter(self._known)))
                self._known[data_dir] = answer
            return self._known[data_dir]

    def close(self) -> None:
        """End a question that is under way, and take no other."""
        self._is_closed = True
        asking = self._asking
        if asking is not None:
            asking.kill()
        with self._lock:  # until it has been collected
            self._known.clear()

    def _ask(self, options: list[str]) -> dict[str, Any]:
        try:
            done = self._run([*self._command, "catalogue", *options])
            answer = json.loads(done.stdout) if done.returncode == 0 else None
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise ExecutorError(f"The models and data sets cannot be listed: {error}.") from error
        if not isinstance(answer, dict):
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            why = lines[-1] if lines else f"exit code {done.returncode}"
            raise ExecutorError(f"The models and data sets cannot be listed: {why}")
        return answer

    def _run(self, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
        pipe = subprocess.PIPE
        with subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=worker_environment()
        ) as process:
            self._asking = process
            if self._is_closed:  # `close` came just before
                process.kill()
            try:
                stdout, stderr = process.communicate(timeout=TIMEOUT_S)
            finally:
                self._asking = None
                process.kill()  # without effect on one that has ended
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)
