"""Workers that push while earlier pushes are not acknowledged (push_after "received")."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from predictor.events import (
    NEVER_WAITS,
    AggregateApplied,
    Directive,
    ExchangeFinished,
    IterationFinished,
    IterationReported,
    PushArrived,
    Stimulus,
    WorkerJoined,
    WorkerReleased,
)
from predictor.policies import base
from predictor.policies.base import Verdict
from predictor.policies.foresync import ForesyncParams
from tests.workers.live import wait_until
from tests.workers.server.scripted import ScriptedParams
from tests.workers.worker.threads import Cluster, Recording
from workers.transport.base import Pieces, PushHeader, ReportHeader

ON = Directive(push_at=1, max_ahead=NEVER_WAITS, alpha=0.5, push_after="received", merge="agreement")


def never_answer(cluster: base.Cluster, stimulus: Stimulus) -> Verdict:
    """Apply what comes, and send no weights but the first."""
    verdict = Verdict()
    if isinstance(stimulus, WorkerJoined):
        verdict.release.append((stimulus.worker, ON, "welcome"))
    if isinstance(stimulus, PushArrived):
        verdict.apply, verdict.scale, verdict.apply_reason = [cluster.pending[-1]], 1.0, "at once"
    return verdict


def answer_every_third(cluster: base.Cluster, stimulus: Stimulus) -> Verdict:
    """Apply what comes, and answer three pushes with one release."""
    verdict = never_answer(cluster, stimulus)
    if isinstance(stimulus, PushArrived) and stimulus.iteration % 3 == 0:
        verdict.release.append((stimulus.worker, ON, "three have come"))
    return verdict


def answer_the_one_before(cluster: base.Cluster, stimulus: Stimulus) -> Verdict:
    """Answer each push with weights that hold the ones before it."""
    verdict = never_answer(cluster, stimulus)
    if isinstance(stimulus, PushArrived):
        verdict.apply = cluster.pending[:-1]
        verdict.release.append((stimulus.worker, ON, "the one before is applied"))
    return verdict


class SlowUplink(Recording):
    """A push arrives, and is answered, together with the second report that follows it; the last one at once."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver: Callable[[], None]

    def connect(self, address: str, member: int) -> Any:
        inner = super().connect(address, member)

        class Sender:
            def __init__(self) -> None:
                self.on_the_way: tuple[PushHeader, Pieces, Future[Any]] | None = None
                self.num_reports = 0

            def __getattr__(self, name: str) -> Any:
                return getattr(inner, name)

            def push(self, header: PushHeader, delta: Pieces) -> Future[Any]:
                assert self.on_the_way is None, "the uplink was not free"
                answered: Future[Any] = Future()
                self.on_the_way, self.num_reports = (header, delta, answered), 0
                if header.is_last:
                    self.deliver()
                return answered

            def deliver(self) -> None:
                assert self.on_the_way is not None
                (header, delta, answered), self.on_the_way = self.on_the_way, None
                inner.push(header, delta).add_done_callback(lambda one: answered.set_result(one.result()))

            def report(self, header: ReportHeader) -> Future[Any]:
                self.num_reports += 1
                if self.num_reports == 2:
                    self.deliver()
                reported: Future[Any] = inner.report(header)
                return reported

        sender = Sender()
        self.deliver = sender.deliver
        return sender


def trained(decide: Any, iterations: int = 10, transport: Recording | None = None) -> Cluster:
    cluster = Cluster(ScriptedParams(decide), num_workers=1, transport=transport)
    cluster.train(iterations)
    cluster.join()
    return cluster


def test_a_worker_pushes_at_each_boundary_while_nothing_is_acknowledged() -> None:
    cluster = trained(never_answer)
    pushes = cluster.server_log.of(PushArrived)
    assert [(push.iteration, push.num_iterations) for push in pushes] == [(one, 1) for one in range(1, 11)]
    assert not any(push.is_blocking for push in pushes)
    assert not cluster.server_log.of(IterationReported)
    [first] = cluster.logs[0].of(ExchangeFinished)  # it waits for its first weights, never again
    assert first.blocked_from_s is not None
    overlapped = [step.overlapped_s / step.compute_s for step in cluster.logs[0].of(IterationFinished)]
    assert overlapped == [0.0] + [1.0] * 9


