"""Which optimizers a worker may have: what a spec says of them, and the constants that all their forms share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.params import STRICT, param

# Adam, Kingma & Ba 2015 (arXiv:1412.6980), with the constants of the paper.
ADAM_FIRST, ADAM_SECOND, ADAM_EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class MomentumOptimizer:
    """SGD with momentum in each worker."""

    __pydantic_config__ = STRICT

    momentum: Annotated[float, param("Share of its last movement that a worker repeats.", ge=0, lt=1)] = 0.9


OptimizerSpec = Literal["sgd"] | Literal["adam"] | MomentumOptimizer  # apart, so that the form offers three
