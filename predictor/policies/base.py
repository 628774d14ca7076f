"""What a policy is: a rule that the gate asks at every stimulus, and its answer.

A policy never touches the gate's state. It reads a `Cluster`, and writes what it wants into a `Verdict`:
which pending pushes to apply or discard, whom to release or hold and why, what is planned, when to be woken.
The gate carries the verdict out and turns it into instructions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from predictor.events import Directive, PlannedPush, PushArrived, Stimulus
from predictor.forecasters import Forecast, Forecaster


class Unasked:
    """Stands for the forecaster of a member where the policy does not act on forecasts: costs and knows nothing."""

    def observe(self, duration_s: float) -> None:
        pass

    def forecast(self, elapsed_s: float = 0.0) -> Forecast | None:
        return None

    def aim_s(self, elapsed_s: float = 0.0, late_s: float | None = None) -> float | None:
        return None


UNASKED = Unasked()


@dataclass(slots=True)
class Member:
    """What the gate knows of one worker."""

    worker: int
    clock: int  # iterations that it has pushed
    iteration: int  # iterations that it has completed, by its last push or report
    incarnation: int
    forecaster: Forecaster
    directive: Directive
    running_since_s: float  # when the running iteration started; while waiting: when it last ended
    is_waiting: bool = True  # it does not compute until it is released
    acknowledged: int = 0  # own iterations that are in the global weights
    pulled_version: int = 0  # version of the weights that it was released with
    held_reason: str = ""


class Cluster(Protocol):
    """The gate's state as a policy may read it."""

    @property
    def now_s(self) -> float: ...

    @property
    def version(self) -> int: ...

    @property
    def members(self) -> Mapping[int, Member]:
        """Workers that joined and have not left, by worker."""
        ...

    @property
    def pending(self) -> Sequence[PushArrived]:
        """Pushes that were neither applied nor discarded, in order of arrival."""
        ...

    @property
    def min_clock(self) -> int:
        """The slowest member's clock; 0 without members."""
        ...

    @property
    def num_slowest(self) -> int:
        """Members whose clock that is."""
        ...

    def staleness(self, push: PushArrived) -> int:
        """Updates applied between that worker's pull and now."""
        ...


@dataclass(slots=True)
class Plan:
    """A predicted synchronisation; `SyncPlanned` in the log."""

    cut_at_s: float
    low_at_s: float
    high_at_s: float
    idle_fraction: float
    pushes: tuple[PlannedPush, ...]
    reason: str


class Verdict:
    """What a policy answers. Carried out in this order: apply, discard, release, hold, redirect, plan, wake."""

    __slots__ = (
        "apply",
        "apply_reason",
        "discard",
        "hold",
        "momentum",
        "plan",
        "redirect",
        "release",
        "scale",
        "velocity_share",
        "wake_at_s",
    )

    # Written out, since one is made at every stimulus: a dataclass with lists takes half as long again.
    def __init__(self, apply: Sequence[PushArrived] = (), scale: float = 0.0, wake_at_s: float | None = None) -> None:
        self.apply = apply  # pending pushes that become one aggregate
        self.scale = scale  # weight of each delta in it
        self.apply_reason = ""
        self.momentum = 0.0  # of the server's velocity, see `AggregateApplied`
        self.velocity_share = 1.0  # of the sum of the deltas
        self.discard: list[tuple[PushArrived, str]] = []
        self.release: list[tuple[int, Directive, str]] = []
        self.hold: list[tuple[int, tuple[int, ...], str]] = []  # worker, waits for, reason
        self.redirect: list[tuple[int, Directive, str]] = []  # new directive, no weights
        self.plan: Plan | None = None
        self.wake_at_s = wake_at_s  # replaces an earlier wish


class Policy(Protocol):
    """A synchronisation rule. Pure: no clock, lock, random source."""

    forecasts: bool  # it acts on forecasts: members have a forecaster, whose words stand in the log (`ForecastUpdated`)
    params: Any  # may be replaced in mid-run (`Retuned`), so a policy reads them anew at each decision

    def decide(self, cluster: Cluster, stimulus: Stimulus) -> Verdict:
        """Answer a stimulus that the cluster's state already includes.

        Every member that waits must sooner or later be released: `Gate` cannot save a policy that forgets.
        """
        ...


class PolicyParams(Protocol):
    """Parameters of a policy; they build its one instance for a run."""

    @property
    def name(self) -> str: ...

    def build(self) -> Policy: ...


BLOCKING_ALPHA = 0.0  # a worker that waits for its release has no own steps outside what it pulls


@lru_cache(maxsize=1024)
def blocking(iteration: int) -> Directive:
    """Give the directive of policies that push every iteration and wait for the answer."""
    return Directive(push_at=iteration + 1, max_ahead=0, alpha=BLOCKING_ALPHA)


def apply_newest(verdict: Verdict, cluster: Cluster) -> None:
    """Apply the push that has just arrived, with weight 1/N (METHOD section 2)."""
    push = cluster.pending[-1]
    verdict.apply = (push,)
    verdict.scale = 1 / len(cluster.members)
    verdict.apply_reason = _applied(cluster.version - push.pulled_version)


@lru_cache(maxsize=1024)
def _applied(staleness: int) -> str:
    return f"applied at arrival, {staleness} updates stale"


def names(workers: Sequence[int]) -> str:
    """Name workers for a reason: "worker 3", "workers 1, 3 and 4", "5 workers"."""
    if len(workers) == 1:
        return f"worker {workers[0]}"
    if len(workers) > 4:
        return f"{len(workers)} workers"
    return f"workers {', '.join(map(str, workers[:-1]))} and {workers[-1]}"
