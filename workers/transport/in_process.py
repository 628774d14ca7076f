"""Transport inside one process: calls are function calls. For tests of whatever stands on the seam."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from workers.errors import ServerLost, TransportError
from workers.transport.base import (
    Answer,
    Handlers,
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    ReportHeader,
    SnapshotAnswer,
    settle,
)


class InProcessTransport:
    """Server and workers hold the same object; the address says nothing."""

    def __init__(self) -> None:
        self._handlers: Handlers | None = None
        self._outstanding: set[Future[Any]] = set()

    def serve(self, handlers: Handlers) -> str:
        self._handlers = handlers
        return "in-process"

    def connect(self, address: str, member: int) -> InProcessWorker:
        if self._handlers is None:
            raise TransportError(f"cannot connect to the server at {address}: nobody serves")
        return InProcessWorker(self)

    def close(self) -> None:
        """Fail what is outstanding, as the death of a server does."""
        self._handlers = None
        for future in list(self._outstanding):
            settle(future, error=ServerLost("the connection to the server broke: it stopped serving"))

    def call(self, handle: Callable[[Handlers, InProcessReply], None]) -> Future[Any]:
        """Run a handler and return the future of its answer."""
        future: Future[Any] = Future()
        if self._handlers is None:
            settle(future, error=ServerLost("the connection to the server broke: nobody serves"))
            return future
        self._outstanding.add(future)
        future.add_done_callback(self._outstanding.discard)
        try:
            handle(self._handlers, InProcessReply(future))
        except Exception as error:  # what a handler raises is the caller's, as over a wire
            settle(future, error=TransportError(f"the server refused a call: {error}"))
        return future


class InProcessReply:
    """A `Reply` that completes the caller's future."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future

    def complete(self, header: object, pieces: Pieces = ()) -> None:
        settle(self._future, Answer(header, [piece.clone() for piece in pieces]))


class InProcessWorker:
    """See `WorkerTransport`."""

    def __init__(self, transport: InProcessTransport) -> None:
        self._call = transport.call

    def push(self, header: PushHeader, delta: Pieces) -> Future[Answer[PushAnswer]]:
        return self._call(lambda handlers, reply: handlers.on_push(header, _copied(delta), reply))

    def push_pull(self, header: PushHeader, delta: Pieces) -> Future[Answer[PullAnswer]]:
        return self._call(lambda handlers, reply: handlers.on_push_pull(header, _copied(delta), reply))

    def pull(self, header: PullHeader) -> Future[Answer[PullAnswer]]:
        return self._call(lambda handlers, reply: handlers.on_pull(header, reply))

    def report(self, header: ReportHeader) -> Future[Answer[None]]:
        def handle(handlers: Handlers, reply: InProcessReply) -> None:
            handlers.on_report(header)
            reply.complete(None)

        return self._call(handle)

    def snapshot(self, newer_than: int) -> Future[Answer[SnapshotAnswer]]:
        return self._call(lambda handlers, reply: handlers.on_snapshot(newer_than, reply))

    def close(self) -> None:
        """Nothing to close: the server does not know who is connected."""


def _copied(pieces: Pieces) -> Pieces:
    return [piece.clone() for piece in pieces]
