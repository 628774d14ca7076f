"""Let the cheap forecasters compete for each worker, and act on the one whose decisions have cost least."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.forecasters.ar import Ar, ArParams
from predictor.forecasters.base import Point
from predictor.forecasters.calibration import Calibrated
from predictor.forecasters.ewma import Ewma, EwmaParams
from predictor.forecasters.holt import Holt, HoltParams
from predictor.forecasters.markov import Markov
from predictor.forecasters.median import Median, MedianParams
from predictor.forecasters.timing import RecentMean, TimingParams
from predictor.params import STRICT, param

_WEIGHT = 0.1  # of the newest iteration in its mean duration, which is what it costs to come late
_ENOUGH = 16  # iterations that must have been scored before another candidate than `timing` is believed
_MARGIN = 0.95  # another candidate must cost less than this share of what `timing` costs


@dataclass(frozen=True)
class AutoParams:
    """Runs the cheap forecasters side by side and acts on the one whose decisions cost least for this worker."""

    __pydantic_config__ = STRICT

    name: Literal["auto"] = "auto"
    horizon: Annotated[
        int, param("Iterations ahead at which decisions are scored.", unit="iterations", ge=1, le=100, advanced=True)
    ] = 1
    forgetting: Annotated[float, param("Share of the cost that lasts to the next iteration.", ge=0, lt=1)] = 0.97

    def build(self) -> Auto:
        return Auto(self)


class Candidates:
    """The point forecasts that compete, with what each has cost; `timing` comes first and wins ties."""

    def __init__(self, params: AutoParams) -> None:
        self._params = params
        self._timing = RecentMean(TimingParams().window)
        points: Sequence[Point] = (
            Ewma(EwmaParams().weight),
            Ewma(1.0),
            Median(MedianParams().window),
            Holt(HoltParams()),
            Ar(ArParams().order),
            Markov(),
        )
        self._points: tuple[Point, ...] = (self._timing, *points)
        self._costs = [0.0] * len(self._points)
        self._aims_s: deque[list[float]] = deque(maxlen=params.horizon)  # oldest first
        self._late_s = 0.0
        self._used, self._num_scored = 0, 0

    def learn(self, duration_s: float) -> None:
        self._late_s += _WEIGHT * (duration_s - self._late_s) if self._late_s else duration_s
        if len(self._aims_s) == self._params.horizon:
            keep = self._params.forgetting
            for place, aim_s in enumerate(self._aims_s[0]):
                cost_s = self._late_s if duration_s < aim_s else duration_s - aim_s
                self._costs[place] = keep * self._costs[place] + cost_s
            best = min(range(len(self._costs)), key=self._costs.__getitem__)
            self._num_scored += 1
            is_better = self._num_scored >= _ENOUGH and self._costs[best] < _MARGIN * self._costs[0]
            self._used = best if is_better else 0
        for point in self._points:
            point.learn(duration_s)
        self._aims_s.append([self._timing.aim_s() or duration_s, *(point.point_s() for point in self._points[1:])])

    def point_s(self) -> float:
        return self._points[self._used].point_s()

    def aim_s(self, elapsed_s: float, late_s: float | None) -> float | None:
        """Give what the timing rule acts on, if it is the winner; None: the forecast is what to act on."""
        if self._used != 0:
            return None
        if elapsed_s <= 0 and late_s is None:
            return self._aims_s[-1][0]
        return self._timing.aim_s(elapsed_s, late_s)


class Auto(Calibrated):
    """See `AutoParams`."""

    def __init__(self, params: AutoParams) -> None:
        self._candidates = Candidates(params)
        super().__init__(self._candidates)

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        aim_s = self._candidates.aim_s(elapsed_s, late_s) if self._centres_s else None
        return super().aim_s(elapsed_s) if aim_s is None else aim_s
