"""What several tests of the backend use: small experiments, and the checks that no event is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from backend.store import events, experiments
from backend.store.database import Database
from predictor.spec import read_experiment


def small_experiment(session: Session, name: str = "small", **parts: Any) -> str:
    """Add an experiment and give its id; by default it has one run."""
    spec = read_experiment({"name": name, "run": {}, **parts})
    return experiments.create(session, spec)[0]


def add_run(session: Session, name: str = "small") -> str:
    """Add an experiment with one run, and give the run's id."""
    return experiments.get(session, small_experiment(session, name)).run_ids[0]


def read_all(database: Database, run_id: str, *, limit: int = 1_000) -> list[dict[str, Any]]:
    """Read the stored events, page by page."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        with database.read() as session:
            page = events.read(session, run_id, after, limit)
        found.extend(json.loads(line) for line in page.lines)
        after = page.last_seq
        if page.is_end:
            return found


def check_equal_to_log(database: Database, run_id: str, path: Path) -> None:
    """Check that every event of the log is stored once, in order, and unchanged."""
    in_log = [json.loads(line) for line in path.read_bytes().splitlines()]
    stored = read_all(database, run_id)
    assert [event["seq"] for event in stored] == list(range(1, len(in_log) + 1))
    assert stored == in_log


def wait_for(condition: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait until a condition holds, and fail with `what` if it does not."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain: {what}"
        time.sleep(0.02)
