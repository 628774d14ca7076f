"""The client's errors.

ClientError
├── Unreachable     no answer: nothing listens there, or the connection broke
└── Refused         the server answered with a problem
"""

from __future__ import annotations

from backend.api.schemas import Problem


class ClientError(Exception):
    """Root of all errors raised by `backend.client`."""


class Unreachable(ClientError):
    """No answer came from the server."""


class Refused(ClientError):
    """The server answered with a problem; the message is its sentence."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.status = problem.status
        super().__init__(problem.detail)
