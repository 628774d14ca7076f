"""What a model is to the registry: for which samples it is made, and how it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

SampleShape = tuple[int, ...]  # of one sample: (channels, height, width) of an image, (features,) of a table's row


@dataclass(frozen=True)
class Recipe:
    """One model of the registry."""

    help: str  # one sentence for the user
    input_shapes: str  # in words, for the user
    is_image_only: bool
    misfit: Callable[[SampleShape], str | None]  # why samples of this shape cannot be used, None if they can
    create: Callable[[SampleShape, int], nn.Module]  # (shape that fits, num_classes) -> model that gives logits


def initialise(model: nn.Module) -> None:
    """Draw He-normal weights (He et al. 2015, section 2.2) and zero biases from torch's generator, in place."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def shape_text(shape: SampleShape) -> str:
    """Write a shape for people: "1 x 28 x 28"."""
    return " x ".join(map(str, shape))
