"""Models: one file each, one line here."""

from __future__ import annotations

import torch
from torch import nn

from workers.errors import DataError
from workers.models.base import Recipe, SampleShape, initialise
from workers.models.lenet5 import LENET5
from workers.models.mlp import MLP
from workers.models.resnet import RESNET8

MODELS: dict[str, Recipe] = {
    "mlp": MLP,
    "lenet5": LENET5,
    "resnet8": RESNET8,
}


def fits(name: str, sample_shape: SampleShape) -> str | None:
    """Give None if the model takes samples of this shape, else the sentence that says why not.

    Raises:
        DataError: there is no such model.
    """
    return _recipe(name).misfit(sample_shape)


def build(name: str, sample_shape: SampleShape, num_classes: int, seed: int) -> nn.Module:
    """Build a model with the first weights of this seed; torch's own generator is left as it was.

    Args:
        name: a key of `MODELS`.
        sample_shape: (channels, height, width), or (features,).
        num_classes: length of the logits, >= 2.
        seed: of the first weights.

    Returns:
        A module from float32 samples (batch, *sample_shape) to logits (batch, num_classes). Its parameters
        are its whole state: it has no buffers.

    Raises:
        DataError: there is no such model, or it does not take such samples.
    """
    recipe = _recipe(name)
    misfit = recipe.misfit(sample_shape)
    if misfit:
        raise DataError(misfit)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = recipe.create(sample_shape, num_classes)
        initialise(model)
    return model


def _recipe(name: str) -> Recipe:
    if name not in MODELS:
        raise DataError(f"there is no model {name!r}: choose one of {', '.join(MODELS)}")
    return MODELS[name]


__all__ = ["MODELS", "Recipe", "SampleShape", "build", "fits"]
