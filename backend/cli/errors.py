"""What a command says when it cannot do what was asked."""

from __future__ import annotations


class CliError(Exception):
    """A command cannot go on; the message is one sentence for the user.

    Args:
        message: what happened, the value, the wish.
        exit_code: 1 when the work failed, 2 when what was asked for cannot be used.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        self.exit_code = exit_code
        super().__init__(message)
