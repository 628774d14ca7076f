"""A model as one flat vector, and the measuring of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from workers.datasets.base import Split
from workers.evaluator.process import measure
from workers.flat import FlatModel
from workers.models import MODELS, build


@pytest.mark.parametrize("name", MODELS)
def test_weights_and_gradients_are_views(name: str) -> None:
    plain = build(name, (1, 28, 28), 10, seed=3)
    flat = FlatModel(build(name, (1, 28, 28), 10, seed=3))
    assert flat.weights.numel() == sum(parameter.numel() for parameter in plain.parameters())
    images, labels = torch.rand(4, 1, 28, 28), torch.tensor([1, 2, 3, 4])
    for model in (plain, flat.model):
        for _ in range(2):  # gradients add up in place
            functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
    expected = torch.cat([parameter.grad.flatten() for parameter in plain.parameters() if parameter.grad is not None])
    torch.testing.assert_close(flat.gradient, expected)
    before = flat.model(images)
    flat.weights.mul_(0.5)
    assert not torch.equal(flat.model(images), before)


def test_a_model_with_running_means_is_refused() -> None:
    with pytest.raises(ValueError, match=r"may not have buffers, got 1.running_mean"):
        FlatModel(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)))


def test_measuring_is_the_mean_over_all_samples() -> None:
    random = np.random.default_rng(1)
    samples, labels = random.normal(size=(600, 6)).astype(np.float32), random.integers(0, 3, 600).astype(np.int64)
    model = FlatModel(build("mlp", (6,), 3, seed=1))
    measured = measure(model, Split(samples, labels))
    with torch.no_grad():
        logits = model.model(torch.from_numpy(samples))
    loss = float(functional.cross_entropy(logits, torch.from_numpy(labels)))
    accuracy = float((logits.argmax(1).numpy() == labels).mean())
    assert measured is not None
    assert list(measured) == pytest.approx([loss, accuracy], rel=1e-5)
