"""The errors of the workers.

WorkersError
├── DataError          a data set or model cannot be used: what happened, the value, the wish
├── RunDirectoryError  a run directory cannot be used: missing spec, held by another coordinator, nothing to resume
├── JournalError       the log of a run cannot be written: the disk is full or fails
└── TransportError     a message between a worker and the server could not be delivered or answered
    └── ServerLost     the server is gone; nothing will ever be answered
"""

from __future__ import annotations


class WorkersError(Exception):
    """Root of all errors raised by `workers`."""


class DataError(WorkersError, ValueError):
    """A data set or model cannot be used."""


class RunDirectoryError(WorkersError, ValueError):
    """A run directory cannot be used."""


class TransportError(WorkersError):
    """A message between a worker and the server could not be delivered or answered."""


class ServerLost(TransportError):
    """The server is gone; nothing will ever be answered."""


class JournalError(WorkersError):
    """The log of a run cannot be written: the disk is full or fails."""
