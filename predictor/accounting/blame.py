"""Whom a worker waits for, and why: what the gate says while it holds and releases.

Where several are waited for at once, the time is charged to the last one to arrive: to the worker whose push, report
or leaving let the gate release. Where something else did (a deadline, a retuning), it is shared equally by those
who had not come by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from predictor.accounting.parts import kind_of

NOBODY = -1  # the gate has named nobody
_MAX_UNREAD = 4096  # releases of a worker whose landing is not told; more are only in a log without landings


class Hold(NamedTuple):
    """One sentence of the gate about a worker that waits."""

    at_s: float
    sentence: str
    waits_for: tuple[int, ...]
    num_arrivals: int  # of all workers, when it was said


class Blamed(NamedTuple):
    """A hold, once it is known who came last."""

    at_s: float
    sentence: str
    culprits: tuple[int, ...]  # each is charged an equal share


class Release(NamedTuple):
    """An answer of the gate, and what it had said of the wait before."""

    at_s: float
    cause: int | None  # the worker whose message the gate answered by it
    sentence: str  # of the release itself
    blamed: tuple[Blamed, ...]


class Charge(NamedTuple):
    """A stretch of waiting with one reason."""

    from_s: float
    to_s: float
    sentence: str
    kind: str
    culprits: tuple[int, ...]


@dataclass(slots=True)
class Held:
    """What the gate has said to one worker."""

    holds: list[Hold] = field(default_factory=list)  # since its last release
    releases: deque[Release] = field(default_factory=lambda: deque(maxlen=_MAX_UNREAD))  # whose landing is not told


class Blame:
    """The gate's stream, folded. Times of the gate never go back."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._num_arrivals = 0
        self._arrived: dict[int, int] = {}  # worker -> number of its newest arrival among those of all workers
        self._cause: int | None = None  # the worker whose message the gate answers; None: of something else
        self._kinds: dict[str, str] = {}
        self.now_s = 0.0  # of the newest stimulus

    def hear(self, at_s: float, worker: int | None, *, has_arrived: bool) -> None:
        """Take in a stimulus; `has_arrived`: it is what others may have waited for."""
        self.now_s, self._cause = at_s, worker
        if has_arrived and worker is not None:
            self._num_arrivals += 1
            self._arrived[worker] = self._num_arrivals

    def hold(self, worker: int, at_s: float, sentence: str, waits_for: Iterable[int]) -> None:
        held = self._held.setdefault(worker, Held())
        held.holds.append(Hold(at_s, sentence, tuple(waits_for), self._num_arrivals))

    def release(self, worker: int, at_s: float, sentence: str) -> None:
        held = self._held.setdefault(worker, Held())
        blamed = tuple(self._settle(held.holds)) if held.holds else ()
        held.releases.append(Release(at_s, self._cause, sentence, blamed))
        held.holds = []

    def leave(self, worker: int, at_s: float) -> None:
        """Settle what a worker waited for that leaves unanswered: whoever comes later was not waited for."""
        held = self._held.get(worker)
        if held and held.holds:
            held.releases.append(Release(at_s, None, "", tuple(self._settle(held.holds))))
            held.holds = []

    def forget(self, worker: int) -> None:
        """Begin anew with another life of the worker."""
        self._held.pop(worker, None)

    # ---- what a landing asks ------------------------------------------------------------------------------

    def is_known(self, worker: int, released_at_s: float) -> bool:
        """Tell whether the gate's stream has come as far as the release that a landing tells of."""
        held = self._held.get(worker)
        if held and any(release.at_s == released_at_s for release in held.releases):
            return True
        return self.now_s > released_at_s

    def skip(self, worker: int, released_at_s: float) -> None:
        """Drop what led to weights for which the worker did not wait."""
        held = self._held.get(worker)
        while held and held.releases and held.releases[0].at_s <= released_at_s:
            held.releases.popleft()

    def explain(self, worker: int, from_s: float, to_s: float, released_at_s: float) -> list[Charge]:
        """Divide a wait by what the gate had said; nothing where it only answered that worker's own message."""
        held = self._held.get(worker)
        newest, blamed = None, []
        while held and held.releases and held.releases[0].at_s <= released_at_s:
            newest = held.releases.popleft()
            blamed += [one for one in newest.blamed if one.at_s <= to_s]
        if newest is None or blamed:
            return self._divide(blamed, from_s, to_s)
        if newest.cause == worker:
            return []
        culprits = () if newest.cause is None else (newest.cause,)
        return [Charge(from_s, to_s, newest.sentence, self._kind(newest.sentence), culprits)]

    def explain_open(self, worker: int, from_s: float, to_s: float) -> list[Charge]:
        """Divide a wait that has not ended, or that ended with the worker's leaving, by what the gate has said."""
        held = self._held.get(worker)
        if held is None:
            return self._divide([], from_s, to_s)
        blamed = [one for release in held.releases for one in release.blamed if one.at_s >= from_s]
        return self._divide([*blamed, *self._settle(held.holds, is_open=True)], from_s, to_s)

    # ---- inside -------------------------------------------------------------------------------------------

    def _divide(self, blamed: list[Blamed], from_s: float, to_s: float) -> list[Charge]:
        """Let each sentence count until the next one; the first one from the start of the wait on."""
        if not blamed:
            return [Charge(from_s, to_s, "", self._kind(""), ())]
        charges = []
        ends_s = [one.at_s for one in blamed[1:]] + [to_s]
        start_s = from_s
        for one, end_s in zip(blamed, ends_s, strict=True):
            stop_s = min(max(end_s, start_s), to_s)
            if stop_s > start_s:
                charges.append(Charge(start_s, stop_s, one.sentence, self._kind(one.sentence), one.culprits))
            start_s = max(start_s, stop_s)
        return charges

    def _settle(self, holds: list[Hold], *, is_open: bool = False) -> Iterator[Blamed]:
        latest = set(holds[-1].waits_for) if holds else set()
        for hold in holds:
            yield Blamed(hold.at_s, hold.sentence, self._last_of(hold, latest, None if is_open else self._cause))

    def _last_of(self, hold: Hold, latest: set[int], cause: int | None) -> tuple[int, ...]:
        """Give who of those waited for came last, or has not come."""
        named = hold.waits_for
        if len(named) < 2:
            return named
        if cause in named:
            return (cause,) if cause is not None else ()
        longest = tuple(worker for worker in named if worker in latest) or named
        missing = tuple(worker for worker in longest if self._arrived.get(worker, 0) <= hold.num_arrivals)
        return missing or (max(longest, key=lambda worker: self._arrived.get(worker, 0)),)

    def _kind(self, sentence: str) -> str:
        kind = self._kinds.get(sentence)
        if kind is None:
            if len(self._kinds) > _MAX_UNREAD:
                self._kinds.clear()
            kind = self._kinds[sentence] = kind_of(sentence)
        return kind
