"""One Foresync server in a thread of this process, so that the main thread keeps the signals.

The thread ends in one way only: `stop`. uvicorn installs its signal handlers in the main thread alone, so
here it installs none, and Ctrl-C is ours: the runs stop with a checkpoint before the program ends.
"""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import uvicorn

from backend.app import server_config
from backend.cli.errors import CliError
from backend.settings import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server:
    """Serves from `start` to `stop`."""

    def __init__(self, settings: Settings) -> None:
        """Take the port; nothing is served yet.

        Raises:
            StoreError: the database's URL cannot be used.
            CliError: the port is in use or not allowed, or the host is none of this machine.
        """
        self._socket = bind(settings.host, settings.port)
        config = server_config(settings)
        self._watched = _Watched(config.app)
        config.app = self._watched
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="server")
        self._failure: BaseException | None = None
        self._is_over = threading.Event()
        self._token = settings.token
        self._host = settings.host

    @property
    def address(self) -> str:
        """The URL without the token."""
        host = "127.0.0.1" if self._host in ("", "0.0.0.0") else "[::1]" if self._host == "::" else self._host  # noqa: S104
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{shown}:{self._socket.getsockname()[1]}/"

    @property
    def url(self) -> str:
        """The URL that opens the dashboard."""
        return f"{self.address}?token={self._token}"

    def start(self) -> None:
        """Serve; returns when requests are answered.

        Raises:
            BackendError, CliError: it could not start, for example since the database does not answer.
        """
        self._thread.start()
        while not self._server.started and not self._is_over.wait(0.02):
            pass
        if not self._server.started:
            self._raise_failure()

    def stop(self) -> None:
        """Stop the runs with a checkpoint (unless they are kept), close everything; returns when all is done."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def abandon(self) -> None:
        """Stop at once: runs that still train go on, and the next server takes them over."""
        self._server.force_exit = True

    def check(self) -> None:
        """Raise what the server failed of, if it did.

        Raises:
            BackendError, CliError: why it ended.
        """
        if self._is_over.is_set():
            self._raise_failure()

    def _serve(self) -> None:
        try:
            with _quiet_until(lambda: self._server.started):
                self._server.run(sockets=[self._socket])
        except BaseException as error:
            self._failure = error
        finally:
            self._is_over.set()

    def _raise_failure(self) -> NoReturn:
        failure = self._watched.failure or self._failure
        if isinstance(failure, Exception):
            raise failure
        raise CliError(f"The server ended unexpectedly ({failure!r}).")


class _Watched:
    """Passes everything on to the app, and keeps what its start or its end raised."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.failure: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise


def bind(host: str, port: int) -> socket.socket:
    """Take a port of this machine; 0 takes a free one.

    Raises:
        CliError: it is in use or not allowed, or the host is none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CliError(f"The host {host!r} is not an address of this machine: {error.strerror}.") from error
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        raise CliError(_why_not(error, host, port)) from error
    return made


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use; choose another one with --port, or any free one with --port 0."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} is reserved for the administrator; choose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"The host {host!r} is not an address of this machine."
    return f"Port {port} of {host} cannot be used: {error.strerror}."


@contextmanager
def serving(server: Server) -> Iterator[threading.Event]:
    """Serve inside the block, and give the event that Ctrl-C sets; a second Ctrl-C does not wait for the runs.

    Raises:
        BackendError, CliError: the server could not start.
    """
    stopping = threading.Event()

    def stop() -> None:
        if stopping.is_set():
            server.abandon()
        stopping.set()

    with signals_to(stop):
        try:
            server.start()
            yield stopping
        finally:
            server.stop()


@contextmanager
def signals_to(handler: Callable[[], None]) -> Iterator[None]:
    """Call `handler` at Ctrl-C, at the request to end and when the terminal is closed."""
    before = {number: signal.signal(number, lambda *_: handler()) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def _quiet_until(is_started: Callable[[], bool]) -> Iterator[None]:
    """Keep uvicorn from printing the traceback of a failed start, which we say in one sentence."""
    logger = logging.getLogger("uvicorn.error")

    def accept(_: logging.LogRecord) -> bool:
        return is_started()

    logger.addFilter(accept)
    try:
        yield
    finally:
        logger.removeFilter(accept)
