"""Where one worker's wall time went, booked span by span; `predictor.accounting.account` holds one for each worker.

Spans are booked in the order of the worker's own events. A span begins where the last one ended; what lies between
(`gap`) is unaccounted, and what was booked before does not count again. So at any moment

    sum of the parts + unaccounted = booked until - first joining

where the left side is summed from stamps and the right side is one difference: that they agree is tested.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from predictor.accounting.parts import PART_KEYS

_MISSED = 1.1  # an iteration this many times longer than asked for has stalled; `predictor.summary` counts the same

Span = tuple[str, float, float]  # part, from, to
Fields = dict[str, Any]


@dataclass(slots=True)
class Boundary:
    """The newest message of a worker, as the gate saw it."""

    ended_at_s: float  # the iteration that it tells of
    arrived_at_s: float
    is_push: bool
    is_waiting: bool
    released_at_s: float | None = None


@dataclass(slots=True)
class Ledger:
    """All lives of one worker."""

    worker: int
    parts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PART_KEYS, 0.0))
    unaccounted_s: float = 0.0
    num_lives: int = 0
    num_iterations: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    joined_at_s: float | None = None  # the first time
    booked_s: float = 0.0  # up to here
    is_there: bool = False
    left_at_s: float = 0.0
    leave_reason: str = ""
    restarted_at_s: float | None = None  # when the run went on, after this worker had left
    has_weights: bool = False
    landed_s: float = 0.0  # the newest weights that it waited for
    boundary: Boundary | None = None
    early: list[Fields] = field(default_factory=list)  # told before the joining, whose line comes by another stream

    def wall_s(self, newest_s: float) -> float:
        """Give the time from the first joining to the end of the last life, or to now."""
        return 0.0 if self.joined_at_s is None else max(0.0, self.end_s(newest_s) - self.joined_at_s)

    def end_s(self, newest_s: float) -> float:
        return max(newest_s if self.is_there else self.left_at_s, self.booked_s)

    def is_early(self, from_s: float) -> bool:
        """Tell whether something that began then belongs to a life that has not begun yet."""
        return not self.is_there and (self.joined_at_s is None or from_s >= self.left_at_s)

    def book(self, part: str, from_s: float, to_s: float) -> None:
        """Book a span, but for what was booked before."""
        if to_s <= self.booked_s:
            return
        if from_s > self.booked_s:
            self.unaccounted_s += from_s - self.booked_s
        else:
            from_s = self.booked_s
        self.parts[part] += to_s - from_s
        self.booked_s = to_s

    def book_iteration(self, event: Fields) -> None:
        start_s, end_s, target_s = event["started_at_s"], event["at_s"], event["target_s"]
        self.num_iterations += 1
        landed_s = start_s + event["overlapped_s"]  # the answer of the push that was in flight
        due_s = min(end_s, start_s + target_s) if 0 < target_s * _MISSED < event["compute_s"] else end_s
        if landed_s > start_s:
            self.book("overlap", start_s, min(landed_s, due_s))
        self.book("compute", max(start_s, min(landed_s, due_s)), due_s)
        if due_s < end_s:
            self.book("stall", due_s, end_s)

    def book_exchange(self, event: Fields) -> tuple[float, float] | None:
        """Book the way there and back; give the part at the server, which `book_wait` is to follow with."""
        from_s, at_s = event["blocked_from_s"], event["at_s"]
        is_first, self.has_weights, self.landed_s = not self.has_weights, True, at_s
        if is_first:
            self.book("startup", self.booked_s, at_s)
            return None
        arrived_s = min(max(event["arrived_at_s"], from_s), at_s)
        released_s = min(max(event["released_at_s"], arrived_s), at_s)
        self.book("up", from_s, arrived_s)
        held = max(arrived_s, self.booked_s), released_s
        return held if held[1] > held[0] else None

    # ---- lives -------------------------------------------------------------------------------------------

    def join(self, at_s: float) -> None:
        """Begin a life. The one before is closed by then (`rest` was booked)."""
        self.num_lives += 1
        if self.joined_at_s is None:
            self.joined_at_s = self.booked_s = at_s
        elif at_s > self.booked_s:
            if self.leave_reason == "died" and self.restarted_at_s is not None:
                self.book("lost", self.booked_s, min(at_s, self.restarted_at_s))
            self.book("stopped", self.booked_s, at_s)
        self.is_there, self.has_weights, self.boundary, self.restarted_at_s = True, False, None, None

    def leave(self, at_s: float, reason: str) -> None:
        self.is_there, self.left_at_s, self.leave_reason = False, max(at_s, self.booked_s), reason

    def rest(self, newest_s: float) -> Iterator[Span]:
        """Give the spans from what is booked to the end of the last life or to now: they have begun, and not ended."""
        reached_s = self.booked_s
        for part, from_s, to_s in self._open(newest_s):
            if to_s > max(from_s, reached_s):
                yield part, max(from_s, reached_s), to_s
                reached_s = to_s

    def _open(self, newest_s: float) -> Iterator[Span]:
        if self.joined_at_s is None:
            return
        from_s, end_s = self.booked_s, self.end_s(newest_s)
        if not self.has_weights:
            yield "startup", from_s, end_s
            return
        boundary = self.boundary
        is_last = not self.is_there and self.leave_reason == "finished"
        is_over = boundary is None or boundary.ended_at_s < from_s or boundary.ended_at_s <= self.landed_s
        if boundary is None or is_over or not (boundary.is_waiting or is_last):
            yield "unfinished", from_s, end_s
            return
        # The gate was told of the end of this iteration; its own line may still be on the way.
        yield "unfinished", from_s, boundary.ended_at_s
        arrived_s = boundary.arrived_at_s if boundary.is_push else boundary.ended_at_s
        yield "up", boundary.ended_at_s, min(arrived_s, end_s)
        if is_last and not boundary.is_waiting:
            yield "server", arrived_s, end_s
            return
        released_s = end_s if boundary.released_at_s is None else max(arrived_s, boundary.released_at_s)
        yield "wait", arrived_s, min(released_s, end_s)
        yield "down", released_s, end_s
