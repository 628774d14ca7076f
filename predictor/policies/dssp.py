"""Dynamic SSP whose upper threshold holds (after Zhao et al. 2019, arXiv:1908.11848; the cap is ours).

The same as `dssp_literal`, whose head gives the rules, with three amendments:

* A grant is capped to `threshold_high` - lead, so a worker under a grant never arrives with a lead above
  `threshold_high`.
* It counts the iteration that follows it, so r* iterations are done, which is what the controller simulates.
* It is not spent at a lead of `threshold_high` or more, which happens when somebody joins behind.

Without a grant a worker goes on up to a lead of `threshold_low`, as under `ssp`. So its lead at the arrival of a push
is at most max(threshold_high, threshold_low + 1), unless somebody joins behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.params import STRICT, param
from predictor.policies.dssp_literal import DsspLiteral


@dataclass(frozen=True)
class DsspParams:
    """Dynamic SSP: the fastest is granted iterations beyond the lower threshold, never beyond the upper one."""

    __pydantic_config__ = STRICT

    name: Literal["dssp"] = "dssp"
    threshold_low: Annotated[
        int, param("Largest lead at which a worker may go on without a grant.", unit="iterations", ge=0, le=10_000)
    ] = 3
    threshold_high: Annotated[
        int, param("Largest lead that a grant may lead to.", unit="iterations", ge=0, le=10_000)
    ] = 15

    def build(self) -> Dssp:
        return Dssp(self)


class Dssp(DsspLiteral):
    """See the head of this module. A decision costs O(N + high - low)."""

    def __init__(self, params: DsspParams) -> None:
        super().__init__(params)

    def _may_spend(self, lead: int) -> bool:
        return lead < self.params.threshold_high

    def _grant(self, worker: int, num: int, lead: int) -> str:
        high = self.params.threshold_high
        num = max(0, min(num, high - lead))
        self._grants[worker] = max(0, num - 1)
        return f"granted r = {num}, leads by {lead}, upper threshold {high}" if num else ""