def test_one_release_answers_all_pushes_that_are_settled() -> None:
    cluster = trained(answer_every_third)
    exchanges = cluster.logs[0].of(ExchangeFinished)
    # The answer to a push lands in the same call, so it is merged at the next boundary.
    assert [exchange.iteration for exchange in exchanges] == [0, 3, 6, 9]
    num_bytes = cluster.weights.num_bytes
    assert [exchange.sent_bytes for exchange in exchanges] == [0, 3 * num_bytes, 3 * num_bytes, 3 * num_bytes]
    arrived_s = {push.iteration: push.at_s for push in cluster.server_log.of(PushArrived)}
    for exchange in exchanges[1:]:
        assert exchange.arrived_at_s == arrived_s[exchange.iteration]
        assert exchange.sent_at_s <= exchange.arrived_at_s <= exchange.released_at_s <= exchange.at_s
        assert exchange.blocked_from_s is None
    steps = cluster.logs[0].of(IterationFinished)
    # In flight for the whole iteration, or until the answer that came at its start.
    assert [step.overlapped_s == step.compute_s for step in steps] == [False, *[True, True, False] * 3]


def test_a_push_is_in_flight_though_the_one_before_it_is_answered() -> None:
    cluster = trained(answer_the_one_before)
    exchanges = cluster.logs[0].of(ExchangeFinished)
    assert [exchange.iteration for exchange in exchanges] == [0, 0, *range(1, 9)]
    steps = cluster.logs[0].of(IterationFinished)
    assert [step.overlapped_s == step.compute_s for step in steps] == [False] + [True] * 9


def test_a_worker_whose_uplink_is_busy_reports_and_goes_on() -> None:
    cluster = trained(never_answer, transport=SlowUplink())
    pushes = cluster.server_log.of(PushArrived)
    assert [(push.iteration, push.num_iterations) for push in pushes] == [(1, 1), (4, 3), (7, 3), (10, 3)]
    reports = cluster.server_log.of(IterationReported)
    assert [report.iteration for report in reports] == [2, 3, 5, 6, 8, 9]
    assert not any(report.is_waiting for report in reports)
    assert len(cluster.logs[0].of(ExchangeFinished)) == 1
    assert len(cluster.server_log.of(AggregateApplied)) == 4


def test_the_last_push_waits_for_the_uplink() -> None:
    uplink = SlowUplink()
    cluster = Cluster(ScriptedParams(never_answer), num_workers=1, transport=uplink)
    cluster.train(3)  # one push, one report, and the last push, while the first one is on its way
    wait_until(lambda: len(cluster.logs[0].of(IterationFinished)) == 3)
    uplink.deliver()
    cluster.join()
    assert [push.iteration for push in cluster.server_log.of(PushArrived)] == [1, 3]


@pytest.mark.parametrize("transfer_s", [0.0, 0.03])
def test_under_foresync_nobody_ever_waits_after_the_first_weights(transfer_s: float) -> None:
    cluster = Cluster(ForesyncParams(wait="never"), num_workers=3, transfer_s=transfer_s)
    cluster.train(40)
    cluster.join()
    for log in cluster.logs:
        first, *others = log.of(ExchangeFinished)
        assert first.blocked_from_s is not None
        assert others
        assert all(exchange.blocked_from_s is None for exchange in others)
        assert all(0 <= step.overlapped_s <= step.compute_s for step in log.of(IterationFinished))
    assert not any(push.is_blocking for push in cluster.server_log.of(PushArrived))
    assert not any(report.is_waiting for report in cluster.server_log.of(IterationReported))
    released: dict[int, int] = {}
    for event in cluster.server_log.of(WorkerReleased):
        assert event.acknowledged >= released.get(event.worker, 0)
        released[event.worker] = event.acknowledged


def test_each_message_tells_how_long_the_newest_weights_travelled() -> None:
    cluster = Cluster(ForesyncParams(wait="never"), num_workers=3, transfer_s=0.03)
    cluster.train(30)
    cluster.join()
    for worker, log in enumerate(cluster.logs):
        landed_s, expected = 0.0, list[float]()
        for event in log.events:
            if isinstance(event, ExchangeFinished):
                landed_s = max(0.0, event.at_s - event.released_at_s)
            elif isinstance(event, IterationFinished) and event.iteration > 1:
                expected.append(landed_s)  # what landed before this iteration ended was told at the boundary before
                landed_s = 0.0
        messages = cluster.server_log.of(PushArrived) + cluster.server_log.of(IterationReported)
        told = {one.iteration: one.down_s for one in messages if one.worker == worker}
        assert [told[iteration] for iteration in range(1, 31)] == [*expected, landed_s]
        assert any(told.values())
