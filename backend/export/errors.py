"""What an export can fail with, beside what the store and the request say."""

from __future__ import annotations

from backend.errors import BackendError


class ExportError(BackendError):
    """The directory that was named is not one of a run, or its log cannot be read to its end."""
