"""Two regimes: a fast and a slow level, and how often a worker changes between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from predictor.forecasters.calibration import Calibrated
from predictor.forecasters.regimes import Regimes
from predictor.params import STRICT


@dataclass(frozen=True)
class MarkovRegimeParams:
    """Learns a fast and a slow level and how often they alternate: for workers with spells of slowness."""

    __pydantic_config__ = STRICT

    name: Literal["markov"] = "markov"

    def build(self) -> Calibrated:
        return Calibrated(Markov())


class Markov:
    """See `MarkovRegimeParams`: the mean over both levels, given how likely each is after the last iteration."""

    def __init__(self) -> None:
        self._regimes = Regimes()

    def learn(self, duration_s: float) -> None:
        self._regimes.learn(math.log(duration_s))

    def point_s(self) -> float:
        return self._regimes.mean_s()
