"""A perceptron with one hidden layer, for many learning rates at once.

All arrays carry a leading axis L: one network for each learning rate. When updates happen does not depend on the
weights, so one simulation of the times serves the whole grid of learning rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Shape:
    """Numbers of inputs, hidden units and classes."""

    num_inputs: int
    num_hidden: int
    num_classes: int

    @property
    def num_parameters(self) -> int:
        return (self.num_inputs + 1) * self.num_hidden + (self.num_hidden + 1) * self.num_classes

    def views(self, flat: Array) -> tuple[Array, Array, Array, Array]:
        """Give the layers inside flat parameters (L, P): (L, I, H), (L, 1, H), (L, H, C), (L, 1, C)."""
        num, (i, h, c) = len(flat), (self.num_inputs, self.num_hidden, self.num_classes)
        ends = [i * h, (i + 1) * h, (i + 1) * h + h * c]
        first, bias, second, last = np.split(flat, ends, axis=1)
        return first.reshape(num, i, h), bias.reshape(num, 1, h), second.reshape(num, h, c), last.reshape(num, 1, c)

    def initial(self, seed: int) -> Array:
        """Give first weights (P,): He et al. 2015 for both layers, biases 0."""
        generator: Any = np.random.Generator(np.random.Philox(key=[seed, 0], counter=[0, 0, 9, 0]))
        flat = np.zeros((1, self.num_parameters), np.float32)
        first, _, second, _ = self.views(flat)
        first[:] = generator.standard_normal(first.shape) * math.sqrt(2 / self.num_inputs)
        second[:] = generator.standard_normal(second.shape) * math.sqrt(2 / self.num_hidden)
        weights: Array = flat[0]
        return weights


class Network:
    """Forward and backward of `Shape`, with its scratch memory."""

    def __init__(self, shape: Shape, num: int) -> None:
        self.shape = shape
        self._gradient = np.empty((num, shape.num_parameters), np.float32)
        self._parts = shape.views(self._gradient)

    def gradient(self, layers: tuple[Array, ...], samples: Array, one_hot: Array) -> tuple[Array, Array]:
        """Give the gradient of the mean cross-entropy (L, P), valid until the next call, and the losses (L,).

        Args:
            layers: `Shape.views` of the weights.
            samples: (B, I).
            one_hot: (B, C).
        """
        first, bias, second, last = layers
        to_first, to_bias, to_second, to_last = self._parts
        hidden = np.maximum(np.matmul(samples, first) + bias, 0)
        logits = np.matmul(hidden, second) + last
        logits -= logits.max(axis=2, keepdims=True)
        shares = np.exp(logits)
        sums = shares.sum(axis=2, keepdims=True)
        losses = (np.log(sums[:, :, 0]) - (logits * one_hot).sum(axis=2)).mean(axis=1)
        shares /= sums
        shares -= one_hot
        shares *= 1 / len(samples)
        np.matmul(hidden.transpose(0, 2, 1), shares, out=to_second)
        shares.sum(axis=1, keepdims=True, out=to_last)
        back = np.matmul(shares, second.transpose(0, 2, 1))
        back *= hidden > 0
        np.matmul(samples.T, back, out=to_first)
        back.sum(axis=1, keepdims=True, out=to_bias)
        return self._gradient, losses

    def evaluate(self, weights: Array, samples: Array, labels: NDArray[np.int64]) -> tuple[Array, Array]:
        """Give mean cross-entropy (L,) and accuracy (L,) on a held-back set."""
        first, bias, second, last = self.shape.views(weights)
        logits = np.matmul(np.maximum(np.matmul(samples, first) + bias, 0), second) + last
        logits -= logits.max(axis=2, keepdims=True)
        right = np.take_along_axis(logits, labels[None, :, None], axis=2)[:, :, 0]
        losses = (np.log(np.exp(logits).sum(axis=2)) - right).mean(axis=1)
        return losses, (logits.argmax(axis=2) == labels).mean(axis=1)
