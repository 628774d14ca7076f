"""LeNet-5 (LeCun et al. 1998, section II.B) in its present form: ReLU, max pooling, fully connected maps.

Shapes: B batch, C channels, H height, W width, F features, K classes.
"""

# ruff: noqa: N803, N806  (the suffix of a tensor is its shape)

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from workers.models.base import Recipe, SampleShape, shape_text

SIDES = {28: 2, 32: 0}  # side of the image -> padding with which the first layer gives 28 x 28 maps


class LeNet5(nn.Module):
    """Two convolutions and three fully connected layers, 61,706 parameters for 1 channel and 10 classes."""

    def __init__(self, num_channels: int, padding: int, num_classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(num_channels, 6, kernel_size=5, padding=padding)
        self.second = nn.Conv2d(6, 16, kernel_size=5)
        self.dense = nn.Sequential(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU())
        self.head = nn.Linear(84, num_classes)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Give the logits, (B, K)."""
        maps_BCHW = functional.max_pool2d(functional.relu(self.first(images_BCHW)), 2)  # 6 x 14 x 14
        maps_BCHW = functional.max_pool2d(functional.relu(self.second(maps_BCHW)), 2)  # 16 x 5 x 5
        features_BF = self.dense(maps_BCHW.flatten(1))
        logits_BK: Tensor = self.head(features_BF)
        return logits_BK


def _create(sample_shape: SampleShape, num_classes: int) -> nn.Module:
    num_channels, side, _ = sample_shape
    return LeNet5(num_channels, SIDES[side], num_classes)


def _misfit(sample_shape: SampleShape) -> str | None:
    if len(sample_shape) == 3 and sample_shape[1] == sample_shape[2] and sample_shape[1] in SIDES:
        return None
    return f"lenet5 needs images of 28 x 28 or 32 x 32 pixels, got samples of shape {shape_text(sample_shape)}"


LENET5 = Recipe(
    help="LeNet-5: two convolutions and three fully connected layers.",
    input_shapes="images of 28 x 28 or 32 x 32 pixels, any number of channels",
    is_image_only=True,
    misfit=_misfit,
    create=_create,
)
