"""Which push an exchange is about, where weights answer a push that is not in them yet."""

from __future__ import annotations

from typing import Any

import pytest

from predictor.events import AggregateApplied, ExchangeFinished, IterationFinished, PushArrived, PushDiscarded
from predictor.policies.asp import AspParams
from predictor.policies.bsp import BspParams
from predictor.policies.rennala import RennalaParams
from tests.workers.worker.threads import Cluster

NUM_ITERATIONS = 20


@pytest.mark.parametrize("policy", [RennalaParams(num_gradients=5), AspParams(), BspParams()], ids=lambda one: one.name)
def test_an_exchange_is_about_the_push_that_was_waited_for(policy: Any) -> None:
    cluster = Cluster(policy, num_workers=3, transfer_s=0.02)
    cluster.train(NUM_ITERATIONS)
    cluster.join()
    for worker, log in enumerate(cluster.logs):
        arrived_s = {one.iteration: one.at_s for one in cluster.server_log.of(PushArrived) if one.worker == worker}
        ended_s = {one.iteration: one.at_s for one in log.of(IterationFinished)}
        first, *others = log.of(ExchangeFinished)
        assert first.iteration == 0
        assert [one.iteration for one in others] == list(range(1, NUM_ITERATIONS)), "each push but the last one"
        for one in others:
            assert one.arrived_at_s == arrived_s[one.iteration]
            assert one.blocked_from_s == ended_s[one.iteration] <= one.sent_at_s <= one.arrived_at_s
            assert one.arrived_at_s <= one.released_at_s <= one.at_s


def test_bytes_are_counted_when_a_push_is_settled() -> None:
    cluster = Cluster(RennalaParams(num_gradients=5), num_workers=3, transfer_s=0.02)
    cluster.train(NUM_ITERATIONS)
    cluster.join()
    settled = [(one.worker, one.iteration) for one in cluster.server_log.of(PushDiscarded)]
    settled += [(c.worker, c.iteration) for one in cluster.server_log.of(AggregateApplied) for c in one.contributions]
    for worker, log in enumerate(cluster.logs):
        sent_bytes = sum(one.sent_bytes for one in log.of(ExchangeFinished))
        num_settled = sum(who == worker and iteration < NUM_ITERATIONS for who, iteration in settled)
        assert 0 < sent_bytes <= num_settled * cluster.weights.num_bytes
        assert sent_bytes % cluster.weights.num_bytes == 0
