"""Counts the accounts of runs on as their events are stored, so that none has to be counted when somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from sqlalchemy.exc import SQLAlchemyError

from backend.account_cache import AccountCache
from backend.errors import NotFound
from backend.runs.wakeups import Wakeups

LOOK_S = 2.0  # between two looks at which runs have new events
SEQS_AT_ONCE = 2_000  # some 10 ms of work
REST = 1.0  # for each second of work so many of rest: the ingest and the streams want the interpreter, too
LONGEST_REST_S = 10.0

logger = logging.getLogger(__name__)


class AccountKeeper:
    """One thread. Of runs that changed while no server was there, the account is counted when somebody asks."""

    def __init__(self, cache: AccountCache, wakeups: Wakeups, *, look_s: float = LOOK_S) -> None:
        self._cache, self._wakeups, self._look_s = cache, wakeups, look_s
        self._version = wakeups.version  # of the runs, that was looked at
        self._behind: OrderedDict[str, None] = OrderedDict()  # runs that may have events which are not counted
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="account-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread; what it has not come to is left."""
        self._is_ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._is_ending.wait(self._look_s):
            self._look()
            looked_at = time.monotonic()
            while self._behind and not self._is_ending.is_set():
                self._turn()
                if time.monotonic() - looked_at >= self._look_s:
                    self._look()
                    looked_at = time.monotonic()

    def _look(self) -> None:
        version = self._wakeups.version
        for run_id in self._wakeups.changed_since(self._version) or ():
            self._behind[run_id] = None
        self._version = version

    def _turn(self) -> None:
        """Count one of the runs on by a little; each has its turn."""
        run_id, _ = self._behind.popitem(last=False)
        began_s, worked_s = time.monotonic(), time.thread_time()
        try:
            if self._cache.advance(run_id, SEQS_AT_ONCE):
                self._behind[run_id] = None
        except NotFound:
            logger.debug("Run %s was deleted before its account was kept.", run_id)
        except (SQLAlchemyError, OSError) as error:
            logger.info("The account of run %s is not counted now: %s", run_id, error)
        self._is_ending.wait(rest_s(time.monotonic() - began_s, time.thread_time() - worked_s))


def rest_s(took_s: float, worked_s: float) -> float:
    """Give how long to rest after some work: the less of the time it had the processor, the more others want it.

    Args:
        took_s: seconds on the wall.
        worked_s: of them on the processor.
    """
    return min(LONGEST_REST_S, REST * took_s * took_s / max(worked_s, 1e-3))
