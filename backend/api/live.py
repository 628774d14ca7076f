"""The live stream of a run: what is stored, then what comes.

Each connection has a task of its own whose whole state is a cursor, so a slow reader costs a number, not a
queue, and nobody else anything. Events are stored before anyone is woken, and a frame is always read from the
store at the cursor: nothing is left out and nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from backend.api.frames import Frames, StateFrame
from backend.api.services import Use
from backend.errors import NotFound
from backend.runs.wakeups import Subscription
from backend.store.ids import is_id

router = APIRouter(tags=["runs"])

FRAME_PAUSE_S = 0.05  # at most 20 frames a second while tailing
STATE_PAUSE_S = 0.5  # at most 2 states a second
LOOK_AGAIN_S = 2.0  # without a wake-up: another program may write to the same database
SEND_TIMEOUT_S = 10.0  # a reader that takes nothing for so long is let go
CLOSE_TIMEOUT_S = 60.0  # later the connection is cut without a word
MAX_DIGITS = 18

CLOSE_DONE = 1000
CLOSE_BAD_QUERY = 4400
CLOSE_UNKNOWN_RUN = 4404
CLOSE_TOO_SLOW = 4408  # connect again with the last seq that arrived

END_FRAME = '{"type":"end"}'


class TooSlow(Exception):
    """The client has read nothing for a while."""


@router.websocket("/runs/{run_id}/live")
async def stream_run(socket: WebSocket, run_id: str, use: Use) -> None:
    """Send the run's events after `after`, its states, and the end."""
    await socket.accept()
    after = socket.query_params.get("after", "0")
    if set(socket.query_params) - {"after"} or not (after.isascii() and after.isdigit() and len(after) <= MAX_DIGITS):
        await socket.close(CLOSE_BAD_QUERY, "the query may hold after=SEQ, a whole number >= 0, and nothing else")
        return
    if not is_id(run_id):
        await socket.close(CLOSE_UNKNOWN_RUN, "there is no such run")
        return
    with use.manager.subscribe(run_id) as wakeups:
        stream = Stream(socket, use.frames, wakeups, int(after), use.send_timeout_s)
        tasks = {asyncio.create_task(stream.send_all()), asyncio.create_task(_until_gone(socket))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result


async def _until_gone(socket: WebSocket) -> None:
    """Return when the client has gone away. What it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


class Stream:
    """One connection."""

    def __init__(
        self, socket: WebSocket, frames: Frames, wakeups: Subscription, after: int, send_timeout_s: float
    ) -> None:
        self._socket = socket
        self._frames = frames
        self._wakeups = wakeups
        self._cursor = after
        self._send_timeout_s = send_timeout_s
        self._shown = ""  # the state as it was sent last
        self._shown_at = -STATE_PAUSE_S

    async def send_all(self) -> None:
        """Send until the run's end, then close."""
        try:
            await self._follow()
            code, reason = CLOSE_DONE, "the run has ended"
        except NotFound:
            code, reason = CLOSE_UNKNOWN_RUN, "there is no such run"
        except TooSlow:
            code, reason = CLOSE_TOO_SLOW, "too slow: connect again with after= the last seq that arrived"
        # The code can be said only once the client reads again. Until then this task holds a code, no events.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._socket.close(code, reason)

    async def _follow(self) -> None:
        run_id = self._wakeups.run_id
        state = await self._frames.state(run_id)
        await self._show(state)
        while True:
            await self._catch_up(state.last_seq)
            pause_s = await self._show(state, is_last=state.is_finished)
            if state.is_finished:
                await self._send(END_FRAME)
                return
            await asyncio.sleep(FRAME_PAUSE_S)
            await self._wakeups.wait(pause_s)
            state = await self._frames.state(run_id)

    async def _catch_up(self, last_seq: int) -> None:
        """Send what is stored, at least up to `last_seq`."""
        while self._cursor < last_seq:
            frame = await self._frames.after(self._wakeups.run_id, self._cursor)
            if frame is None:
                return
            await self._send(frame.text)
            self._cursor = frame.last_seq

    async def _show(self, state: StateFrame, *, is_last: bool = False) -> float:
        """Send a state that is new, unless one was sent just now; give the time until it is worth looking again."""
        if state.text == self._shown:
            return LOOK_AGAIN_S
        due_in_s = self._shown_at + STATE_PAUSE_S - time.monotonic()
        if due_in_s > 0 and not is_last:
            return due_in_s
        await self._send(state.text)
        self._shown, self._shown_at = state.text, time.monotonic()
        return LOOK_AGAIN_S

    async def _send(self, text: str) -> None:
        try:
            async with asyncio.timeout(self._send_timeout_s):
                await self._socket.send_text(text)
        except TimeoutError:
            raise TooSlow from None
