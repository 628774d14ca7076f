"""A server, an evaluator and workers, each a process of its own; the coordinator starts them and writes the log."""

from __future__ import annotations

from predictor.events import Outcome
from workers.coordinator.coordinator import Coordinator
from workers.coordinator.directory import RunDirectory
from workers.coordinator.journal import Journal
from workers.job import Job


def launch(directory: RunDirectory, job: Job, journal: Journal, has_reached_target: bool) -> Outcome:
    """Train with real processes.

    Raises:
        JournalError: the log could not be written; all processes of the run are gone.
    """
    return Coordinator(directory, job, journal, has_reached_target).run()
