"""Policies: one file each, one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictor.params import one_of
from predictor.policies.asp import AspParams
from predictor.policies.base import Policy, PolicyParams
from predictor.policies.bsp import BspParams
from predictor.policies.cocod import CocodParams
from predictor.policies.dssp import DsspParams
from predictor.policies.dssp_literal import DsspLiteralParams
from predictor.policies.elastic_bsp import ElasticBspParams
from predictor.policies.foresync import ForesyncParams
from predictor.policies.fsp import FspParams
from predictor.policies.local_sgd import LocalSgdParams
from predictor.policies.overlap_local_sgd import OverlapLocalSgdParams
from predictor.policies.predictive import PredictiveParams
from predictor.policies.rennala import RennalaParams
from predictor.policies.ringmaster import RingmasterParams
from predictor.policies.ssp import SspParams

POLICIES: dict[str, type[Any]] = {
    "foresync": ForesyncParams,
    "predictive": PredictiveParams,
    "ssp": SspParams,
    "bsp": BspParams,
    "asp": AspParams,
    "dssp": DsspParams,
    "dssp_literal": DsspLiteralParams,
    "elastic_bsp": ElasticBspParams,
    "fsp": FspParams,
    "local_sgd": LocalSgdParams,
    "cocod": CocodParams,
    "overlap_local_sgd": OverlapLocalSgdParams,
    "rennala": RennalaParams,
    "ringmaster": RingmasterParams,
}

if TYPE_CHECKING:
    AnyPolicyParams = PolicyParams
else:
    AnyPolicyParams = one_of(POLICIES, "name")

__all__ = ["POLICIES", "AnyPolicyParams", "ForesyncParams", "Policy", "PolicyParams", "PredictiveParams"]
