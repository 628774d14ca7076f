"""A small recurrent network, trained while the run goes on.

A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078) reads the last compute times, as logarithms relative to a
moving level in units of a moving spread, and forecasts the next one. It is trained in small steps, one Adam step
after every few iterations. Only whoever chooses it pays for torch: the import is inside `GruParams.build`.

Deterministic: the initial weights come from a generator of their own with a fixed seed, and the tensors are far
below the size from which torch shares work among threads, so the process's own threads and seeds stay as they are.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from predictor.forecasters.calibration import Calibrated
from predictor.params import STRICT, param

if TYPE_CHECKING:
    import torch

_SEED = 0
_WEIGHT = 0.1  # of the newest value in level and spread
_LARGEST = 4.0  # spreads; beyond this a value is a stall, whatever its length
_LEAST_SPREAD = 1e-6  # below this a worker is steady, and its level is the forecast


@dataclass(frozen=True)
class GruParams:
    """A small neural network that learns the worker's rhythm during the run; needs torch, costs milliseconds."""

    __pydantic_config__ = STRICT

    name: Literal["gru"] = "gru"
    hidden: Annotated[int, param("Width of the network.", ge=1, le=64, advanced=True)] = 8
    window: Annotated[int, param("Iterations that it looks back.", unit="iterations", ge=2, le=128)] = 16
    train_every: Annotated[
        int, param("Iterations between two training steps.", unit="iterations", ge=1, le=1000, advanced=True)
    ] = 4
    learning_rate: Annotated[float, param("Of its own training (Adam).", gt=0, le=1, advanced=True)] = 0.02

    def build(self) -> Calibrated:
        import torch  # noqa: PLC0415 (see the head of this module)

        return Calibrated(Gru(self, torch))


class Gru:
    """See `GruParams`. Shapes: T iterations, 1 value, H hidden units."""

    def __init__(self, params: GruParams, torch_module: Any) -> None:
        self._params, self._torch = params, torch_module
        hidden = params.hidden
        generator = torch_module.Generator().manual_seed(_SEED)

        def drawn(*shape: int) -> torch.Tensor:
            weights: torch.Tensor = torch_module.rand(*shape, generator=generator) * 2 - 1
            return (weights / math.sqrt(hidden)).requires_grad_()

        # The cell's input and recurrent weights and biases as torch's own GRU orders them, then the read-out, which
        # starts at 0: an untrained network forecasts the level.
        self._cell = [drawn(3 * hidden, 1), drawn(3 * hidden, hidden), drawn(3 * hidden), drawn(3 * hidden)]
        self._readout: torch.Tensor = torch_module.zeros(hidden, 1, requires_grad=True)
        self._optimizer = torch_module.optim.Adam([*self._cell, self._readout], lr=params.learning_rate)
        self._values: deque[float] = deque(maxlen=params.window + 1)  # logarithms of durations
        self._level, self._spread, self._num = 0.0, 0.0, 0
        self._point_s = 0.0

    def learn(self, duration_s: float) -> None:
        value = math.log(duration_s)
        self._level = value if self._num == 0 else self._level + _WEIGHT * (value - self._level)
        self._spread += _WEIGHT * (abs(value - self._level) - self._spread)
        self._values.append(value)
        self._num += 1
        if self._spread < _LEAST_SPREAD:
            self._point_s = math.exp(self._level)
            return
        if len(self._values) > self._params.window and self._num % self._params.train_every == 0:
            self._train()
        self._point_s = self._forecast()

    def point_s(self) -> float:
        return self._point_s

    def _inputs(self) -> torch.Tensor:
        """Give the last iterations in units of the spread. Shape [T, 1, 1]."""
        scaled = [(value - self._level) / self._spread for value in self._values]
        inputs: torch.Tensor = self._torch.tensor([min(_LARGEST, max(-_LARGEST, one)) for one in scaled])
        return inputs.view(-1, 1, 1)

    def _outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """Give, after each iteration, the forecast of the following one. Shape [T], from inputs of [T, 1, 1]."""
        start = self._torch.zeros(1, 1, self._params.hidden)
        states, _ = self._torch.gru(inputs, start, self._cell, True, 1, 0.0, False, False, False)
        outputs: torch.Tensor = _LARGEST * self._torch.tanh(states[:, 0] @ self._readout)[:, 0]
        return outputs

    def _train(self) -> None:
        inputs = self._inputs()
        outputs = self._outputs(inputs[:-1])
        self._optimizer.zero_grad()
        loss = self._torch.nn.functional.smooth_l1_loss(outputs, inputs[1:, 0, 0])
        loss.backward()
        self._optimizer.step()

    def _forecast(self) -> float:
        with self._torch.no_grad():
            ahead = float(self._outputs(self._inputs())[-1])
        return math.exp(self._level + self._spread * ahead)
