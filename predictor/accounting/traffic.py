"""Payload bytes by node and direction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from predictor.accounting.ledger import Ledger


class Traffic:
    """The newest gauges of each node over all its lives; of workers without gauges, what their exchanges tell."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}  # in lives that have ended
        self._gauges: dict[str, tuple[int, int]] = {}

    def sample(self, node: str, sent_bytes: int, received_bytes: int) -> None:
        """Take in cumulative gauges; they begin at 0 with every life of a process."""
        old = self._gauges.get(node, (0, 0))
        if sent_bytes < old[0] or received_bytes < old[1]:
            self._end(node)
        self._gauges[node] = sent_bytes, received_bytes

    def restart(self) -> None:
        for node in list(self._gauges):
            self._end(node)

    def report(self, ledgers: Iterable[Ledger]) -> list[dict[str, Any]]:
        """Give a row for each node: payload that it sent and received, and by what that is known."""
        rows = []
        workers = {f"worker-{one.worker}": one for one in ledgers}
        others = sorted((self._gauges.keys() | self._before.keys()) - workers.keys())
        for node in (*others, *sorted(workers, key=lambda node: workers[node].worker)):
            before, now = self._before.get(node, (0, 0)), self._gauges.get(node, (0, 0))
            sent_bytes, received_bytes, by = before[0] + now[0], before[1] + now[1], "gauge"
            worker = workers.get(node)
            if worker and (worker.sent_bytes > sent_bytes or worker.received_bytes > received_bytes):
                sent_bytes, received_bytes, by = worker.sent_bytes, worker.received_bytes, "exchanges"
            rows.append({"node": node, "sent_bytes": sent_bytes, "received_bytes": received_bytes, "known_by": by})
        return rows

    def _end(self, node: str) -> None:
        before, now = self._before.get(node, (0, 0)), self._gauges.pop(node)
        self._before[node] = before[0] + now[0], before[1] + now[1]
