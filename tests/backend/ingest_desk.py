"""A run whose log the test writes, and an ingest whose turns the test takes."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from backend.runs.health import Health
from backend.runs.ingest import Ingest
from backend.runs.wakeups import Wakeups
from backend.store import progress, runs
from backend.store.database import Database
from backend.store.records import RunRecord
from backend.store.tables import EventChunk
from tests.backend.checks import add_run


class IngestDesk:
    """A run whose log the test writes, and an ingest whose turns the test takes."""

    def __init__(self, database: Database, runs_dir: Path) -> None:
        self.database = database
        self.runs_dir = runs_dir
        self.health = Health()
        self.wakeups = Wakeups()
        self.num_state_changes = 0
        with database.write() as session:
            self.run_id = add_run(session)
            progress.change(session, self.run_id, {"state": "starting", "queue_place": None})
        self.path = runs_dir / self.run_id / "events.jsonl"
        self.path.parent.mkdir(parents=True)
        self.ingest = self.new_ingest()

    def new_ingest(self) -> Ingest:
        ingest = Ingest(
            self.database,
            self.runs_dir,
            self.wakeups,
            self.health,
            on_state=self.note_state,
            on_end=lambda _: None,
        )
        ingest.follow(self.run_id)
        return ingest

    def note_state(self) -> None:
        self.num_state_changes += 1

    def turn(self) -> None:
        while self.ingest.turn():
            pass

    def run(self) -> RunRecord:
        with self.database.read() as session:
            return runs.get(session, self.run_id)

    def position(self) -> progress.Position:
        with self.database.read() as session:
            return progress.position(session, self.run_id)

    def chunks(self) -> list[tuple[int, int, str]]:
        query = sa.select(EventChunk.first_seq, EventChunk.last_seq, EventChunk.codec).order_by(EventChunk.first_seq)
        with self.database.read() as session:
            return [tuple(row) for row in session.execute(query)]
