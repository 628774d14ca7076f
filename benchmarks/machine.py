"""Where and when something was measured: the one line that stands in every report."""

from __future__ import annotations

import datetime
import os
import platform


def machine() -> str:
    """Name date and machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    date = datetime.date.today().isoformat()
    return f"{date}, {cores} cores {platform.machine()}, Python {platform.python_version()}"
