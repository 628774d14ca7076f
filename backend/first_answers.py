"""What a page of the dashboard will ask the API for first, written into the page itself.

The page comes in pieces: its head at once, so that the browser fetches scripts and styles while the answers are looked
up, then each answer as a block of data, then the end. A page finds them when its first script runs: it is drawn once,
with what it is about, and not first with empty places. The API's own routes answer, under the request of the page,
which the guard has let through; what they refuse, or do not know in time, is left out, and the page asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from html import escape
from typing import Protocol

from starlette.types import ASGIApp, Message, Scope

PREFIX = "/api/v1/"
LONGEST_S = 0.25  # that a page waits for its answers; it stands still until then
MOST_BYTES = 1_000_000  # of one answer; a longer one had better come beside the page


class Ask(Protocol):
    """How an address of the API, without its prefix, is looked up; None where there is no answer to show."""

    async def __call__(self, scope: Scope, address: str) -> bytes | None: ...


def ask_through(app: ASGIApp) -> Ask:
    """Give what asks the routes of an application in place, without a connection.

    Args:
        app: the router; the handlers of errors are found in the scope of the page's request.
    """

    async def ask(scope: Scope, address: str) -> bytes | None:
        status, body = 0, b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")

        await app(_scope_of(scope, address), receive, send)
        return body if status == 200 and len(body) <= MOST_BYTES else None

    return ask


def _scope_of(page: Scope, address: str) -> Scope:
    """Give the scope of a reading of the API, made from that of the page."""
    path, _, query = (PREFIX + address).partition("?")
    of_page = {"endpoint", "route", "router", "path_params"}
    kept = {name: value for name, value in page.items() if name not in of_page}
    return {**kept, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode()}


async def written(page: str, scope: Scope, addresses: Sequence[str], ask: Ask) -> AsyncIterator[bytes]:
    """Give the page in pieces, with the answers before the end of its body."""
    head, end, rest = page.rpartition("</body>")
    yield head.encode()
    tasks = [asyncio.ensure_future(ask(scope, address)) for address in addresses]
    try:
        await asyncio.wait(tasks, timeout=LONGEST_S)
        for address, task in zip(addresses, tasks, strict=True):
            answer = None if not task.done() or task.exception() else task.result()
            if answer is not None:
                yield block(address, answer)
    finally:
        for task in tasks:
            task.cancel()
    yield (end + rest).encode()


def block(address: str, answer: bytes) -> bytes:
    """Write JSON as data into a page: no text in it can end the block or begin another."""
    return b'<script type="application/json" data-answer="%s">%s</script>\n' % (
        escape(PREFIX + address).encode(),
        answer.replace(b"<", b"\\u003c"),
    )
