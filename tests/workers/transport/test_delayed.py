"""The emulated network: what is delayed, and what is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
import torch

from predictor.events import Directive
from predictor.speeds import Transfer
from tests.workers.transport.suite import pull_header, push_header, report_header
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
    settle,
)
from workers.transport.delayed import DelayedTransport

TIMEOUT_S = 30.0
FOR_EVER_S = 1e6


class Instant:
    """A transport that answers at once, with weights or without."""

    def __init__(self, with_weights: bool = True) -> None:
        self._pieces: Pieces = [torch.ones(3)] if with_weights else ()
        self.pushed: list[int] = []
        self.is_closed = False

    def push(self, header: PushHeader, delta: Pieces) -> Future[Answer[PushAnswer]]:
        self.pushed.append(header.iteration)
        return done(PushAnswer(0.0))

    def push_pull(self, header: PushHeader, delta: Pieces) -> Future[Answer[PullAnswer]]:
        self.pushed.append(header.iteration)
        return self.pull(pull_header())

    def pull(self, header: PullHeader) -> Future[Answer[PullAnswer]]:
        return done(PullAnswer(Directive(1, 0, 0.0), 1, 1, 0.0, 0.0), self._pieces)

    def report(self, header: ReportHeader) -> Future[Answer[None]]:
        return done(None)

    def snapshot(self, newer_than: int) -> Future[Answer[SnapshotAnswer]]:
        return done(SnapshotAnswer(1, 0.0), self._pieces)

    def close(self) -> None:
        self.is_closed = True


def done(header: Any, pieces: Pieces = ()) -> Future[Any]:
    future: Future[Any] = Future()
    settle(future, Answer(header, pieces))
    return future


@pytest.fixture
def slow() -> Iterator[tuple[DelayedTransport, Instant]]:
    """Give a network on which weights never arrive."""
    inner = Instant()
    transport = DelayedTransport(inner, Transfer(FOR_EVER_S, 0.0, 0, seed=1))
    yield transport, inner
    transport.close()


def test_weights_are_delayed_up_and_down(slow: tuple[DelayedTransport, Instant]) -> None:
    transport, inner = slow
    futures: list[Future[Any]] = [
        transport.push(push_header(), [torch.ones(3)]),
        transport.push_pull(push_header(), [torch.ones(3)]),
        transport.pull(pull_header()),
    ]
    time.sleep(0.05)
    assert not any(future.done() for future in futures)
    assert inner.pushed == []


def test_headers_the_first_weights_and_the_evaluator_are_not(slow: tuple[DelayedTransport, Instant]) -> None:
    transport, _ = slow
    assert transport.report(report_header()).done()
    assert transport.snapshot(0).done()
    assert transport.pull(PullHeader(0, 0, 0, is_joining=True)).result(TIMEOUT_S).pieces
    directive_only = DelayedTransport(Instant(with_weights=False), Transfer(FOR_EVER_S, 0.0, 0, seed=1))
    assert directive_only.pull(pull_header()).done()
    directive_only.close()


class Asked(Transfer):
    """An immediate network that notes which ways it was asked for."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, seed=1)
        self.ways: list[tuple[str, int]] = []

    def up_s(self, iteration: int) -> float:
        self.ways.append(("up", iteration))
        return 0.0

    def down_s(self, iteration: int) -> float:
        self.ways.append(("down", iteration))
        return 0.0


def test_a_way_up_is_the_pushs_and_a_way_down_that_of_what_it_answers() -> None:
    asked = Asked()
    transport = DelayedTransport(Instant(), asked)
    transport.push(push_header(iteration=7), [torch.ones(3)]).result(TIMEOUT_S)
    assert asked.ways == [("up", 7)]
    transport.push_pull(push_header(iteration=8), [torch.ones(3)]).result(TIMEOUT_S)
    assert asked.ways == [("up", 7), ("up", 8), ("down", 1)]  # `Instant` acknowledges iteration 1
    transport.pull(pull_header()).result(TIMEOUT_S)
    assert asked.ways[3:] == [("down", 1)]
    transport.close()


def test_closing_closes_what_is_inside() -> None:
    inner = Instant()
    DelayedTransport(inner, Transfer(0.1, 0.0, 0, seed=1)).close()
    assert inner.is_closed


def test_a_timer_calls_in_the_order_of_due_times_and_then_of_asking() -> None:
    timer, called, last = Timer(), list[str](), threading.Event()
    for name, delay_s in (("never", FOR_EVER_S), ("first", 0.0), ("second", 0.03), ("third", 0.03)):
        timer.call_after(delay_s, partial(called.append, name))
    timer.call_after(0.06, last.set)
    assert last.wait(TIMEOUT_S)
    assert called == ["first", "second", "third"]
    timer.close()


def test_a_closed_timer_calls_nobody() -> None:
    timer, called = Timer(), []
    timer.call_after(0.05, lambda: called.append("late"))
    timer.close()
    time.sleep(0.1)
    assert called == []
