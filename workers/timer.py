"""Calls that are made later: emulated transfers, and the deadlines of the gate."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Timer:
    """Call functions later, from one thread of its own. They are short and do not raise."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: list[tuple[float, int, Callable[[], None]]] = []  # heap of (due on the monotonic clock, n, call)
        self._num_calls = itertools.count()  # breaks ties: what was asked for first is called first
        self._is_closed = False
        threading.Thread(target=self._run, name="timer", daemon=True).start()

    def call_after(self, delay_s: float, call: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._calls, (time.monotonic() + delay_s, next(self._num_calls), call))
            self._changed.notify()

    def close(self) -> None:
        """Drop what was not called yet."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._is_closed and (wait_s := self._wait_s()) != 0:
                    self._changed.wait(wait_s)
                if self._is_closed:
                    return
                call = heapq.heappop(self._calls)[2]
            call()

    def _wait_s(self) -> float | None:
        """Give the time until the next call: 0 when it is due, None when there is none."""
        if not self._calls:
            return None
        return max(0.0, self._calls[0][0] - time.monotonic())
