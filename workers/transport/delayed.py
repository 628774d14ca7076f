"""A decorator that emulates a slower network: messages that carry weights take longer, headers do not.

How much longer says `predictor.speeds.transfer`, to a live run and to a simulation alike. The first weights are
not delayed: a run starts when its workers hold them. The waiting is done by a timer thread, so that it overlaps
with computing as a network's does.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from predictor.speeds.transfer import Transfer
from workers.timer import Timer
from workers.transport.base import (
    Answer,
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    ReportHeader,
    SnapshotAnswer,
    WorkerTransport,
    settle,
)


class DelayedTransport:
    """A `WorkerTransport` around another one, for one worker."""

    def __init__(self, inner: WorkerTransport, transfer: Transfer) -> None:
        self._inner = inner
        self._transfer = transfer
        self._timer = Timer()

    def push(self, header: PushHeader, delta: Pieces) -> Future[Answer[PushAnswer]]:
        return self._after_upload(header, lambda: self._inner.push(header, delta))

    def push_pull(self, header: PushHeader, delta: Pieces) -> Future[Answer[PullAnswer]]:
        return self._with_download(self._after_upload(header, lambda: self._inner.push_pull(header, delta)))

    def pull(self, header: PullHeader) -> Future[Answer[PullAnswer]]:
        answered = self._inner.pull(header)
        return answered if header.is_joining else self._with_download(answered)

    def report(self, header: ReportHeader) -> Future[Answer[None]]:
        return self._inner.report(header)

    def snapshot(self, newer_than: int) -> Future[Answer[SnapshotAnswer]]:
        return self._inner.snapshot(newer_than)

    def close(self) -> None:
        self._timer.close()
        self._inner.close()

    def _after_upload(self, header: PushHeader, send: Callable[[], Future[Any]]) -> Future[Any]:
        done: Future[Any] = Future()
        up_s = self._transfer.up_s(header.iteration)
        self._timer.call_after(up_s, lambda: send().add_done_callback(lambda sent: _pass_on(sent, done)))
        return done

    def _with_download(self, answered: Future[Answer[PullAnswer]]) -> Future[Answer[PullAnswer]]:
        done: Future[Answer[PullAnswer]] = Future()

        def land(answered: Future[Answer[PullAnswer]]) -> None:
            if answered.exception() is None and answered.result().pieces:
                down_s = self._transfer.down_s(answered.result().header.acknowledged)
                self._timer.call_after(down_s, lambda: _pass_on(answered, done))
            else:
                _pass_on(answered, done)

        answered.add_done_callback(land)
        return done


def _pass_on(source: Future[Any], target: Future[Any]) -> None:
    error = source.exception()
    settle(target, None if error else source.result(), error)
