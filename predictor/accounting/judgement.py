"""How predictions held: sync windows against the updates that came, forecasts of iterations against their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from predictor.worker_totals import WARM_UP

_MAX_PLANS = 64  # versions ahead that are predicted at one time; policies plan one
NUM_BARS = 21  # of the histogram of errors
_BAR = 0.05  # their width, as a share of what was predicted; the outer bars hold everything beyond

Window = tuple[float, float, float]  # expected, low, high


@dataclass(slots=True)
class Score:
    """Predictions held against what happened. An error is what happened minus what was predicted."""

    num: int = 0
    num_covered: int = 0
    error_s: float = 0.0  # sum; its mean is the bias
    absolute_s: float = 0.0
    error_share: float = 0.0
    absolute_share: float = 0.0
    width_s: float = 0.0
    width_share: float = 0.0

    def judge(self, window: Window, actual_s: float, took_s: float) -> None:
        """Hold one prediction against what happened; shares are of `took_s`."""
        expected_s, low_s, high_s = window
        error_s = actual_s - expected_s
        self.num += 1
        self.num_covered += low_s <= actual_s <= high_s
        self.error_s += error_s
        self.absolute_s += abs(error_s)
        self.width_s += high_s - low_s
        if took_s > 0:
            self.error_share += error_s / took_s
            self.absolute_share += abs(error_s) / took_s
            self.width_share += (high_s - low_s) / took_s

    def add(self, other: Score) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def report(self) -> dict[str, Any] | None:
        if self.num == 0:
            return None
        return {
            "num": self.num,
            "coverage": self.num_covered / self.num,
            "bias_s": self.error_s / self.num,
            "mean_error_s": self.absolute_s / self.num,
            "bias_share": self.error_share / self.num,
            "mean_error_share": self.absolute_share / self.num,
            "mean_width_s": self.width_s / self.num,
            "mean_width_share": self.width_share / self.num,
        }


class Judgement:
    """The fold."""

    def __init__(self) -> None:
        self._plans: dict[int, tuple[Window, Window]] = {}  # version -> its first and its newest prediction
        self._first, self._last = Score(), Score()
        self._synchronised_s: float | None = None
        self._expected: dict[int, tuple[int, float, Window]] = {}  # worker -> iteration, start, window
        self._judged_from: dict[int, int] = {}
        self._iterations: dict[int, Score] = {}
        self._bars = [0] * NUM_BARS

    def restart(self) -> None:
        self._plans.clear()
        self._expected.clear()
        self._synchronised_s = None

    def plan(self, version: int, window: Window) -> None:
        first, _ = self._plans.get(version, (window, window))
        self._plans[version] = first, window
        if len(self._plans) > _MAX_PLANS:
            del self._plans[min(self._plans)]

    def synchronise(self, version: int, at_s: float) -> None:
        plans = self._plans.get(version)
        since_s = 0.0 if self._synchronised_s is None else at_s - self._synchronised_s
        self._synchronised_s = at_s
        if plans:
            self._first.judge(plans[0], at_s, since_s)
            self._last.judge(plans[1], at_s, since_s)
        for old in [one for one in self._plans if one <= version]:
            del self._plans[old]

    def join(self, worker: int, iteration: int) -> None:
        self._expected.pop(worker, None)
        self._judged_from[worker] = iteration + WARM_UP + 1

    def expect(self, worker: int, iteration: int, started_s: float, window: Window) -> None:
        self._expected[worker] = iteration, started_s, window

    def end(self, worker: int, iteration: int, ended_s: float) -> None:
        """Hold the end of an iteration against its forecast, unless its forecaster was still learning."""
        expected = self._expected.pop(worker, None)
        if expected is None or expected[0] != iteration or iteration < self._judged_from.get(worker, 0):
            return
        _, started_s, window = expected
        took_s = ended_s - started_s
        if took_s <= 0:
            return
        score = self._iterations.get(worker)
        if score is None:
            score = self._iterations[worker] = Score()
        score.judge(window, ended_s, took_s)
        share = (ended_s - window[0]) / took_s
        place = round(share / _BAR) + NUM_BARS // 2
        self._bars[min(max(place, 0), NUM_BARS - 1)] += 1

    def of_worker(self, worker: int) -> dict[str, Any] | None:
        score = self._iterations.get(worker)
        return score.report() if score else None

    def report(self) -> dict[str, Any]:
        every = Score()
        for score in self._iterations.values():
            every.add(score)
        return {
            "first_plans": self._first.report(),
            "last_plans": self._last.report(),
            "iterations": every.report(),
            "error_bars": {"width": _BAR, "counts": self._bars.copy()},
            "num_warm_up": WARM_UP,
        }
