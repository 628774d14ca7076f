"""A worker's optimizer, against torch's own and against its form for a grid of learning rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from predictor.errors import SpecError
from predictor.optimizers import MomentumOptimizer, OptimizerSpec
from predictor.spec import TaskSpec, read_run
from workers.bench.optimizers import grid_optimizer
from workers.worker.optimizer import optimizer_of

NUM_STEPS, LENGTH, RATES = 40, 17, (0.02, 0.3)
SPECS: list[OptimizerSpec] = ["sgd", MomentumOptimizer(0.9), "adam"]


def torch_optimizer(spec: OptimizerSpec, weights: torch.Tensor, rate: float) -> torch.optim.Optimizer:
    if spec == "adam":
        return torch.optim.Adam([weights], lr=rate)
    momentum = spec.momentum if isinstance(spec, MomentumOptimizer) else 0.0
    return torch.optim.SGD([weights], lr=rate, momentum=momentum)


def gradients() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    return [torch.randn(LENGTH, generator=generator) * 10.0 ** (place % 3 - 1) for place in range(NUM_STEPS)]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_its_steps_are_those_of_torch(spec: OptimizerSpec) -> None:
    for rate in RATES:
        wanted = torch.zeros(LENGTH, requires_grad=True)
        theirs = torch_optimizer(spec, wanted, rate)
        weights, ours = torch.zeros(LENGTH), optimizer_of(TaskSpec(learning_rate=rate, optimizer=spec))
        for gradient in gradients():
            wanted.grad = gradient.clone()
            theirs.step()
            weights += ours.step(gradient.clone())
            torch.testing.assert_close(weights, wanted.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_grid_makes_the_same_steps_for_each_rate(spec: OptimizerSpec) -> None:
    grid = grid_optimizer(spec, -np.asarray(RATES, np.float32)[:, None])
    alone = [optimizer_of(TaskSpec(learning_rate=rate, optimizer=spec)) for rate in RATES]
    for gradient in gradients():
        steps = grid.step(np.repeat(gradient.numpy()[None], len(RATES), axis=0))
        for place, one in enumerate(alone):
            np.testing.assert_allclose(steps[place], one.step(gradient.clone()).numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [("rmsprop", "task.optimizer"), ({"momentum": 1.0}, "must be < 1"), ({"decay": 0.9}, "decay is not a known key")],
)
def test_another_one_is_refused(optimizer: Any, sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        read_run({"task": {"optimizer": optimizer}})
