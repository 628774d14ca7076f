"""Wake-ups from the threads of the run manager to the WebSocket handlers in the event loop.

A wake-up carries a run's id and nothing else: whoever wakes reads on from its own cursor. So a slow client costs
a number, not a queue, and any number of changes between two reads is one wake-up.

Beside them stands, as one number for each run, when it has changed last (`Wakeups.version_of`): so a reader knows
whether what it holds is still the newest, and the list of runs knows which of them to tell about.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from types import TracebackType

from backend.runs.tails import Tails

MAX_REMEMBERED = 10_000  # runs whose last change is known; who lags behind further than these is told so


class Subscription:
    """Wake-ups for one handler: `with manager.subscribe(run_id) as wakeups: ... await wakeups.wait(1.0)`.

    It may follow several runs, or all. Subscribe first, then read, then wait: what happens between the read and the
    wait is not missed. Inside the block and the event loop only, but for `wake`.
    """

    def __init__(self, wakeups: Wakeups, *run_ids: str) -> None:
        self._wakeups = wakeups
        self._run_ids = set(run_ids)
        self._follows_all = False
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._woken: set[str] = set()

    def __enter__(self) -> Subscription:
        for run_id in self._run_ids:
            self._wakeups.add(self, run_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for run_id in self._run_ids:
            self._wakeups.discard(self, run_id)
        self.follow_all(False)

    def follow(self, run_id: str) -> None:
        """Be woken by a run, too."""
        if run_id not in self._run_ids:
            self._run_ids.add(run_id)
            self._wakeups.add(self, run_id)

    def unfollow(self, run_id: str) -> None:
        """Be woken by a run no longer."""
        if run_id in self._run_ids:
            self._run_ids.remove(run_id)
            self._woken.discard(run_id)
            self._wakeups.discard(self, run_id)

    def follow_all(self, is_wanted: bool) -> None:
        """Be woken by whatever run changes, or no longer."""
        if is_wanted != self._follows_all:
            self._follows_all = is_wanted
            self._wakeups.follow_all(self, is_wanted)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for news; False if none came in time."""
        if not self._event.is_set():
            try:
                await asyncio.wait_for(self._event.wait(), timeout_s)
            except TimeoutError:
                return False
        self._event.clear()
        return True

    def take(self) -> set[str]:
        """Give the followed runs that woke it since the last time."""
        woken, self._woken = self._woken, set()
        return woken

    def wake(self, run_id: str | None = None) -> None:
        """Wake the handler; from any thread. A closed loop has no handler any more."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._note, run_id)

    def _note(self, run_id: str | None) -> None:
        if run_id in self._run_ids:
            self._woken.add(run_id)
        self._event.set()


class Wakeups:
    """All subscriptions of the process, and what the handlers need to know of the runs that they follow."""

    def __init__(self) -> None:
        self.tails = Tails()
        self._lock = threading.Lock()
        self._by_run: dict[str, set[Subscription]] = {}
        self._of_all: set[Subscription] = set()
        self._changed: OrderedDict[str, int] = OrderedDict()  # run -> version of its last change, oldest first
        self._version = 0
        self._forgotten = 0  # the newest version that `_changed` has let go

    @property
    def version(self) -> int:
        """A number that grows with every change of any run."""
        return self._version

    def version_of(self, run_id: str) -> int:
        """Give the version of the last change of a run; 0 if none is remembered."""
        return self._changed.get(run_id, 0)

    def changed_since(self, version: int) -> list[str] | None:
        """Give the runs that have changed after a version, oldest change first; None if they are too many to know."""
        with self._lock:
            if version < self._forgotten:
                return None
            found: list[str] = []
            for run_id, changed_at in reversed(self._changed.items()):
                if changed_at <= version:
                    break
                found.append(run_id)
        return found[::-1]

    def notify(self, run_id: str) -> None:
        """Say that a run has changed, and wake everybody who watches it; from any thread."""
        with self._lock:
            self._version += 1
            self._changed[run_id] = self._version
            self._changed.move_to_end(run_id)
            if len(self._changed) > MAX_REMEMBERED:
                _, self._forgotten = self._changed.popitem(last=False)
            for subscription in self._by_run.get(run_id, set()) | self._of_all:
                subscription.wake(run_id)

    def add(self, subscription: Subscription, run_id: str) -> None:
        with self._lock:
            self._by_run.setdefault(run_id, set()).add(subscription)
        self.tails.watch(run_id)

    def discard(self, subscription: Subscription, run_id: str) -> None:
        with self._lock:
            others = self._by_run.get(run_id, set())
            others.discard(subscription)
            if not others:
                self._by_run.pop(run_id, None)
        self.tails.unwatch(run_id)

    def follow_all(self, subscription: Subscription, is_wanted: bool) -> None:
        with self._lock:
            if is_wanted:
                self._of_all.add(subscription)
            else:
                self._of_all.discard(subscription)
