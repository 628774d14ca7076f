"""Runs to export: simulated in this process, told as the store would tell them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson

from backend.store.codec import finite
from predictor import log
from predictor.events import Event, RunFinished, RunStarted
from predictor.simulator import scenario_of, simulate
from predictor.spec import read_run, to_data
from predictor.summary import Summary

SPEC: dict[str, Any] = {
    "name": "a run",
    "cluster": {"num_workers": 3, "launcher": "virtual"},
    "policy": {"name": "foresync"},
    "speed": {"kind": "lognormal", "base_s": 0.1, "factors": [1, 1, 3], "cv": 0.3},
    "transfer": {"transfer_s": 0.02},
    "stop": {"iterations": 60, "seconds": None},
}


BATCH = 100


class MadeRun:
    """A source whose log lies in memory; `num_read` says how many lines were taken from it."""

    def __init__(self, events: list[Event], spec: dict[str, Any], **fields: Any) -> None:
        self.lines_made = [
            finite(log.with_seq(log.encode(event), seq).rstrip(b"\n")) for seq, event in enumerate(events, 1)
        ]
        summary = Summary()
        for event in events:
            summary.update(event)
        self.num_read = 0
        self.run: dict[str, Any] = {
            "id": "0" * 16,
            "experiment_id": "1" * 16,
            "experiment_name": "an experiment",
            "name": spec["name"],
            "state": "completed",
            "reason": "Completed: all iterations are done",
            "spec": spec,
            "spec_in_force": spec,
            "is_retuned": False,
            "retuned": [],
            "tags": ["a tag"],
            "notes": "",
            "created_at": "2026-01-02T03:04:05.000Z",
            "started_at": "2026-01-02T03:04:05.000Z",
            "finished_at": "2026-01-02T03:05:05.000Z",
            "last_seq": len(events),
            "queue_position": None,
            "is_simulated": True,
            "parent_id": None,
            "is_archived": False,
            "deleted_at": None,
            "summary": summary.report(),
            **fields,
        }

    def lines(self, kinds: Collection[str] | None = None) -> Iterator[list[bytes]]:
        for start in range(0, len(self.lines_made), BATCH):
            batch = self.lines_made[start : start + BATCH]
            self.num_read += len(batch)
            yield [line for line in batch if kinds is None or orjson.loads(line)["kind"] in kinds]

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        made = [orjson.loads(line) for line in self.lines_made]
        return [event for event in made if not kinds or event["kind"] in kinds]


def made_run(more: Sequence[Event] | None = None, spec: dict[str, Any] | None = None, **fields: Any) -> MadeRun:
    """Simulate a run; `more` are events that come before its last one."""
    read = read_run({**SPEC, **(spec or {})})
    events: list[Event] = []
    simulate(scenario_of(read, str), events.append)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    return MadeRun([*events[:-1], *(more or []), events[-1]], orjson.loads(orjson.dumps(to_data(read))), **fields)
