"""Policies: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictor.params import one_of
from predictor.policies.asp import AspParams
from predictor.policies.base import Policy, PolicyParams
from predictor.policies.bsp import BspParams
from predictor.policies.predictive import PredictiveParams
from predictor.policies.ssp import SspParams

POLICIES: dict[str, type[Any]] = {
    "predictive": PredictiveParams,
    "ssp": SspParams,
    "bsp": BspParams,
    "asp": AspParams,
}

if TYPE_CHECKING:
    AnyPolicyParams = PolicyParams
else:
    AnyPolicyParams = one_of(POLICIES, "name")

__all__ = ["POLICIES", "AnyPolicyParams", "Policy", "PolicyParams", "PredictiveParams"]
