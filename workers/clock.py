"""The clock of a run: seconds since its start, the same in all its processes."""

from __future__ import annotations

import time


class RunClock:
    """Read the host's monotonic clock, counted from the start of the run.

    The monotonic clock is one for all processes of a host, so stamps of different processes can be compared.
    """

    __slots__ = ("_origin_s",)

    def __init__(self, elapsed_s: float = 0.0) -> None:
        """Start the clock at `elapsed_s`: 0 for a new run, the last stamp of the log at a resume."""
        self._origin_s = time.monotonic() - elapsed_s

    def now_s(self) -> float:
        return time.monotonic() - self._origin_s
