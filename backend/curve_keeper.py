"""Folds the curves of each run when it has ended, so that the first comparison of a hundred runs need not."""

from __future__ import annotations

import logging
import queue
import threading

from sqlalchemy.exc import SQLAlchemyError

from backend.curve_cache import CurveCache
from backend.errors import NotFound

PAUSE_S = 0.05  # between two runs: others want to work, too

logger = logging.getLogger(__name__)


class CurveKeeper:
    """One thread. A run that it misses, since the program ended, is folded when somebody asks for its curves."""

    def __init__(self, cache: CurveCache) -> None:
        self._cache = cache
        self._ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="curve-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread; what it has not come to is left."""
        self._is_ending.set()
        self._ended.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def notice(self, run_id: str) -> None:
        """Keep the curves of a run that has ended, soon; from any thread."""
        self._ended.put(run_id)

    def _run(self) -> None:
        while (run_id := self._ended.get()) is not None and not self._is_ending.wait(PAUSE_S):
            try:
                self._cache.read(run_id)
            except NotFound:
                logger.debug("Run %s was deleted before its curves were kept.", run_id)
            except (SQLAlchemyError, OSError) as error:
                logger.info("The curves of run %s are not kept now: %s", run_id, error)
