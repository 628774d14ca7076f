"""The invariants of a worker's own steps, against a server that applies, delays and acknowledges as it likes."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from predictor.directive import NEVER_WAITS, Directive, Merge
from workers.worker.own_steps import CAUTION, FIRST_ALPHA, NUM_USUAL, Agreement, OwnSteps, UsualLength

LENGTH = 3
ACTIONS = st.lists(st.sampled_from(["step", "push", "apply", "discard", "pull"]), max_size=60)


def told(merge: Merge, alpha: float) -> Directive:
    return Directive(1, NEVER_WAITS, alpha, "received", merge)


def vector(number: int) -> torch.Tensor:
    """Give a step that is unlike all others, in numbers that float32 adds exactly."""
    return torch.tensor([float(number), float(number * number % 1024), 1.0])


def total(vectors: list[torch.Tensor]) -> torch.Tensor:
    return sum(vectors, torch.zeros(LENGTH))


@settings(max_examples=300, deadline=None)
@given(
    actions=ACTIONS,
    scale=st.sampled_from([1.0, 0.5, 0.25]),
    directive=st.sampled_from([told("steps", 0.0), told("steps", 0.5), told("steps", 1.0), told("agreement", 1.0)]),
)
def test_every_step_is_in_the_pulled_weights_or_among_the_own_ones(
    actions: list[str], scale: float, directive: Directive
) -> None:
    first = torch.tensor([5.0, 7.0, 9.0])
    weights = torch.zeros(LENGTH)
    own = OwnSteps(weights)
    own.merge([first], 0, directive)
    server = first.clone()
    steps: list[torch.Tensor] = []  # by iteration
    on_the_way: list[tuple[int, torch.Tensor]] = []
    received: list[torch.Tensor] = []
    discarded: list[torch.Tensor] = []
    settled = acknowledged = 0  # own iterations that the server has settled; of which the worker knows
    for action in actions:
        if action == "step":
            steps.append(vector(len(steps) + 1))
            before = weights.clone()
            own.add(steps[-1])
            assert torch.equal(weights, before + steps[-1])
        elif action == "push" and len(steps) > own.pushed_at:
            pushed_at = own.pushed_at
            delta, num_iterations = own.cut(len(steps))
            assert num_iterations == len(steps) - pushed_at
            on_the_way.append((len(steps), delta))
        elif action == "apply" and on_the_way:
            settled, delta = on_the_way.pop(0)
            received.append(delta)
            server.add_(delta, alpha=scale)
        elif action == "discard" and on_the_way:
            settled, delta = on_the_way.pop(0)
            discarded.append(delta)
        elif action == "pull":
            acknowledged = settled
            own.merge([server[:2], server[2:]], acknowledged, directive)
            # What was merged: the pulled weights, and alpha x exactly the steps that are not settled.
            assert torch.equal(weights, server + directive.alpha * total(steps[acknowledged:]))
    assert own.is_in_flight == (own.pushed_at > acknowledged)
    # First weights + scale x received = global weights; all steps are in exactly one delta or not pushed yet.
    assert torch.equal(first + scale * total(received), server)
    deltas = [*received, *discarded, *[delta for _, delta in on_the_way]]
    assert torch.equal(total(deltas) + total(steps[own.pushed_at :]), total(steps))


@pytest.mark.parametrize("merge", ["steps", "agreement", "anchor"])
def test_a_delta_on_its_way_is_not_written_to(merge: Merge) -> None:
    own = OwnSteps(torch.zeros(LENGTH))
    own.merge([torch.zeros(LENGTH)], 0, told(merge, 1.0))
    step = vector(1)
    own.add(step)
    delta, _ = own.cut(1)
    step.zero_()  # a step is the gradient's memory
    own.add(vector(2))
    own.merge([torch.ones(LENGTH)], 0, told(merge, 1.0))
    own.add(vector(3))
    assert torch.equal(delta, vector(1))


def test_a_worker_that_goes_on_after_a_resume_has_nothing_in_flight() -> None:
    own = OwnSteps(torch.zeros(LENGTH), iteration=8)
    assert not own.is_in_flight
    own.add(vector(9))
    assert own.cut(9)[1] == 1
    assert own.is_in_flight


def test_pieces_that_are_not_as_long_as_the_weights_are_a_programmers_mistake() -> None:
    with pytest.raises(AssertionError, match="3 numbers were wanted, 2 came"):
        OwnSteps(torch.zeros(LENGTH)).merge([torch.zeros(2)], 0, told("steps", 1.0))


# ---- agreement ---------------------------------------------------------------------------------------------


def test_the_alpha_of_an_agreement_by_hand() -> None:
    """Two parameters; the numbers of METHOD section 5 worked out on paper."""
    weights = torch.zeros(2)
    own = OwnSteps(weights)
    directive = told("agreement", 0.25)
    own.merge([torch.tensor([1.0, 1.0])], 0, directive)

    own.add(torch.tensor([2.0, 0.0]))
    own.cut(1)
    own.add(torch.tensor([0.0, 4.0]))
    own.merge([torch.tensor([1.0, 2.0])], 0, directive)  # acknowledges nothing: alpha is 0.5 still
    assert weights.tolist() == [1.0 + 0.5 * 2.0, 2.0 + 0.5 * 4.0]

    own.cut(2)
    own.add(torch.tensor([8.0, 8.0]))
    own.merge([torch.tensor([4.0, 6.0])], 1, directive)
    # o = (2, 0), d = (4, 6) - (1, 2) = (3, 4): A = 6, B = 4, C = 25; cosine 6 / 10
    alpha = 0.85 * 0.6
    assert weights.tolist() == pytest.approx([4 + alpha * 8, 6 + alpha * (4 + 8)])

    own.merge([torch.tensor([4.0, 3.0])], 2, directive)
    # o = (0, 4), d = (0, -3): A = 0.95 x 6 - 12 < 0, so alpha falls to its floor
    assert weights.tolist() == pytest.approx([4 + 0.25 * 8, 3 + 0.25 * 8])
    assert not own.is_in_flight


def test_an_acknowledgement_of_several_pushes_is_compared_as_their_sum() -> None:
    weights = torch.zeros(2)
    own = OwnSteps(weights)
    directive = told("agreement", 0.0)
    own.merge([torch.zeros(2)], 0, directive)
    for iteration, step in enumerate(([3.0, 0.0], [0.0, 4.0], [8.0, 0.0]), start=1):
        own.add(torch.tensor(step))
        own.cut(iteration)
    own.merge([torch.tensor([5.0, 0.0])], 2, directive)  # o = (3, 4), d = (5, 0): cosine 15 / 25
    assert weights.tolist() == pytest.approx([5 + 0.85 * 0.6 * 8, 0])
    assert own.is_in_flight


def alpha_of_the_first(steps: list[torch.Tensor]) -> float:
    """Let N workers train for a while, each with a step of its own; give the share that the first keeps in the end."""
    server = torch.zeros(steps[0].numel())
    directive = told("agreement", 1 / len(steps))
    workers = [(OwnSteps(weights), weights, step) for step in steps for weights in [torch.zeros_like(step)]]
    for own, _, _ in workers:
        own.merge([server], 0, directive)
    for iteration in range(1, 200, 2):
        for own, _, step in workers:
            own.add(step)
            server.add_(own.cut(iteration)[0], alpha=1 / len(steps))
        for own, _, step in workers:
            own.add(step)  # not pushed yet: alpha x this one is kept
            own.merge([server], iteration, directive)
    _, weights, step = workers[0]
    return float((weights - server) @ step / (step @ step))


def test_alpha_rises_where_workers_agree_and_falls_to_the_floor_where_they_do_not() -> None:
    east, *others = torch.eye(4)
    assert alpha_of_the_first([east] * 4) == pytest.approx(CAUTION, rel=1e-4)
    # Its own quarter of the movement is all that a worker sees of itself: cosine 1 / sqrt(4).
    assert alpha_of_the_first([east, *others]) == pytest.approx(CAUTION / 2, rel=1e-4)
    assert alpha_of_the_first([east, -east, -east, -east]) == pytest.approx(1 / 4, rel=1e-4)


def test_alpha_stays_between_its_floor_and_one() -> None:
    agreement = Agreement()
    assert agreement.alpha(0.1) == FIRST_ALPHA
    assert agreement.alpha(1.0) == 1.0  # the only worker of its run keeps all
    agreement.observe(torch.tensor([1.0, 0.0]), torch.zeros(2))  # nothing moved, which says nothing
    assert agreement.alpha(0.1) == FIRST_ALPHA
    for _ in range(3):
        agreement.observe(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 5.0]))
    assert agreement.alpha(0.1) == 0.1
    agreement.observe(torch.tensor([1e4, 0.0]), torch.tensor([1e4, 0.0]))
    assert agreement.alpha(0.1) == pytest.approx(CAUTION, rel=1e-3)
    agreement.observe(torch.full((2,), float("nan")), torch.ones(2))  # training has diverged: nothing to be saved
    assert 0.1 <= agreement.alpha(0.1) <= 1.0


def test_old_agreement_is_forgotten_by_a_twentieth_each_time() -> None:
    agreement, unit = Agreement(), torch.tensor([1.0, 0.0])
    agreement.observe(unit, unit)
    agreement.observe(unit, torch.tensor([0.0, 1.0]))
    assert agreement.alpha(0.0) == pytest.approx(CAUTION * 0.95 / sqrt((0.95 + 1) * (0.95 + 1)))


# ---- anchor ------------------------------------------------------------------------------------------------


def test_an_anchor_by_hand() -> None:
    weights = torch.tensor([100.0, 100.0])  # a seed's weights, which the first pull replaces
    own = OwnSteps(weights)
    directive = told("anchor", 0.25)
    own.merge([torch.tensor([1.0]), torch.tensor([2.0])], 0, directive)
    assert weights.tolist() == [1.0, 2.0]

    own.add(torch.tensor([4.0, 0.0]))
    own.add(torch.tensor([0.0, 8.0]))
    delta, num_iterations = own.cut(2)
    assert (delta.tolist(), num_iterations) == ([4.0, 8.0], 2)
    own.add(torch.tensor([4.0, 0.0]))
    assert weights.tolist() == [9.0, 10.0]
    own.merge([torch.tensor([5.0, 6.0])], 2, directive)
    assert weights.tolist() == [5 + 0.25 * 4, 6 + 0.25 * 4]
    assert not own.is_in_flight
    delta, num_iterations = own.cut(3)
    assert (delta.tolist(), num_iterations) == ([1.0, 1.0], 1)  # weights - what was pulled last


def test_a_policy_may_change_the_way_of_merging_and_no_step_is_lost() -> None:
    weights = torch.zeros(2)
    own = OwnSteps(weights)
    own.merge([torch.zeros(2)], 0, told("steps", 1.0))
    own.add(torch.tensor([2.0, 0.0]))
    own.merge([torch.tensor([0.0, 1.0])], 0, told("anchor", 0.5))
    assert weights.tolist() == [1.0, 0.5]
    own.add(torch.tensor([0.0, 4.0]))
    own.merge([torch.tensor([8.0, 8.0])], 0, told("agreement", 1.0))
    # Anchored, it would have pushed weights - pulled = (1, 4.5) - (0, 1).
    assert weights.tolist() == [8 + 1.0, 8 + 3.5]
    delta, num_iterations = own.cut(2)
    assert (delta.tolist(), num_iterations) == ([1.0, 3.5], 2)


# ---- memory ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("merge", "is_kept"), [("steps", False), ("agreement", True), ("anchor", True)])
def test_what_was_pulled_is_kept_only_where_it_is_needed(merge: Merge, is_kept: bool) -> None:
    own = OwnSteps(torch.zeros(LENGTH))
    kept: list[Any] = []
    for iteration in range(1, 4):
        own.merge([torch.ones(LENGTH)], iteration - 1, told(merge, 0.5))
        own.add(vector(iteration))
        own.cut(iteration)
        kept.append(own._pulled)
    assert [one is not None for one in kept] == [is_kept] * 3
    assert all(one is kept[0] for one in kept)  # the same memory all the time


def test_a_push_is_never_longer_than_the_median_of_those_before_it() -> None:
    usual = UsualLength()
    assert usual.share(100.0) == 1.0  # nothing is usual yet
    assert usual.share(1.0) == 1.0
    assert usual.share(202.0) == 0.25  # 100 and 1
    assert usual.share(100.0) == 1.0  # 100, 1 and 202: remembered as they were
    for _ in range(NUM_USUAL):
        usual.share(3.0)
    assert usual.share(6.0) == 0.5  # the rest is forgotten


def test_pushes_of_zeros_bound_nothing() -> None:
    usual = UsualLength()
    assert [usual.share(length) for length in (0.0, 0.0, 5.0)] == [1.0, 1.0, 1.0]


def bounded(merge: Merge) -> Directive:
    return Directive(1, NEVER_WAITS, 1.0, "received", merge, is_bounded=True)


@pytest.mark.parametrize("merge", ["steps", "agreement"])
def test_what_is_taken_off_a_long_push_is_given_up_by_the_worker_too(merge: Merge) -> None:
    weights = torch.zeros(LENGTH)
    own = OwnSteps(weights)
    own.merge([torch.zeros(LENGTH)], 0, bounded(merge))
    unit = torch.tensor([3.0, 4.0, 0.0])
    own.add(unit)
    own.cut(1)
    own.add(4 * unit)
    own.add(2 * unit)
    delta, num_iterations = own.cut(3)  # 3 units an iteration, where 1 is usual
    assert (delta.tolist(), num_iterations) == ((2 * unit).tolist(), 2)
    assert weights.tolist() == (7 * unit).tolist()  # until newer weights land
    own.merge([unit], 1, Directive(1, NEVER_WAITS, 1.0, "received", "steps", is_bounded=True))
    assert weights.tolist() == (3 * unit).tolist()


def test_offsets_from_an_anchor_are_pushed_as_they_are() -> None:
    own = OwnSteps(torch.zeros(LENGTH))
    own.merge([torch.zeros(LENGTH)], 0, bounded("anchor"))
    own.add(torch.ones(LENGTH))
    own.cut(1)
    own.add(torch.full((LENGTH,), 9.0))
    assert own.cut(2)[0].tolist() == [10.0] * LENGTH
