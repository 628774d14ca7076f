"""The live stream: what is stored of a run, then what comes; over a socket for one run, or for all of a page.

Each connection has a writer of its own whose whole state are cursors, so a slow reader costs a number, not a queue, and
nobody else anything. Events are stored before anyone is woken, and a frame always begins at the cursor: nothing is left
out and nothing is sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeGuard

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import SQLAlchemyError

from backend.api.live_connection import Connection, RunEnded, TooSlow
from backend.api.services import Services, Use
from backend.errors import NotFound
from backend.runs.wakeups import Subscription
from backend.store.ids import is_id

router = APIRouter(tags=["runs"])

SEND_TIMEOUT_S = 10.0  # a reader that takes nothing for so long is let go
CLOSE_TIMEOUT_S = 30.0  # later the connection is cut without a word
MAX_RUNS = 100  # of one connection
MAX_DIGITS = 18

CLOSE_DONE = 1000
CLOSE_TRY_AGAIN = 1013
CLOSE_BAD_QUERY = 4400
CLOSE_UNKNOWN_RUN = 4404
CLOSE_TOO_SLOW = 4408  # connect again with the last seq that arrived

_WISH = 'a message names either a run ("run_id", with "after" to subscribe) or "topic": "runs", and nothing else'


class BadMessage(Exception):
    """What the client has sent is nothing that it may say; the sentence fits into a close frame."""


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
    with use.manager.subscribe() as wakeups:
        connection = _connect(socket, use, wakeups, is_single=True)
        connection.follow(run_id, int(after))
        await _serve(socket, connection.send_all(), _until_gone(socket))


@router.websocket("/live")
async def stream_runs(socket: WebSocket, use: Use) -> None:
    """Send the events and states of all runs that the client subscribes to."""
    await socket.accept()
    if socket.query_params:
        await socket.close(CLOSE_BAD_QUERY, "the address takes no query; runs are asked for by messages")
        return
    with use.manager.subscribe() as wakeups:
        connection = _connect(socket, use, wakeups)
        await _serve(socket, connection.send_all(), _obey(socket, connection))


def _connect(socket: WebSocket, use: Services, wakeups: Subscription, *, is_single: bool = False) -> Connection:
    return Connection(socket.send_text, use.frames, use.notices, wakeups, use.send_timeout_s, is_single=is_single)


async def _serve(socket: WebSocket, writing: Coroutine[Any, Any, None], reading: Coroutine[Any, Any, None]) -> None:
    """Write and read until either ends, and say why; nothing is said to a client that has gone away."""
    tasks = [asyncio.create_task(writing), asyncio.create_task(reading)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    error = next((one for one in results if isinstance(one, Exception)), None)
    if error is None or isinstance(error, WebSocketDisconnect):
        return
    code, reason = _in_words(error)
    # The code can be said only once the client reads again. Until then this task holds a code, no events.
    with contextlib.suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await socket.close(code, reason)


def _in_words(error: Exception) -> tuple[int, str]:
    """Give code and reason of the close frame; an error that nobody foresees goes on its way."""
    match error:
        case RunEnded():
            return CLOSE_DONE, "the run has ended"
        case NotFound():
            return CLOSE_UNKNOWN_RUN, "there is no such run"
        case TooSlow():
            return CLOSE_TOO_SLOW, "too slow: connect again after the last seq that arrived"
        case BadMessage():
            return CLOSE_BAD_QUERY, str(error)
        case SQLAlchemyError():
            return CLOSE_TRY_AGAIN, "the database cannot be read at this moment: connect again"
        case _:
            raise error


async def _until_gone(socket: WebSocket) -> None:
    """Return when the client has gone away. What it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _obey(socket: WebSocket, connection: Connection) -> None:
    """Do what the client says, until it has gone away.

    Raises:
        BadMessage: it says something else than it may.
    """
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        kind, fields = _read(message.get("text"))
        is_wanted = kind == "subscribe"
        match fields:
            case {"topic": "runs", **rest} if not rest:
                connection.follow_list(is_wanted)
            case {"run_id": str(run_id), **rest} if not is_wanted and not rest:
                connection.unfollow(run_id)
            case {"run_id": str(run_id), **rest} if is_wanted and not set(rest) - {"after", "ticket"}:
                _subscribe(connection, run_id, rest.get("after", 0), rest.get("ticket"))
            case _:
                raise BadMessage(_WISH)


def _read(text: str | None) -> tuple[str, dict[str, Any]]:
    """Give the type of a message, and the rest of it."""
    try:
        message = orjson.loads(text or "")
    except ValueError:
        raise BadMessage("a message must be a JSON object, sent as text") from None
    if not isinstance(message, dict) or message.get("type") not in ("subscribe", "unsubscribe"):
        raise BadMessage('the type of a message must be "subscribe" or "unsubscribe"')
    return message.pop("type"), message


def _subscribe(connection: Connection, run_id: str, after: object, ticket: object) -> None:
    if not _is_count(after):
        raise BadMessage("after must be a whole number >= 0: the last seq that arrived")
    if ticket is not None and not _is_count(ticket):
        raise BadMessage("ticket must be a whole number >= 0, of your own choice")
    if run_id not in connection and connection.num_runs >= MAX_RUNS:
        raise BadMessage(f"a connection follows at most {MAX_RUNS} runs: unsubscribe from one first")
    connection.follow(run_id, after, ticket)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**MAX_DIGITS
