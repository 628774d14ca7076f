"""When `predictive` answers pushes at once instead of planning cuts.

A cut rests on forecasts, and lets everybody train alone until it comes. Answering each push at once needs no
forecast and costs a worker the way there and back, or, where that is long, old weights while it trains on. So pushes
are answered at once

* while forecasts are not trusted (`predictor.forecasters.trust`),
* with `rounds = "if_worth"` also while the way is short: while `_IDLE_COST` times the way there and back is less than
  the mean iteration takes. A second of waiting counts for as many seconds of training alone, as in `foresync`. While
  nothing is known the way is taken for short: a second step on the first weights costs the whole run a tenth.

How long iterations take is judged by medians of what was seen, not by the forecaster.
"""

from __future__ import annotations

from typing import Literal

from predictor.forecasters.trust import Trust

Cause = Literal["untrusted", "unknown", "short"]

_IDLE_COST = 4.0  # of a second of waiting, in seconds of age
_ENDS = 0.75  # rounds begin again when the way has become longer than what is short by this factor: no to and fro


class AtOnce:
    """See the head of this module."""

    def __init__(self) -> None:
        self.trust = Trust()
        self.reason = ""  # why pushes are answered at once, as releases tell; empty: they are not
        self.has_begun = False  # the round that was open when it began has been closed
        self._cause: Cause | None = None

    def choose(self, way_s: float, rounds: str) -> None:
        """Find out whether pushes are answered at once from now on.

        Args:
            way_s: that a push and its answer travel.
            rounds: the policy's parameter.
        """
        usual_s = self.trust.usual_s
        cost_s = _IDLE_COST * way_s * (_ENDS if self._cause == "short" else 1.0)
        cause: Cause | None = "untrusted" if self.trust.is_lost else None
        if rounds == "if_worth" and usual_s <= 0:
            cause = "unknown"
        elif rounds == "if_worth" and cost_s < usual_s:
            cause = "short"
        if cause != self._cause:
            self._cause = cause
            self.reason = self._tell(way_s) if cause else ""
            self.has_begun = self.has_begun and cause is not None

    def patience_s(self, worker: int, way_s: float) -> float | None:
        """Give how old weights may be before their worker waits for newer ones; None: it never waits.

        The same comparison: it waits where that costs less than another iteration on old weights.
        """
        late_s, usual_s = _IDLE_COST * way_s, self.trust.usual_of_s(worker)
        if usual_s <= 0:
            return None if self._cause == "untrusted" else 0.0
        return late_s if late_s < usual_s else None

    def _tell(self, way_s: float) -> str:
        if self._cause == "unknown":
            return "answered at once: how long iterations take is not known yet"
        if self._cause == "short":
            return (
                f"answered at once: the way there and back ({way_s:.3g} s) is short beside iterations of "
                f"{self.trust.usual_s:.3g} s, so that waiting costs less than training alone until a cut"
            )
        return (
            f"answered at once, no cut is planned: forecasts are not trusted, they missed by {self.trust.ratio():.1f} "
            "times what the median of the last iterations missed"
        )
