"""Who is compared, and over which grids their keys are tuned (METHOD sections 3 and 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from predictor.forecasters import EwmaParams, ForecasterParams
from predictor.forecasters.timing import TimingParams
from predictor.policies import POLICIES, PolicyParams
from workers.bench.same_terms import SameTerms
from workers.bench.scenario import ScenarioError

OURS = "foresync"
SSP = "ssp"
RECONSTRUCTION = "predictive"  # is reported, and is no peer

_ITERATIONS = [{"local_iterations": num} for num in (1, 2, 4, 8, 16)]
_THRESHOLDS = [{"threshold_low": 3, "threshold_high": 15}]

GRIDS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    OURS: [{}],  # one set of defaults in all cells
    "bsp": [{}],
    "asp": [{}],
    SSP: [{"threshold": threshold} for threshold in (1, 2, 4, 8, 16, 32)],
    "dssp_literal": _THRESHOLDS,
    "dssp": _THRESHOLDS,
    "elastic_bsp": [{"horizon": horizon} for horizon in (5, 15, 30)],
    "fsp": [{}, *({"deadline_s": float(deadline_s)} for deadline_s in (1, 2, 4, 8, 16))],  # {}: adaptive
    "local_sgd": _ITERATIONS,
    "cocod": _ITERATIONS,
    "overlap_local_sgd": _ITERATIONS,
    "rennala": [{"num_gradients": num} for num in (2, 4, 8, 16)],
    "ringmaster": [{"max_staleness": staleness} for staleness in (4, 8, 16, 32)],
    RECONSTRUCTION: [{}],
}
PEERS = tuple(name for name in GRIDS if name not in (OURS, RECONSTRUCTION))


def choose(names: str | None) -> list[str]:
    """Give the policies that a comma-separated list names, in the order of `GRIDS`; None stands for all.

    Raises:
        ScenarioError: a name is unknown, or there is none.
    """
    if names is None:
        return list(GRIDS)
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in GRIDS:
            raise ScenarioError(f"policies must be among {', '.join(GRIDS)}, got {name!r}.")
    return [name for name in GRIDS if name in wanted]


def grid_of(policy: str, has_same_terms: bool = False) -> list[PolicyParams]:
    """Give the parameters among which a policy is tuned; on the same terms, with the momentum and the bound of ours."""
    grid = [POLICIES[policy](**keys) for keys in GRIDS[policy]]
    return [SameTerms(params) for params in grid] if has_same_terms and policy != OURS else grid


def forecaster_of(policy: str) -> ForecasterParams:
    """Give the forecaster that a policy runs with: `timing` for ours, an EWMA for all others."""
    return TimingParams() if policy == OURS else EwmaParams()
