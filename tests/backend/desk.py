"""A home whose manager starts real processes that run a script (`fake_worker`) instead of training."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from backend.runs.manager import RunManager
from backend.runs.rundir import RunDirectory
from backend.runs.scheduler import Deadlines
from backend.settings import Settings
from backend.store import experiments, runs
from backend.store.database import Database
from backend.store.records import RunRecord
from tests.backend.checks import check_equal_to_log, small_experiment, wait_for

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.backend.fake_worker")
REAL_COMMAND = (sys.executable, "-m", "workers")
QUICK = Deadlines(poll_s=0.02, lock_s=20.0, adopt_s=0.3, stop_s=20.0, terminate_s=20.0, resend_s=0.1)
IMPATIENT = Deadlines(poll_s=0.02, lock_s=0.5, adopt_s=0.3, stop_s=0.3, terminate_s=0.3, resend_s=0.1)
LONG = "num=100000 pause=0.01"


class Desk:
    """A home with a database, and managers that serve it one after the other."""

    def __init__(self, database: Database, home: Path, **settings: Any) -> None:
        self.database = database
        self.settings = Settings(
            home=home, database_url="", token="x" * 20, worker_command=COMMAND, **{"concurrency": 1, **settings}
        )
        self.settings.runs_dir.mkdir(parents=True, exist_ok=True)
        self.manager: RunManager | None = None
        self.servers: list[Server] = []

    def serve(self, deadlines: Deadlines = QUICK, **settings: Any) -> RunManager:
        if self.manager is not None:
            self.manager.shutdown()
        fields = {name: getattr(self.settings, name) for name in Settings.__slots__}
        self.manager = RunManager(Settings(**{**fields, **settings}), self.database, deadlines)
        self.manager.start()
        return self.manager

    def queue(self, *scripts: str) -> list[str]:
        with self.database.write() as session:
            made = [small_experiment(session, "x", run={"name": script}) for script in scripts]
            run_ids = [experiments.get(session, one).run_ids[0] for one in made]
        if self.manager is not None:
            self.manager.submit(run_ids)
        return run_ids

    def run(self, run_id: str) -> RunRecord:
        with self.database.read() as session:
            return runs.get(session, run_id)

    def path(self, run_id: str) -> Path:
        return self.settings.runs_dir / run_id

    def wait(self, run_id: str, *states: str) -> RunRecord:
        wait_for(lambda: self.run(run_id).state in states, f"{states} of {self.run(run_id)}")
        return self.run(run_id)

    def wait_until_it_trains(self, run_id: str, num: int = 5) -> psutil.Process:
        wait_for(lambda: self.run(run_id).last_seq >= num, f"{num} events")
        return psutil.Process(int((self.path(run_id) / "lock").read_text()))

    def check_log(self, run_id: str) -> None:
        check_equal_to_log(self.database, run_id, self.path(run_id) / "events.jsonl")


class Server:
    """The run manager in a process of its own, which can be killed."""

    def __init__(self, desk: Desk, how: str = "") -> None:
        url = desk.database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.backend.serve_runs", str(desk.settings.home), url, how]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        desk.servers.append(self)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"serving\n"

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> int:
        """Close its input, wait for its end, and give its exit code."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.communicate()
        return self.process.wait()


@pytest.fixture
def desk(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    made = Desk(database, tmp_path / "home")
    before = set(psutil.Process().children())
    yield made
    for server in made.servers:
        server.kill()
    with database.read() as session:
        left = runs.queue(session).running  # a test that failed may leave a deaf one
    for run_id in left:
        holder = RunDirectory(made.settings.runs_dir, run_id).find_holder()
        if holder is not None:
            holder.kill()
    if made.manager is not None:
        made.manager.shutdown()
    assert set(psutil.Process().children()) == before  # nothing that was started is left
