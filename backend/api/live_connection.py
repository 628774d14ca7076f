"""The writer of one WebSocket connection: any number of runs, each a cursor, and perhaps the list of runs.

The whole state of a connection are these cursors, so a reader that stalls costs a number, not a queue. One task writes
(`Connection.send_all`). In turns it sends what stands in memory: a frame of each run at its tail, then one frame of one
run that is catching up. What has to be read from the store, a state or the past of a run, is read beside it, one read
at a time. So a run with a million events to send holds the others up by one of its frames, never by a read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import orjson

from backend.api.frames import EventsFrame, Frames, StateFrame
from backend.api.notices import Notice, Notices
from backend.errors import NotFound
from backend.runs.wakeups import Subscription
from backend.store.ids import is_id

FRAME_PAUSE_S = 0.05  # at most 20 frames a second of a run at its tail, unless they are full
FRAME_SHARE_S = 0.0025  # at most 400 frames a second of all runs at their tails
STATE_PAUSE_S = 0.5  # at most 2 states a second of a run
STATE_SHARE_S = 0.05  # at most 20 states a second of all runs
LOOK_AGAIN_S = 2.0  # without a wake-up: another program may write to the same database
BEAT_S = 5.0  # of silence, after which a beat says that the connection is alive

BEAT_FRAME = '{"type":"beat"}'


class TooSlow(Exception):
    """The client has read nothing for a while."""


class RunEnded(Exception):
    """The one run of the connection has ended, and everything was sent."""


@dataclass(slots=True, eq=False)
class Followed:
    """One run of a connection. Times are monotonic."""

    run_id: str
    cursor: int
    ticket: int | None = None  # the client's own number of this subscription
    state: StateFrame | None = None  # as it was read last
    shown: str = ""  # the state as it was sent last
    state_at: float = 0.0  # when the state is to be read
    frame_at: float = 0.0  # when the next events may be sent
    last_seq: int = 0  # newest event that is known to be stored
    is_catching_up: bool = False
    ready: EventsFrame | None = None  # what follows on the cursor, as it was read from the store
    is_told: bool = False  # the client knows that its subscription has begun
    is_gone: bool = False

    @property
    def is_behind(self) -> bool:
        return self.state is not None and self.cursor < self.last_seq

    @property
    def is_state_due(self) -> bool:
        """Whether its newest state is to be sent: the first one at once, the last one after the last event."""
        if self.state is None or self.state.text == self.shown:
            return False
        return not self.shown or not self.state.is_finished or self.cursor >= self.state.last_seq

    @property
    def has_ended(self) -> bool:
        return self.state is not None and self.state.is_finished and self.cursor >= self.state.last_seq


class Connection:
    """What is sent over one socket, and in which order."""

    def __init__(
        self,
        send_text: Callable[[str], Awaitable[None]],
        frames: Frames,
        notices: Notices,
        wakeups: Subscription,
        send_timeout_s: float,
        *,
        is_single: bool = False,
    ) -> None:
        """Wire the parts.

        Args:
            send_text: gives a frame to the socket, and waits until that takes the next one.
            frames: of the runs.
            notices: of the list of runs.
            wakeups: an open subscription, of this connection alone.
            send_timeout_s: how long the reader may take nothing.
            is_single: there is one run, with which the connection ends, and no beats are sent.
        """
        self._send_text = send_text
        self._frames = frames
        self._notices = notices
        self._wakeups = wakeups
        self._send_timeout_s = send_timeout_s
        self._is_single = is_single
        self._runs: dict[str, Followed] = {}
        self._list_number: int | None = None  # of the last notice that was sent; None: the list is not wanted
        self._is_list_told = True  # the client knows that the list's notices have begun
        self._notice: Notice | None = None  # the next one
        self._job: asyncio.Task[None] | None = None  # the read that goes on
        self._sent_at = time.monotonic()

    # ---- what the client asks for -------------------------------------------------------------------------

    @property
    def num_runs(self) -> int:
        return len(self._runs)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def follow(self, run_id: str, after: int, ticket: int | None = None) -> None:
        """Send a run's events after `after`; one that is followed already starts again from there."""
        run = Followed(run_id, after, ticket, is_told=self._is_single, is_gone=not is_id(run_id))
        self._runs[run_id] = run
        self._wakeups.follow(run_id)
        self._wakeups.wake()

    def unfollow(self, run_id: str) -> None:
        """Send nothing more of a run."""
        self._runs.pop(run_id, None)
        self._wakeups.unfollow(run_id)

    def follow_list(self, is_wanted: bool) -> None:
        """Tell, or tell no longer, which runs have changed."""
        self._list_number = self._notices.number if is_wanted else None
        self._is_list_told = not is_wanted
        self._notice = None
        self._wakeups.wake()
        self._wakeups.follow_all(is_wanted)

    # ---- the writer ---------------------------------------------------------------------------------------

    async def send_all(self) -> None:
        """Send until cancelled.

        Raises:
            TooSlow: the client takes nothing.
            RunEnded: the single run has ended.
            NotFound: there is no such single run.
        """
        try:
            while True:
                for run_id in self._wakeups.take():
                    self._note_news(run_id)
                if await self._take_turn():
                    await asyncio.sleep(0)  # the others on this event loop, and the client's messages
                else:
                    await self._wakeups.wait(self._rest_s())
        finally:
            if self._job is not None:
                self._job.cancel()

    def _note_news(self, run_id: str) -> None:
        run = self._runs.get(run_id)
        if run is not None:
            run.last_seq = max(run.last_seq, self._frames.wakeups.tails.last_seq(run_id))
            if run.state is not None:
                run.state_at = min(run.state_at, run.state.read_at + self._state_pause_s)

    @property
    def _state_pause_s(self) -> float:
        return max(STATE_PAUSE_S, STATE_SHARE_S * len(self._runs))

    async def _take_turn(self) -> bool:
        """Send what is due and at hand; True if there is more of that."""
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            job.result()
        for run in list(self._runs.values()):
            if not run.is_told and self._is_followed(run):
                run.is_told = True
                await self._send(_subscribed(run.run_id, run.cursor, run.ticket))
            if run.is_state_due and self._is_followed(run):
                await self._send_state(run)
            if run.is_behind and not run.is_catching_up and run.frame_at <= time.monotonic():
                await self._send_events(run)
        has_more = await self._serve_one_behind()
        await self._send_ends()
        await self._send_notice()
        if time.monotonic() >= self._beat_at:
            await self._send(BEAT_FRAME)
        self._begin_job()
        return has_more

    async def _serve_one_behind(self) -> bool:
        """Send one frame of a run that is catching up; True if a frame of one is at hand."""
        behind = [run for run in self._runs.values() if run.is_behind and run.is_catching_up]
        for run in behind:
            if await self._send_events(run):
                if self._is_followed(run):
                    self._runs[run.run_id] = self._runs.pop(run.run_id)  # the others go first next time
                return True
        return False

    async def _send_events(self, run: Followed) -> bool:
        """Send the next frame of a run, if it is at hand; otherwise the run has to catch up from the store."""
        frame = run.ready or self._frames.at_hand(run.run_id, run.cursor)
        run.ready = None
        run.is_catching_up = frame is None or frame.is_cut
        if frame is None or not self._is_followed(run):
            return False
        run.cursor = frame.last_seq
        run.last_seq = max(run.last_seq, run.cursor)
        if not frame.is_cut:
            run.frame_at = time.monotonic() + max(FRAME_PAUSE_S, FRAME_SHARE_S * len(self._runs))
        await self._send(frame.text)
        return True

    async def _send_state(self, run: Followed) -> None:
        assert run.state is not None
        run.shown = run.state.text
        await self._send(run.shown)

    async def _send_ends(self) -> None:
        for run in list(self._runs.values()):
            if not (run.is_gone or run.has_ended) or not self._is_followed(run):
                continue
            if run.is_gone and self._is_single:
                raise NotFound("run", run.run_id)
            if run.is_state_due and not run.is_gone:
                await self._send_state(run)
            if self._is_followed(run):  # nobody has asked for it anew in the meantime
                self.unfollow(run.run_id)
                await self._send(_encode("gone" if run.is_gone else "end", run_id=run.run_id))
            if self._is_single:
                raise RunEnded

    async def _send_notice(self) -> None:
        if not self._is_list_told:
            self._is_list_told = True
            await self._send(_subscribed(topic="runs"))
        notice, self._notice = self._notice, None
        if notice is not None and self._list_number is not None:
            self._list_number = notice.number
            await self._send(notice.text)

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._send_text(text)
        except TimeoutError:
            raise TooSlow from None
        self._sent_at = time.monotonic()

    def _is_followed(self, run: Followed) -> bool:
        return self._runs.get(run.run_id) is run

    @property
    def _beat_at(self) -> float:
        return float("inf") if self._is_single else self._sent_at + BEAT_S

    def _rest_s(self) -> float:
        """Give the time until something is due without a wake-up. What waits for the read that goes on has none."""
        moments = [self._beat_at]
        for run in self._runs.values():
            if run.is_behind and not run.is_catching_up:
                moments.append(run.frame_at)
            if self._job is None:
                moments.append(run.state_at)
        if self._job is None and self._list_number is not None:
            due_in_s = self._notices.due_in_s(self._list_number)
            moments.append(time.monotonic() + (float("inf") if due_in_s is None else due_in_s))
        return max(0.0, min(LOOK_AGAIN_S, min(moments) - time.monotonic()))

    # ---- reads beside the writer --------------------------------------------------------------------------

    def _begin_job(self) -> None:
        """Begin the read that is most wanted, unless one goes on."""
        read = None if self._job is not None else self._next_read()
        if read is not None:
            self._job = asyncio.create_task(read)
            self._job.add_done_callback(lambda _: self._wakeups.wake())

    def _next_read(self) -> Coroutine[None, None, None] | None:
        now = time.monotonic()
        for run in self._runs.values():
            if run.state_at <= now and not run.is_gone:
                return self._read_state(run)
        if self._list_number is not None and self._notices.due_in_s(self._list_number) == 0.0:
            return self._read_notice(self._list_number)
        for run in self._runs.values():
            if run.is_behind and run.is_catching_up and not run.is_gone:
                return self._read_events(run)
        return None

    async def _read_state(self, run: Followed) -> None:
        try:
            run.state = state = await self._frames.state(run.run_id)
        except NotFound:
            run.is_gone = True
            return
        run.last_seq = max(run.last_seq, state.last_seq)
        is_old = state.version != self._frames.wakeups.version_of(run.run_id)
        run.state_at = state.read_at + (self._state_pause_s if is_old else LOOK_AGAIN_S)

    async def _read_notice(self, number: int) -> None:
        self._notice = await self._notices.after(number)

    async def _read_events(self, run: Followed) -> None:
        cursor = run.cursor
        try:
            frame = await self._frames.after(run.run_id, cursor)
        except NotFound:
            run.is_gone = True
            return
        if run.cursor != cursor:
            return  # another reader's frame was at hand in the meantime, and was sent
        run.ready = frame
        if frame is None:
            run.last_seq = run.cursor  # what was in memory only is not there any more
            run.is_catching_up = False


def _subscribed(
    run_id: str | None = None, after: int | None = None, ticket: int | None = None, topic: str | None = None
) -> str:
    return _encode("subscribed", run_id=run_id, after=after, ticket=ticket, topic=topic)


def _encode(kind: str, **fields: object) -> str:
    return orjson.dumps({"type": kind, **fields}).decode()
