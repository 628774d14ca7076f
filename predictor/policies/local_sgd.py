"""Local SGD: some local iterations, then the mean (Stich, Local SGD Converges Fast and Communicates Little, ICLR 2019).

On our wire: each worker pushes the sum of `local_iterations` local steps and waits (`push_pull`). When all members
have pushed, the mean of these deltas is added to the global weights, which are what the paper calls the average of the
local models; all are released with it. The transfer is not hidden. With one local iteration it is `bsp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.events import Directive
from predictor.params import STRICT, param
from predictor.policies.base import BLOCKING_ALPHA, Member
from predictor.policies.rounds import LocalRounds


@dataclass(frozen=True)
class LocalSgdParams:
    """Local SGD: every worker does some iterations alone, then all wait for all and take the mean."""

    __pydantic_config__ = STRICT

    name: Literal["local_sgd"] = "local_sgd"
    local_iterations: Annotated[
        int, param("Iterations of each worker between two barriers.", unit="iterations", ge=1, le=100_000)
    ] = 4

    def build(self) -> LocalSgd:
        return LocalSgd(self)


class LocalSgd(LocalRounds):
    """See the head of this module. A decision costs O(1), O(N) at a barrier."""

    def __init__(self, params: LocalSgdParams) -> None:
        super().__init__()
        self.params = params

    def _directive(self, member: Member) -> Directive:
        return Directive(member.clock + self.params.local_iterations, max_ahead=0, alpha=BLOCKING_ALPHA)
