"""The process that computes predictions. It is kept for some minutes, so that the next answer need not wait for it.

It works on one order at a time. Whoever goes away in the midst of an order ends it; the next order starts another one.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import orjson

IDLE_S = 300.0  # that it is kept without an order
HEARTBEAT_S = 0.5  # how often its silence is told of, so that a reader who has gone is noticed
MAX_LINE_BYTES = 2**20

Frame = dict[str, Any]


class HelperEnded(Exception):
    """It has ended in the midst of an order."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class Helper:
    """For one event loop, and one order at a time."""

    def __init__(self, command: Sequence[str], *, idle_s: float = IDLE_S) -> None:
        self._command = tuple(command)
        self._idle_s = idle_s
        self._process: Process | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def work(self, order: Frame) -> AsyncGenerator[Frame | None]:
        """Give what it says about an order, and None for each `HEARTBEAT_S` in which it says nothing.

        Raises:
            HelperEnded: it broke, or was ended at one of its limits.
        """
        for is_kept in (self._is_alive(), False):
            has_spoken = False
            try:
                async with contextlib.aclosing(self._converse(order)) as frames:
                    async for frame in frames:
                        has_spoken = has_spoken or frame is not None
                        yield frame
            except HelperEnded:
                if has_spoken or not is_kept:
                    raise
                continue  # it had ended while nobody had anything for it to do
            return

    async def close(self) -> None:
        """End it, whatever it does."""
        process = self._take()
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())

    async def _converse(self, order: Frame) -> AsyncGenerator[Frame | None]:
        process = await self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        is_over = has_spoken = False
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(orjson.dumps(order) + b"\n")
                await process.stdin.drain()
            while True:
                reading = asyncio.ensure_future(process.stdout.readline())
                while not (await asyncio.wait([reading], timeout=HEARTBEAT_S))[0]:
                    yield None
                line = reading.result()
                frame = orjson.loads(line) if line else None
                if frame is None or frame["type"] == "done":
                    break
                has_spoken = True
                yield frame
            is_over = frame is not None
        finally:
            if not is_over and process.stdout.at_eof():
                self._take()
                await asyncio.shield(process.wait())
            elif not is_over:
                await self.close()
        if is_over:
            self._keep()
        elif process.returncode or not has_spoken:
            raise HelperEnded(process.returncode or 0)

    async def _start(self) -> Process:
        process = self._take() if self._is_alive() else None
        if process is None:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MAX_LINE_BYTES
            )
        self._process = process
        return process

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def _take(self) -> Process | None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        process, self._process = self._process, None
        return process

    def _keep(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._idle_s, self._let_go)

    def _let_go(self) -> None:
        """Close its input: without anything to do it ends by itself."""
        process = self._take()
        if process is not None and process.stdin is not None:
            process.stdin.close()
