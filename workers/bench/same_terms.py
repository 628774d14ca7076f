"""The benchmark on the same terms: every peer with the momentum and the bound that `foresync` has by default.

Both are matters of the optimiser as much as of synchronisation (docs/decisions/momentum-over-many-rounds.md). So what
is left between `foresync` and a peer that has them too is what synchronisation does. A policy with a momentum of its
own (`overlap_local_sgd`) keeps that.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from predictor.events import Directive, Stimulus
from predictor.policies import PolicyParams
from predictor.policies.base import Cluster, Policy, Verdict
from predictor.policies.foresync import MOMENTUM, ForesyncParams, repeat


@dataclass(frozen=True)
class SameTerms:
    """Parameters of a policy, with the momentum and the bound of `foresync`."""

    policy: PolicyParams
    momentum: float = MOMENTUM
    momentum_rounds: float = ForesyncParams.momentum_rounds
    bound: str = ForesyncParams.bound

    @property
    def name(self) -> str:
        return self.policy.name

    def build(self) -> _SameTermsPolicy:
        return _SameTermsPolicy(self)


class _SameTermsPolicy:
    """Asks the policy, and adds the momentum to what it applies and the bound to what it tells the workers."""

    def __init__(self, params: SameTerms) -> None:
        self.params = params
        self._policy: Policy = params.policy.build()
        self.forecasts = self._policy.forecasts

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = self._policy.decide(cluster, stimulus)
        if verdict.apply and verdict.momentum == 0:
            pushes_per_round = len(cluster.members) / len(verdict.apply)  # aggregates that hold one push of each worker
            repeat(verdict, self.params.momentum, self.params.momentum_rounds * max(1.0, pushes_per_round))
        if self.params.bound == "usual":
            verdict.release = _bounded(verdict.release)
            verdict.redirect = _bounded(verdict.redirect)
        return verdict


def _bounded(told: Sequence[tuple[int, Directive, str]]) -> list[tuple[int, Directive, str]]:
    return [(worker, _with_bound(directive), reason) for worker, directive, reason in told]


@lru_cache(maxsize=1024)
def _with_bound(directive: Directive) -> Directive:
    return dataclasses.replace(directive, is_bounded=True)
