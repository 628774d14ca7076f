"""The benchmark's arrays merge exactly as a live worker's `OwnSteps` does: it is written twice, so it is compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from predictor.directive import NEVER_WAITS, Directive, Merge
from tests.workers.bench.scenes import scenario
from workers.bench.trainer import GridTrainer, Worker
from workers.worker.own_steps import OwnSteps


class Both:
    """One worker in both forms, that does the same."""

    def __init__(self, folder: Path, merge: Merge, *, is_bounded: bool) -> None:
        task = scenario(folder).make_task(3)
        self.trainer = GridTrainer(task, [0.1], num_workers=1, seed=3)
        self.array: Worker = self.trainer._workers[0]
        self.live_weights = torch.zeros(task.shape.num_parameters)
        self.live = OwnSteps(self.live_weights)
        self.generator = np.random.default_rng(5)
        self.directive = Directive(1, NEVER_WAITS, 0.0, "received", merge)  # the first weights are taken whole
        self.land(0)
        self.directive = Directive(1, NEVER_WAITS, 0.3, "received", merge, is_bounded=is_bounded)

    def vector(self) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return self.generator.standard_normal(len(self.live_weights)).astype(np.float32)

    def step(self) -> None:
        step = self.vector() * np.float32(self.generator.exponential())
        self.array.weights += step
        self.array.since_push += step
        self.array.num_since_push += 1
        self.live.add(torch.from_numpy(step.copy()))

    def push(self, iteration: int) -> None:
        self.trainer.push(0, iteration)
        delta, _ = self.live.cut(iteration)
        np.testing.assert_allclose(self.trainer._pending.pop((0, iteration))[0], delta.numpy(), atol=1e-4)

    def land(self, acknowledged: int) -> None:
        """Let weights land that moved partly as the worker did."""
        moved = (self.vector() + 0.5 * self.live_weights.numpy()).astype(np.float32)
        self.array.coming.append(moved[None].copy())
        self.trainer.land(0, acknowledged, self.directive)
        self.live.merge([torch.from_numpy(moved.copy())], acknowledged, self.directive)
        np.testing.assert_allclose(self.array.weights[0], self.live_weights.numpy(), atol=1e-3)


@pytest.mark.parametrize("merge", ["steps", "agreement", "anchor"])
@pytest.mark.parametrize("is_bounded", [False, True])
def test_pushes_landings_and_steps_in_any_order_leave_the_same_weights(
    tmp_path: Path, merge: Merge, is_bounded: bool
) -> None:
    both = Both(tmp_path, merge, is_bounded=is_bounded)
    pushed = acknowledged = 0
    for iteration in range(1, 40):
        both.step()
        if iteration % 3 == 0:
            both.push(iteration)
            pushed = iteration
        if iteration % 4 == 0:
            both.land(acknowledged)
            acknowledged = pushed
    assert acknowledged > 30
