"""A perceptron with one hidden layer: 64-32-10 on digits (METHOD section 8), 784-128-10 on 28 x 28 images."""

from __future__ import annotations

import math

from torch import nn

from workers.models.base import Recipe, SampleShape

NUM_LARGE_INPUTS = 784  # from here on the hidden layer is the wide one


def _create(sample_shape: SampleShape, num_classes: int) -> nn.Module:
    num_inputs = math.prod(sample_shape)
    num_hidden = 128 if num_inputs >= NUM_LARGE_INPUTS else 32
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(num_inputs, num_hidden),
        nn.ReLU(),
        nn.Linear(num_hidden, num_classes),
    )


MLP = Recipe(
    help="Perceptron with one hidden layer of 32 units (128 for samples of 784 values or more).",
    input_shapes="any",
    is_image_only=False,
    misfit=lambda _: None,
    create=_create,
)
