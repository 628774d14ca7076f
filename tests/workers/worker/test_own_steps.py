"""The invariants of a worker's own steps, against a server that applies, delays and acknowledges as it likes."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.worker.own_steps import OwnSteps

LENGTH = 3
ACTIONS = st.lists(st.sampled_from(["step", "push", "apply", "pull"]), max_size=60)


def vector(number: int) -> torch.Tensor:
    """Give a step that is unlike all others, in numbers that float32 adds exactly."""
    return torch.tensor([float(number), float(number * number % 1024), 1.0])


@settings(max_examples=300, deadline=None)
@given(actions=ACTIONS, scale=st.sampled_from([1.0, 0.5, 0.25]), alpha=st.sampled_from([0.0, 0.5, 1.0]))
def test_every_step_is_in_the_pulled_weights_or_among_the_own_ones(
    actions: list[str], scale: float, alpha: float
) -> None:
    first = torch.tensor([5.0, 7.0, 9.0])
    weights, own = first.clone(), OwnSteps(LENGTH)
    server = first.clone()
    steps: list[torch.Tensor] = []  # by iteration
    on_the_way: list[tuple[int, torch.Tensor]] = []
    received: list[torch.Tensor] = []
    applied = 0  # own iterations in the server's weights
    pulled = first.clone()
    acknowledged = 0
    for action in actions:
        if action == "step":
            steps.append(vector(len(steps) + 1))
            weights.add_(steps[-1])
            own.add(steps[-1])
        elif action == "push" and len(steps) > own.pushed_at:
            delta, num_iterations = own.cut(len(steps))
            assert num_iterations == len(steps) - (on_the_way[-1][0] if on_the_way else applied)
            on_the_way.append((len(steps), delta))
        elif action == "apply" and on_the_way:
            applied, delta = on_the_way.pop(0)
            received.append(delta)
            server.add_(delta, alpha=scale)
        elif action == "pull":
            pulled, acknowledged = server.clone(), applied
            weights.copy_(pulled)
            own.acknowledge(acknowledged)
            own.merge(weights, alpha)
            # What was merged: the pulled weights, and alpha x exactly the steps that are not in them.
            missing = sum(steps[acknowledged:], torch.zeros(LENGTH))
            assert torch.equal(weights, pulled + alpha * missing)
    assert own.is_in_flight == (own.pushed_at > acknowledged)
    # First weights + scale x received = global weights; all steps are in exactly one delta or not pushed yet.
    assert torch.equal(first + scale * sum(received, torch.zeros(LENGTH)), server)
    all_deltas = [*received, *[delta for _, delta in on_the_way]]
    unpushed = sum(steps[own.pushed_at :], torch.zeros(LENGTH))
    assert torch.equal(sum(all_deltas, torch.zeros(LENGTH)) + unpushed, sum(steps, torch.zeros(LENGTH)))


def test_a_delta_on_its_way_is_not_written_to() -> None:
    own = OwnSteps(LENGTH)
    own.add(vector(1))
    delta, _ = own.cut(1)
    own.add(vector(2))
    own.merge(torch.zeros(LENGTH), 1.0)
    assert torch.equal(delta, vector(1))


def test_a_worker_that_goes_on_after_a_resume_has_nothing_in_flight() -> None:
    own = OwnSteps(LENGTH, iteration=8)
    assert not own.is_in_flight
    own.add(vector(9))
    assert own.cut(9)[1] == 1
    assert own.is_in_flight
