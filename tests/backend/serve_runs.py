"""A program that is nothing but a run manager: `python -m tests.backend.serve_runs HOME DATABASE_URL [HOW]`.

It serves until its standard input ends. HOW: "real" trains with the real workers, not with `fake_worker`;
"before" and "after" make it kill itself before or after the commit of a batch of events, once 30 are stored.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from backend.runs.manager import RunManager
from backend.runs.wakeups import Wakeups
from backend.settings import Settings
from backend.store import progress
from backend.store.database import Database
from tests.backend.desk import COMMAND, QUICK, REAL_COMMAND


def kill_at(moment: str) -> None:
    change = progress.change
    reached = [0]

    def change_or_die(session: Any, run_id: str, values: dict[str, Any]) -> None:
        change(session, run_id, values)
        reached[0] = values.get("last_seq", 0)
        if moment == "before" and reached[0] > 30:
            os.kill(os.getpid(), signal.SIGKILL)

    def die(*_: object) -> None:
        if reached[0] > 30:
            os.kill(os.getpid(), signal.SIGKILL)

    progress.change = change_or_die
    if moment == "after":
        Wakeups.notify = die  # type: ignore[method-assign]


if __name__ == "__main__":
    how = sys.argv[3] if len(sys.argv) > 3 else ""
    if how in ("before", "after"):
        kill_at(how)
    command = REAL_COMMAND if how == "real" else COMMAND
    settings = Settings(home=Path(sys.argv[1]), database_url=sys.argv[2], token="x" * 20, worker_command=command)
    manager = RunManager(settings, Database(settings.database_url), QUICK)
    manager.start()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    sys.stdin.read()
    manager.shutdown()
