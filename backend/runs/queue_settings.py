"""Whether the queue is paused and how many runs train at once: changed while the program serves, kept over its end."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

FILE = "queue.json"  # in the home
MAX_CONCURRENCY = 64


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How the queue is worked on."""

    concurrency: int
    is_paused: bool = False


def read(home: Path, concurrency: int | None) -> QueueSettings:
    """Read what was kept.

    Args:
        home: folder of the program.
        concurrency: what the program was told at its start, which goes before what was kept.
    """
    kept = {}
    with contextlib.suppress(OSError, ValueError):  # none yet, or damaged: the queue then works as at the first start
        kept = json.loads((home / FILE).read_text())
    if not isinstance(kept, dict):
        kept = {}
    earlier = kept.get("concurrency")
    if not isinstance(earlier, int) or not 1 <= earlier <= MAX_CONCURRENCY:
        earlier = 1
    return QueueSettings(concurrency or earlier, kept.get("is_paused") is True)


def write(home: Path, settings: QueueSettings) -> None:
    """Keep settings for the next start.

    Raises:
        OSError: they cannot be written.
    """
    descriptor, fresh = tempfile.mkstemp(prefix=".queue-", dir=home)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"concurrency": settings.concurrency, "is_paused": settings.is_paused}, file)
        Path(fresh).replace(home / FILE)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
