"""Launchers: how a run is carried out. One file each, one line here.

Called once the run directory is locked and the job is prepared. A launcher sees the run to its end, writes the log
up to the closing event, obeys `control.jsonl` and SIGTERM, and returns the outcome.
"""

from __future__ import annotations

from collections.abc import Callable

from predictor.events import Outcome
from workers.coordinator.directory import RunDirectory
from workers.coordinator.journal import Journal
from workers.job import Job
from workers.launchers import processes, virtual

Launcher = Callable[[RunDirectory, Job, Journal, bool], Outcome]  # the last one: the target was reached before a resume

LAUNCHERS: dict[str, Launcher] = {
    "processes": processes.launch,
    "virtual": virtual.launch,
}
