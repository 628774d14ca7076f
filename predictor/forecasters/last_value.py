"""The next iteration lasts as long as the last one (ElasticBSP's and DSSP's forecast)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.forecasters.calibration import Calibrated
from predictor.forecasters.ewma import Ewma
from predictor.params import STRICT


@dataclass(frozen=True)
class LastValueParams:
    """The next iteration lasts as long as the last one: follows every change, and every jitter."""

    __pydantic_config__ = STRICT

    name: Literal["last_value"] = "last_value"

    def build(self) -> Calibrated:
        return Calibrated(Ewma(1.0))
