"""The global weights: aggregates with and without a momentum, and going on from a velocity that was kept."""

from __future__ import annotations

import pytest
import torch

from predictor.events import AggregateApplied, Contribution
from workers.server.weights import Weights
from workers.transport.base import PIECE_LENGTH, split


def push_and_apply(
    weights: Weights, deltas: list[float], momentum: float, scale: float = 0.5, share: float = 1.0
) -> None:
    """Apply one aggregate of workers 0, 1, ... whose deltas are the same number all along."""
    contributions = []
    for worker, value in enumerate(deltas):
        weights.keep(worker, weights.version + 1, split(torch.full_like(weights.flat, value)))
        contributions.append(Contribution(worker, weights.version + 1, 1, 0))
    applied = AggregateApplied(0.0, weights.version + 1, scale, tuple(contributions), "", momentum, share)
    weights.apply(applied)


def test_without_a_momentum_the_weights_move_by_the_sum_and_nothing_else_is_kept() -> None:
    weights = Weights(torch.ones(3))
    push_and_apply(weights, [2.0, 4.0], momentum=0.0)
    assert weights.flat.tolist() == [4.0] * 3
    assert weights.velocity is None


def test_with_a_momentum_they_move_by_the_velocity() -> None:
    weights = Weights(torch.zeros(PIECE_LENGTH + 3))  # in two pieces
    expected = velocity = 0.0
    for deltas, momentum in (([2.0, 4.0], 0.5), ([8.0], 0.5), ([-2.0], 0.25), ([6.0], 0.0), ([0.0], 0.5)):
        push_and_apply(weights, deltas, momentum)
        velocity = momentum * velocity + 0.5 * sum(deltas)
        expected += velocity
        assert weights.velocity is not None
        assert set(weights.velocity.tolist()) == {velocity}
        assert set(weights.flat.tolist()) == {expected}


def test_what_does_not_go_by_way_of_the_velocity_moves_the_weights_at_once() -> None:
    weights = Weights(torch.zeros(PIECE_LENGTH + 3))
    push_and_apply(weights, [2.0, 6.0], momentum=0.5, share=0.25)
    assert weights.velocity is not None
    assert set(weights.velocity.tolist()) == {0.25 * 4.0}
    assert set(weights.flat.tolist()) == {4.0}
    push_and_apply(weights, [0.0], momentum=0.5, share=0.25)
    assert set(weights.flat.tolist()) == {4.0 + 0.5}
    push_and_apply(weights, [-8.0], momentum=0.5, share=0.25)
    assert set(weights.velocity.tolist()) == {0.25 - 1.0}
    assert set(weights.flat.tolist()) == {4.5 - 3.0 + 0.25 - 1.0}


def test_weights_go_on_with_the_velocity_that_was_kept() -> None:
    unbroken = Weights(torch.zeros(3))
    push_and_apply(unbroken, [8.0], momentum=0.5)
    assert unbroken.velocity is not None
    resumed = Weights(unbroken.flat.clone(), unbroken.version, unbroken.velocity.clone())
    for weights in (unbroken, resumed):
        push_and_apply(weights, [2.0], momentum=0.5)
    assert resumed.flat.tolist() == unbroken.flat.tolist() == pytest.approx([4.0 + 3.0] * 3)
    assert resumed.version == unbroken.version == 2
