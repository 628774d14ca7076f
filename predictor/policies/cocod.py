"""CoCoD-SGD: local SGD whose transfer is hidden behind the next local iterations (Shen et al. 2019, arXiv:1906.12043).

On our wire: at every `local_iterations`-th iteration a worker pushes the sum of its steps since its last push and goes
on. When all members have pushed, the mean is added to the global weights, and all are sent g. What a worker did
meanwhile it keeps: w = g + (z - y), with y the weights that it pushed and z those that it has now (alpha = 1).
It waits only `local_iterations` past its push, if no answer has landed by then.

Two small differences to the paper's Algorithm 1: g is merged as soon as it has landed, not at the end of the round;
and a worker that had to wait for g pushes one iteration after it has landed, since a push belongs to a boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import Directive
from predictor.params import STRICT, param
from predictor.policies.base import Member
from predictor.policies.rounds import LocalRounds

_KEEPS_ALL = 1.0  # share of the steps that were done while the mean was on its way


@dataclass(frozen=True)
class CocodParams:
    """CoCoD-SGD: local SGD that goes on training while the mean is on its way."""

    __pydantic_config__ = STRICT

    name: Literal["cocod"] = "cocod"
    local_iterations: Annotated[
        int,
        param(
            "Iterations of each worker between two pushes, and most that it goes on after one.",
            unit="iterations",
            ge=1,
            le=100_000,
        ),
    ] = 4

    def build(self) -> Cocod:
        return Cocod(self)


class Cocod(LocalRounds):
    """See the head of this module. A decision costs O(1), O(N) at the end of a round."""

    def __init__(self, params: CocodParams) -> None:
        super().__init__()
        self.params = params

    def _directive(self, member: Member) -> Directive:
        num = self.params.local_iterations
        return Directive(member.clock + num, max_ahead=num, alpha=_KEEPS_ALL)
