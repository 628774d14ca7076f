"""What every node did when, for a figure: each span where they are few, else shares of time in equal columns.

Memory is bounded: single spans are kept up to `MAX_SPANS`, and the columns get wider instead of more.
"""

from __future__ import annotations

import itertools
from typing import Any

MAX_SPANS = 5_000
MAX_COLUMNS = 240  # of a lane
FIRST_COLUMN_S = 1 / 1024
STATES = ("compute", "local", "transfer", "wait")

KINDS = ("IterationFinished", "ExchangeFinished")


class Lanes:
    """Feed it the events of one run as plain data."""

    def __init__(self) -> None:
        self._spans: dict[int, dict[str, list[float]]] = {}  # worker -> state -> start, end, start, end, ...
        self._num_spans = 0
        self._column_s = FIRST_COLUMN_S
        self._shares: dict[int, dict[str, list[float]]] = {}  # worker -> state -> seconds in each column

    def update(self, event: dict[str, Any]) -> None:
        if event["kind"] == "IterationFinished":
            start_s, end_s = event["started_at_s"], event["at_s"]
            local_until_s = min(end_s, start_s + event["overlapped_s"])
            self._add(event["worker"], "local", start_s, local_until_s)
            self._add(event["worker"], "compute", local_until_s, end_s)
        elif event["kind"] == "ExchangeFinished" and event["blocked_from_s"] is not None:
            from_s, arrived_s = event["blocked_from_s"], event["arrived_at_s"]
            stops = [from_s, max(from_s, arrived_s), max(from_s, arrived_s, event["released_at_s"]), event["at_s"]]
            for state, (start_s, end_s) in zip(
                ("transfer", "wait", "transfer"), itertools.pairwise(stops), strict=True
            ):
                self._add(event["worker"], state, start_s, end_s)

    def to_data(self) -> dict[str, Any]:
        """Give the lanes in the order of the workers.

        Returns:
            `is_exact`; exact: `lanes` of `name` and, for each state, start and end of each span in turn; else
            `column_s` and `lanes` of `name` and, for each state, the share of each column.
        """
        is_exact = self._num_spans <= MAX_SPANS
        kept = self._spans if is_exact else self._shares
        scale = 1.0 if is_exact else 1 / self._column_s
        lanes = [
            {"name": f"worker {worker}", **{state: _rounded(kept[worker].get(state, []), scale) for state in STATES}}
            for worker in sorted(kept)
        ]
        return {"is_exact": is_exact, "column_s": self._column_s, "num_spans": self._num_spans, "lanes": lanes}

    def _add(self, worker: int, state: str, start_s: float, end_s: float) -> None:
        if not 0 <= start_s < end_s:
            return
        self._num_spans += 1
        if self._num_spans <= MAX_SPANS:
            self._spans.setdefault(worker, {}).setdefault(state, []).extend((start_s, end_s))
        while end_s >= self._column_s * MAX_COLUMNS:
            self._widen()
        first, last = int(start_s // self._column_s), int(end_s // self._column_s)
        seconds = self._shares.setdefault(worker, {}).setdefault(state, [])
        seconds.extend([0.0] * (last + 1 - len(seconds)))
        for place in range(first, last + 1):
            low_s, high_s = place * self._column_s, (place + 1) * self._column_s
            seconds[place] += max(0.0, min(end_s, high_s) - max(start_s, low_s))

    def _widen(self) -> None:
        self._column_s *= 2
        for lane in self._shares.values():
            for state, seconds in lane.items():
                lane[state] = [sum(seconds[place : place + 2]) for place in range(0, len(seconds), 2)]


def _rounded(values: list[float], scale: float) -> list[float]:
    return [round(value * scale, 6) for value in values]
