"""Wake-ups from the threads of the run manager to the WebSocket handlers in the event loop.

A wake-up carries nothing: whoever wakes reads on from its own cursor. So a slow client costs a number, not a
queue, and any number of changes between two reads is one wake-up.
"""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType


class Subscription:
    """Wake-ups about one run, for one handler: `with manager.subscribe(run_id) as wake: ... await wake.wait()`.

    Subscribe first, then read, then wait: what happens between the read and the wait is not missed.
    """

    def __init__(self, wakeups: Wakeups, run_id: str) -> None:
        self._wakeups = wakeups
        self.run_id = run_id
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def __enter__(self) -> Subscription:
        self._wakeups.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wakeups.discard(self)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for news; False if none came in time."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return False
        self._event.clear()
        return True

    def wake(self) -> None:
        """Wake the handler; from any thread. A closed loop has no handler any more."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)


class Wakeups:
    """All subscriptions of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_run: dict[str, set[Subscription]] = {}

    def notify(self, run_id: str) -> None:
        """Wake everybody who watches the run; from any thread."""
        with self._lock:
            for subscription in self._by_run.get(run_id, ()):
                subscription.wake()

    def add(self, subscription: Subscription) -> None:
        with self._lock:
            self._by_run.setdefault(subscription.run_id, set()).add(subscription)

    def discard(self, subscription: Subscription) -> None:
        with self._lock:
            others = self._by_run.get(subscription.run_id, set())
            others.discard(subscription)
            if not others:
                self._by_run.pop(subscription.run_id, None)
