"""The window of a round's cut, calibrated over rounds.

A cut comes when the last awaited push has arrived. The latest of N windows is not the window of the latest of N
arrivals, and a plan is made anew while its round goes on. So the cut has ratios of its own, actual length of the
round to planned length, and adaptive tails as the iterations of a worker have (`predictor.forecasters.calibration`).
A plan that is made late in a round knows more: each phase of a round has its own ratios.
"""

from __future__ import annotations

from predictor.forecasters.calibration import Tails

_NUM_PHASES = 5  # the opening, and the quarters of the planned length
_SHORTEST_S = 1e-9
_LEAST_SHARE = 0.1  # of the usual length: a round that is planned shorter is judged as if it were that long
_WEIGHT = 0.1  # of the newest round in the usual length


class CutWindows:
    """See the head of this module. O(log memory) for each plan and each round."""

    def __init__(self) -> None:
        self._tails = tuple(Tails() for _ in range(_NUM_PHASES))
        self._planned_s: dict[int, float] = {}  # phase -> planned length of this round, as the phase's last plan had it
        self._started_s = 0.0
        self._usual_s = _SHORTEST_S

    def open(self, at_s: float) -> None:
        """Begin a round without the end of another: the first one (which else begins at 0), or one after a pause."""
        self._started_s = at_s
        self._planned_s = {}

    def plan(self, now_s: float, expected_s: float) -> tuple[float, float, float]:
        """Give the 5% quantile, the expectation and the 95% quantile of a cut that is expected for `expected_s`."""
        length_s = max(_LEAST_SHARE * self._usual_s, expected_s - self._started_s)
        phase = 0
        if now_s > self._started_s:
            phase = min(_NUM_PHASES - 1, 1 + int((_NUM_PHASES - 1) * (now_s - self._started_s) / length_s))
        self._planned_s[phase] = length_s
        tails = self._tails[phase]
        low_s = max(now_s, self._started_s + tails.low * length_s)
        high_s = max(low_s, self._started_s + tails.high * length_s)
        return low_s, min(max(expected_s, low_s), high_s), high_s

    def close(self, at_s: float) -> None:
        """End the round: its cut came at `at_s`, where the next round begins."""
        actual_s = max(_SHORTEST_S, at_s - self._started_s)
        self._usual_s += (_WEIGHT if self._usual_s > _SHORTEST_S else 1.0) * (actual_s - self._usual_s)
        for phase, length_s in self._planned_s.items():
            self._tails[phase].learn(actual_s, length_s)
        self._planned_s = {}
        self._started_s = at_s
