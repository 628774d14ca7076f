"""Whether forecasts are worth acting on, judged by what happened.

Before each iteration two things are written down: what the forecaster expects, and the median of the worker's last
iterations, which needs no forecaster. When the iteration has ended both are compared with what it took. Forecasts
that have missed, on average over the last iterations of all workers, by more than `_LOST` times what the median
missed are not trusted; they are again once they miss by less than `_REGAINED` times that. In between nothing
changes, so that trust does not come and go with the noise.

Forecasters that mean well stay far below that: jitter that nobody can foresee is missed by the median too, and a
mean is missed by a heavy tail hardly more. Both misses count in shares of the median, so that slow workers do not
decide alone.
"""

from __future__ import annotations

from collections import deque

from predictor.forecasters.base import SHORTEST_S

_NUM_RECENT = 5  # iterations of which the median is taken: few, so that it follows where workers change
_ENOUGH = 2  # so many make a median that forecasts can be compared with
_NUM_JUDGED = 8  # iterations of each worker that the mean misses reach back, about
_LOST, _REGAINED = 2.0, 1.5  # misses of the forecasts, in misses of the median
_FLOOR = 0.02  # of an iteration: what both may miss by without saying anything
_LARGEST = 10.0  # a single miss counts for no more: one iteration that stalls says little


class _Record:
    """What is known of one worker."""

    __slots__ = ("expected_s", "recent", "usual_s")

    def __init__(self) -> None:
        self.recent: deque[float] = deque(maxlen=_NUM_RECENT)
        self.usual_s = 0.0  # their median, 0 while there are none
        self.expected_s: float | None = None  # what the forecaster expects of the running iteration


class Trust:
    """See the head of this module. Costs about a microsecond for each iteration."""

    def __init__(self) -> None:
        self._records: dict[int, _Record] = {}
        self._missed = self._missed_by_median = 0.0  # means, in shares of the median
        self._num = 0
        self._sum_usual_s = 0.0
        self.is_lost = False

    def forget(self, worker: int) -> None:
        """Take note that a worker has begun another life, or left."""
        record = self._records.pop(worker, None)
        if record:
            self._sum_usual_s -= record.usual_s

    def learn(self, worker: int, duration_s: float, expected_s: float | None) -> None:
        """Judge what was expected of the iteration that has ended, and keep what is expected of the next one.

        Args:
            worker: whose iteration it was.
            duration_s: that it took.
            expected_s: of the next one, by the forecaster that has seen this one already; None: nothing yet.
        """
        record = self._records.get(worker)
        if record is None:
            record = self._records[worker] = _Record()
        usual_s, recent = record.usual_s, record.recent
        duration_s = max(duration_s, SHORTEST_S)
        if len(recent) >= _ENOUGH and record.expected_s is not None:
            self._judge(abs(duration_s - record.expected_s) / usual_s, abs(duration_s - usual_s) / usual_s)
        recent.append(duration_s)
        record.usual_s = sorted(recent)[(len(recent) - 1) // 2]
        self._sum_usual_s += record.usual_s - usual_s
        record.expected_s = expected_s

    @property
    def usual_s(self) -> float:
        """Give the mean over the workers of what an iteration usually takes, by the medians; 0 while none is known."""
        return self._sum_usual_s / len(self._records) if self._records else 0.0

    def usual_of_s(self, worker: int) -> float:
        """Give what an iteration of a worker usually takes; 0 while it is not known."""
        record = self._records.get(worker)
        return record.usual_s if record else 0.0

    def ratio(self) -> float:
        """Give how much more the forecasts miss by than the median."""
        return (self._missed + _FLOOR) / (self._missed_by_median + _FLOOR)

    def _judge(self, missed: float, missed_by_median: float) -> None:
        num_reached = _NUM_JUDGED * len(self._records)
        if self._num < num_reached:
            self._num += 1
        weight = 1 / min(self._num, num_reached)
        self._missed += weight * ((missed if missed < _LARGEST else _LARGEST) - self._missed)
        missed_by_median = min(missed_by_median, _LARGEST)
        self._missed_by_median += weight * (missed_by_median - self._missed_by_median)
        if self._num * 4 >= num_reached:  # two iterations of each
            self.is_lost = self.ratio() > (_REGAINED if self.is_lost else _LOST)
