"""ResNet-8: the CIFAR form of He et al. 2016 (section 4.2) with one block a stage.

GroupNorm (Wu & He 2018) stands in for batch normalisation: it keeps no running statistics, so that the
parameters, which alone are synchronised, are the whole state of the model.

Shapes: B batch, C channels, H height, W width, F features, K classes.
"""

# ruff: noqa: N803, N806  (the suffix of a tensor is its shape)

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from workers.models.base import Recipe, SampleShape, shape_text

WIDTHS = (16, 32, 64)  # channels of the three stages; each after the first halves height and width
NUM_GROUPS = 8
MIN_SIDE = 8  # leaves 2 x 2 maps before the average


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; the shortcut is 1 x 1 where the shape changes."""

    def __init__(self, num_in: int, num_out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(num_in, num_out, 3, stride, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(NUM_GROUPS, num_out)
        self.second = nn.Conv2d(num_out, num_out, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(NUM_GROUPS, num_out)
        is_same = num_in == num_out and stride == 1
        self.shortcut = nn.Identity() if is_same else nn.Conv2d(num_in, num_out, 1, stride, bias=False)

    def forward(self, maps_BCHW: Tensor) -> Tensor:
        inner_BCHW = functional.relu(self.first_norm(self.first(maps_BCHW)))
        inner_BCHW = self.second_norm(self.second(inner_BCHW))
        return functional.relu(inner_BCHW + self.shortcut(maps_BCHW))


class ResNet8(nn.Module):
    """A stem, three blocks, a global average and a linear head: about 78,000 parameters."""

    def __init__(self, num_channels: int, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(num_channels, WIDTHS[0], 3, padding=1, bias=False)
        self.stem_norm = nn.GroupNorm(NUM_GROUPS, WIDTHS[0])
        self.blocks = nn.Sequential(
            Block(WIDTHS[0], WIDTHS[0], stride=1),
            Block(WIDTHS[0], WIDTHS[1], stride=2),
            Block(WIDTHS[1], WIDTHS[2], stride=2),
        )
        self.head = nn.Linear(WIDTHS[2], num_classes)

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Give the logits, (B, K)."""
        maps_BCHW = functional.relu(self.stem_norm(self.stem(images_BCHW)))
        features_BF = self.blocks(maps_BCHW).mean(dim=(2, 3))
        logits_BK: Tensor = self.head(features_BF)
        return logits_BK


def _create(sample_shape: SampleShape, num_classes: int) -> nn.Module:
    return ResNet8(sample_shape[0], num_classes)


def _misfit(sample_shape: SampleShape) -> str | None:
    if len(sample_shape) == 3 and min(sample_shape[1:]) >= MIN_SIDE:
        return None
    return (
        f"resnet8 needs images of at least {MIN_SIDE} x {MIN_SIDE} pixels, "
        f"got samples of shape {shape_text(sample_shape)}"
    )


RESNET8 = Recipe(
    help="ResNet-8 with group normalisation: seven 3 x 3 convolutions in three stages, slow on a CPU.",
    input_shapes=f"images of at least {MIN_SIDE} x {MIN_SIDE} pixels, any number of channels",
    is_image_only=True,
    misfit=_misfit,
    create=_create,
)
