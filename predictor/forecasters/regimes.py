"""Two levels that a worker's compute times alternate between, learned online.

A hidden Markov model with two states and normal logarithms of one common variance: the forward filter gives the
belief in each state, and the levels, the variance and the rates of switching follow by online expectation
maximisation with forgetting (Cappe 2011, "Online EM algorithm for hidden Markov models", in its simplest form:
the sufficient statistics are those of the filter). The second level opens when a value is far from the first.
"""

from __future__ import annotations

import math

_FAR = 3.3  # standard deviations from a level at which a value belongs to another one
_SAME = 2.0  # two levels nearer than this are one
_MEMORY = 0.03  # weight of the newest value of a level in the long run
_VARIANCE_WEIGHT = 0.05
_FIRST_VARIANCE = 0.12**2  # of logarithms, before anything is known
_PRIOR_VALUES = 3  # that it rests on
_LEAST_VARIANCE = 0.01**2
_PRIOR_VISITS, _PRIOR_SWITCHES = 10.0, 0.5  # as if a state had been left once in twenty iterations
_TINY = 1e-12


class Regimes:
    """See the head of this module. Values are natural logarithms of durations; O(1) for each."""

    __slots__ = ("_belief", "_levels", "_num", "_switches", "_variance", "_visits", "_weights")

    def __init__(self) -> None:
        self._levels = [0.0, 0.0]
        self._weights = [0.0, 0.0]  # how many values a level rests on; 0: it is not open
        self._belief = (1.0, 0.0)  # in each state, after the newest value
        self._variance = _FIRST_VARIANCE
        self._num = 0
        self._visits, self._switches = [0.0, 0.0], [0.0, 0.0]

    def learn(self, value: float) -> None:
        """Learn the newest logarithm."""
        if self._weights[0] == 0:
            self._levels[0], self._weights[0] = value, 1.0
            return
        if not self._opens(value):
            self._belief = self._filtered(value)
        self._num += 1
        weight = max(_VARIANCE_WEIGHT, 1 / (self._num + _PRIOR_VALUES))
        error = 0.0
        for state, belief in enumerate(self._belief):
            if belief > 0:
                distance = value - self._levels[state]
                error += belief * distance * distance
                self._weights[state] += belief - _MEMORY * belief * self._weights[state]
                self._levels[state] += belief / self._weights[state] * distance
        self._variance = max(_LEAST_VARIANCE, self._variance + weight * (error - self._variance))
        self._merge()

    @property
    def centre(self) -> float:
        """Give the logarithm of the level in which the worker is believed to be."""
        return self._belief[0] * self._levels[0] + self._belief[1] * self._levels[1]

    def mean_s(self) -> float:
        """Give the mean of the next duration in seconds: the levels, weighed by the chance of each state."""
        first, second = self._ahead()
        correction = math.exp(min(self._variance, 1.0) / 2)  # mean of a lognormal with the level as its median
        mean_s = first * math.exp(self._levels[0]) + (second * math.exp(self._levels[1]) if second else 0.0)
        return mean_s if self._variance <= _LEAST_VARIANCE else mean_s * correction

    def _opens(self, value: float) -> bool:
        """Give a value that is far from all levels the less believed one as its own."""
        far = _FAR * math.sqrt(self._variance)
        if any(abs(value - self._levels[state]) <= far for state in (0, 1) if self._weights[state]):
            return False
        state = 0 if self._belief[0] < self._belief[1] else 1
        self._count(((0.0, 1.0), (1.0, 0.0))[1 - state], self._belief)
        self._levels[state], self._weights[state] = value, 0.0
        self._belief = (1.0, 0.0) if state == 0 else (0.0, 1.0)
        return True

    def _ahead(self) -> tuple[float, float]:
        """Give the chance of each state one iteration later."""
        if not self._weights[1]:
            return 1.0, 0.0
        leaves = [self._rate(0), self._rate(1)]
        first = self._belief[0] * (1 - leaves[0]) + self._belief[1] * leaves[1]
        return first, 1.0 - first

    def _rate(self, state: int) -> float:
        return (self._switches[state] + _PRIOR_SWITCHES) / (self._visits[state] + _PRIOR_VISITS)

    def _filtered(self, value: float) -> tuple[float, float]:
        """Give the belief in each state after a value."""
        if not self._weights[1]:
            return 1.0, 0.0
        before, ahead = self._belief, self._ahead()
        # Relative to the nearer level, so that at least one likelihood is 1 and nothing underflows to 0 / 0.
        squares = [(value - level) ** 2 / (2 * self._variance) for level in self._levels]
        nearest = min(squares)
        likely = [ahead[state] * math.exp(max(-700.0, nearest - squares[state])) + _TINY for state in (0, 1)]
        after = (likely[0] / (likely[0] + likely[1]), likely[1] / (likely[0] + likely[1]))
        self._count(after, before)
        return after

    def _count(self, after: tuple[float, float], before: tuple[float, float]) -> None:
        """Count visits and switches, taking the beliefs before and after for independent."""
        for state in (0, 1):
            keep = 1 - _MEMORY * before[state]
            self._visits[state] = self._visits[state] * keep + before[state]
            self._switches[state] = self._switches[state] * keep + before[state] * after[1 - state]

    def _merge(self) -> None:
        """Make two levels one that are too near to be told apart."""
        if not self._weights[1] or abs(self._levels[1] - self._levels[0]) >= _SAME * math.sqrt(self._variance):
            return
        total = self._weights[0] + self._weights[1]
        self._levels[0] = (self._weights[0] * self._levels[0] + self._weights[1] * self._levels[1]) / total
        self._weights = [min(total, 1 / _MEMORY), 0.0]
        self._belief = (1.0, 0.0)
        self._visits, self._switches = [0.0, 0.0], [0.0, 0.0]
