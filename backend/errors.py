"""The backend's errors. Each message is one sentence that a user may read.

BackendError
├── SettingsError      a setting of the program cannot be used
├── StoreError         the database cannot be used
├── BadValue           a value of a request is wrong: field, value, wish (HTTP 422)
├── NotFound           no such run or experiment (404)
├── Conflict           not in this state: the run trains, the key was used for something else (409)
└── ExecutorError      the processes that train, or their catalogue, cannot be started (503)
"""

from __future__ import annotations


class BackendError(Exception):
    """Root of all errors raised by `backend`."""


class SettingsError(BackendError):
    """A setting of the program cannot be used."""


class StoreError(BackendError):
    """The database cannot be reached, read or brought up to date."""


class BadValue(BackendError, ValueError):
    """A value of a request is wrong."""

    def __init__(self, field: str, value: object, wish: str) -> None:
        self.field = field
        self.value = value
        self.wish = wish
        super().__init__(f"{field} {wish}, got {value!r}")


class NotFound(BackendError):
    """There is no such thing."""

    def __init__(self, what: str, id: str) -> None:
        self.what = what
        self.id = id
        super().__init__(f"There is no {what} {id!r}.")


class Conflict(BackendError):
    """The thing is not in a state that allows this."""


class ExecutorError(BackendError):
    """The processes that train cannot be started."""
