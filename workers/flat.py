"""A model as one flat vector: what is pushed, pulled, applied and checkpointed."""

from __future__ import annotations

import torch
from torch import nn


class FlatModel:
    """A model whose parameters and gradients are views into two flat float32 vectors.

    Writing to `weights` changes the model; `backward` accumulates into `gradient`. Nothing is copied.
    """

    def __init__(self, model: nn.Module) -> None:
        """Take the model over.

        Raises:
            ValueError: the model has buffers (running means), which are not part of the weights and would differ
                from worker to worker without anybody noticing.
        """
        buffers = [name for name, _ in model.named_buffers()]
        if buffers:
            raise ValueError(f"a model may not have buffers, got {', '.join(buffers)}; use GroupNorm for BatchNorm")
        self.model = model
        parameters = list(model.parameters())
        num_parameters = sum(parameter.numel() for parameter in parameters)
        self.weights = torch.empty(num_parameters)
        self.gradient = torch.zeros(num_parameters)
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            self.weights[start:end] = parameter.detach().flatten()
            parameter.data = self.weights[start:end].view_as(parameter)
            parameter.grad = self.gradient[start:end].view_as(parameter)
            start = end
