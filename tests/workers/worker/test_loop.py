"""The training loop over the in-process transport: what the weights become, and who waits when."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.nn import functional

from predictor.events import (
    AggregateApplied,
    ExchangeFinished,
    IterationFinished,
    PushArrived,
    PushDiscarded,
)
from predictor.policies import POLICIES
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.foresync import ForesyncParams
from predictor.policies.overlap_local_sgd import OverlapLocalSgdParams
from predictor.policies.predictive import PredictiveParams
from tests.workers.live import wait_until
from tests.workers.worker.threads import LEARNING_RATE, Cluster, model


def test_one_worker_is_plain_sgd() -> None:
    cluster = Cluster(BspParams(), num_workers=1)
    cluster.train(12)
    cluster.join()

    alone = model()
    batches = cluster.workers[0].batches
    for iteration in range(12):
        images, labels, _ = batches.batch(iteration)
        alone.gradient.zero_()
        functional.cross_entropy(alone.model(images), labels).backward()  # type: ignore[no-untyped-call]
        alone.weights.sub_(alone.gradient, alpha=LEARNING_RATE)
    torch.testing.assert_close(cluster.weights.flat, alone.weights)
    assert cluster.weights.version == 12


def test_bsp_is_sgd_on_the_mean_gradient() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.train(8)
    cluster.join()

    alone = model()
    for iteration in range(8):
        mean = torch.zeros_like(alone.weights)
        for worker in cluster.workers:
            images, labels, _ = worker.batches.batch(iteration)
            alone.gradient.zero_()
            functional.cross_entropy(alone.model(images), labels).backward()  # type: ignore[no-untyped-call]
            mean.add_(alone.gradient, alpha=1 / 3)
        alone.weights.sub_(mean, alpha=LEARNING_RATE)
    torch.testing.assert_close(cluster.weights.flat, alone.weights, rtol=1e-4, atol=1e-5)


ALL = {name: params() for name, params in POLICIES.items()} | {
    "predictive that blocks": PredictiveParams(max_local_iterations=0),
    "predictive with long rounds": PredictiveParams(max_local_iterations=1, horizon=6.0),
    "foresync": ForesyncParams(),
    "foresync without momentum": ForesyncParams(momentum=0.0),
    "foresync that answers at once": ForesyncParams(answer="at_once"),
    "overlap_local_sgd without momentum": OverlapLocalSgdParams(local_iterations=3, momentum=0.0),
}
OVERLAPPING = [PredictiveParams(), ForesyncParams()]


@pytest.mark.parametrize("policy", ALL.values(), ids=ALL.keys())
@pytest.mark.parametrize("transfer_s", [0.0, 0.01])
def test_first_weights_and_scaled_deltas_make_the_global_weights(policy: Any, transfer_s: float) -> None:
    cluster = Cluster(policy, num_workers=3, transfer_s=transfer_s)
    cluster.train(25)
    cluster.join()
    total = cluster.first.clone()
    velocity = torch.zeros_like(total)
    settled = [(one.worker, one.iteration) for one in cluster.server_log.of(PushDiscarded)]
    for aggregate in cluster.server_log.of(AggregateApplied):
        velocity.mul_(aggregate.momentum)
        for one in aggregate.contributions:
            delta, share = cluster.transport.deltas[one.worker, one.iteration], aggregate.velocity_share
            velocity.add_(delta, alpha=share * aggregate.scale)
            total.add_(delta, alpha=(1 - share) * aggregate.scale)
            settled.append((one.worker, one.iteration))
        total.add_(velocity)
    torch.testing.assert_close(cluster.weights.flat, total)
    assert sorted(settled) == sorted(cluster.transport.deltas)
    for worker in range(3):
        assert sum(num for (who, _), num in cluster.transport.numbers.items() if who == worker) == 25
        steps = cluster.logs[worker].of(IterationFinished)
        assert [step.iteration for step in steps] == list(range(1, 26))


def test_a_worker_trains_on_while_its_push_is_in_flight_and_not_further_than_it_may() -> None:
    cluster = Cluster(PredictiveParams(max_local_iterations=2), num_workers=3, transfer_s=0.03)
    cluster.train(30)
    cluster.join()
    steps = cluster.logs[0].of(IterationFinished)
    assert any(step.overlapped_s > 0 for step in steps)
    assert all(0 <= step.overlapped_s <= step.compute_s for step in steps)
    for worker, log in enumerate(cluster.logs):
        pushes = [p for p in cluster.server_log.of(PushArrived) if p.worker == worker]
        answered: dict[int, float] = {}
        for exchange in log.of(ExchangeFinished):
            answered.setdefault(exchange.iteration, exchange.at_s)  # later ones answer nothing, and name it again
        for push in pushes[:-2]:  # the last two may be on their way when it leaves
            landed_at_s = answered[push.iteration]
            ahead = [
                step
                for step in log.of(IterationFinished)
                if step.iteration > push.iteration and step.at_s <= landed_at_s
            ]
            assert len(ahead) <= 2


def test_blocking_policies_never_overlap() -> None:
    cluster = Cluster(AspParams(), num_workers=3, transfer_s=0.01)
    cluster.train(10)
    cluster.join()
    for log in cluster.logs:
        assert not any(step.overlapped_s for step in log.of(IterationFinished))
        assert all(exchange.blocked_from_s is not None for exchange in log.of(ExchangeFinished))


@pytest.mark.parametrize("policy", OVERLAPPING, ids=lambda policy: policy.name)
def test_the_stamps_of_a_life_are_gapless(policy: Any) -> None:
    cluster = Cluster(policy, num_workers=3, transfer_s=0.02)
    cluster.train(30)
    cluster.join()
    for log in cluster.logs:
        spans = [(step.started_at_s, step.at_s) for step in log.of(IterationFinished)]
        spans += [(e.blocked_from_s, e.at_s) for e in log.of(ExchangeFinished) if e.blocked_from_s is not None]
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert start == end


def test_a_worker_that_is_told_to_stop_leaves_while_it_waits_or_computes() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.workers[2].stopping.set()  # it leaves before its first push, and the others wait for it
    cluster.train(None)
    wait_until(lambda: len(cluster.server_log.of(PushArrived)) == 2)
    for worker in cluster.workers[:2]:
        worker.stopping.set()
        worker.link.interrupt()
    cluster.join()
    assert len(cluster.server_log.of(PushArrived)) == 2

    computing = Cluster(AspParams(), num_workers=3)
    computing.train(None)
    wait_until(lambda: bool(computing.server_log.of(PushArrived)))
    for worker in computing.workers:
        worker.stopping.set()
        worker.link.interrupt()
    computing.join()


def test_the_end_of_the_run_frees_those_who_wait() -> None:
    cluster = Cluster(BspParams(), num_workers=3)
    cluster.workers[2].stopping.set()
    cluster.train(None)
    wait_until(lambda: len(cluster.server_log.of(PushArrived)) == 2)
    cluster.live_gate.stop()
    cluster.join()


@pytest.mark.parametrize("policy", OVERLAPPING, ids=lambda policy: policy.name)
def test_a_push_names_the_version_that_its_last_iteration_was_computed_on(policy: Any) -> None:
    cluster = Cluster(policy, num_workers=3, transfer_s=0.02)
    cluster.train(30)
    cluster.join()
    for worker, log in enumerate(cluster.logs):
        merged, computed_on = -1, {}
        for event in log.events:
            if isinstance(event, ExchangeFinished):
                merged = event.version
            elif isinstance(event, IterationFinished):
                computed_on[event.iteration] = merged
        pushes = [push for push in cluster.server_log.of(PushArrived) if push.worker == worker]
        assert pushes
        for push in pushes:
            assert push.pulled_version == computed_on[push.iteration]
