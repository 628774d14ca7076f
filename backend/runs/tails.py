"""The newest events of the runs that somebody watches, kept in memory as they were stored.

The live stream takes what has just been stored from here and needs no read of the database for it; whatever lies
further back it reads from the store. A tail never holds what is not stored yet, and never has a gap.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

LIMIT_BYTES = 32 * 2**20  # of all tails together
MIN_SHARES = 16  # a tail never gets more than this part of it


class _Batch(NamedTuple):
    first_seq: int
    lines: Sequence[bytes]
    num_bytes: int

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.lines) - 1


class _Tail:
    """Of one run: batches that follow each other."""

    def __init__(self) -> None:
        self.num_watchers = 0
        self.num_bytes = 0
        self.batches: deque[_Batch] = deque()


class Tails:
    """All tails of the process; from any thread."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._tails: dict[str, _Tail] = {}

    def watch(self, run_id: str) -> None:
        """Keep the newest events of a run until as many `unwatch` have followed."""
        with self._lock:
            self._tails.setdefault(run_id, _Tail()).num_watchers += 1

    def unwatch(self, run_id: str) -> None:
        """End one `watch`; the last one lets the tail go."""
        with self._lock:
            tail = self._tails[run_id]
            tail.num_watchers -= 1
            if tail.num_watchers == 0:
                del self._tails[run_id]

    def add(self, run_id: str, first_seq: int, lines: Sequence[bytes]) -> None:
        """Take in events that were stored just now: strict JSON lines, the first of which has this seq."""
        with self._lock:
            tail = self._tails.get(run_id)
            if tail is None or not lines:
                return
            if tail.batches and tail.batches[-1].last_seq + 1 != first_seq:
                tail.batches.clear()  # somebody else stored what lies between
                tail.num_bytes = 0
            num_bytes = sum(map(len, lines))
            tail.batches.append(_Batch(first_seq, lines, num_bytes))
            tail.num_bytes += num_bytes
            while tail.num_bytes > self._limit_bytes // max(MIN_SHARES, len(self._tails)):
                tail.num_bytes -= tail.batches.popleft().num_bytes

    def last_seq(self, run_id: str) -> int:
        """Give the newest seq in memory; 0 when there is none."""
        with self._lock:
            tail = self._tails.get(run_id)
            return tail.batches[-1].last_seq if tail and tail.batches else 0

    def after(self, run_id: str, seq: int, max_num: int, max_bytes: int) -> list[bytes]:
        """Give the events that follow on `seq`, none if those are not in memory.

        They are at most `max_num` and together no longer than `max_bytes`, but always at least one.
        """
        found: list[bytes] = []
        with self._lock:
            tail = self._tails.get(run_id)
            batches = list(tail.batches) if tail else []
        if not batches or seq + 1 < batches[0].first_seq:
            return found
        for batch in batches:
            if batch.last_seq > seq:
                found += batch.lines[max(0, seq + 1 - batch.first_seq) :]
                if len(found) >= max_num:
                    break
        return found[: num_fitting(found, max_num, max_bytes)]


def num_fitting(lines: Sequence[bytes], max_num: int, max_bytes: int) -> int:
    """Give how many of the lines fit: at least one."""
    num_bytes = 0
    for index, line in enumerate(lines[:max_num]):
        num_bytes += len(line) + 1
        if num_bytes > max_bytes:
            return max(1, index)
    return min(len(lines), max_num)
