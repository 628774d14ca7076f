"""Logs of the simulator for the pictures, and what they say of one worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from docs.images.picture import COMPUTE, LOCAL, TRANSFERS, WAITS
from predictor.events import Event, ExchangeFinished, IterationFinished, PushArrived
from predictor.forecasters import EwmaParams, TimingParams
from predictor.policies import POLICIES
from predictor.simulator import simulate
from predictor.simulator.scenario import Scenario
from predictor.speeds import Transfer
from predictor.speeds.lognormal import LognormalParams

FACTORS = (1.0, 1.0, 1.2, 2.5)  # of the mean iteration time, 1 s
_CV, _SEED, _UNTIL_S = 0.1, 1, 60.0


def run(policy: str, transfer_s: float, **keys: Any) -> list[Event]:
    """Simulate one worker for each of `FACTORS` for a minute; give the log."""
    num = len(FACTORS)
    params = LognormalParams(base_s=1.0, factors=FACTORS, cv=_CV)
    scenario = Scenario(
        policy=POLICIES[policy](**keys),
        speeds=[params.build(worker, num, _SEED, lambda path: path) for worker in range(num)],
        transfers=[Transfer(transfer_s, 0.0, worker, _SEED) for worker in range(num)],
        until_s=_UNTIL_S,
        forecaster=TimingParams() if policy == "foresync" else EwmaParams(),
    )
    events: list[Event] = []
    simulate(scenario, events.append)
    return events


@dataclass(frozen=True)
class Bar:
    """A stretch of a worker's time, and the fill of its state."""

    start_s: float
    end_s: float
    fill: str


def bars_of(events: Sequence[Event], worker: int) -> list[Bar]:
    """Give what a worker did, in the states of the dashboard."""
    bars = []
    for one in iterations_of(events, worker):
        turn_s = min(one.at_s, one.started_at_s + one.overlapped_s)
        bars += [Bar(one.started_at_s, turn_s, LOCAL), Bar(turn_s, one.at_s, COMPUTE)]
    for landing in landings_of(events, worker):
        if landing.blocked_from_s is not None:
            from_s, at_s = landing.blocked_from_s, landing.at_s
            up_s = min(at_s, max(from_s, landing.arrived_at_s))
            down_s = min(at_s, max(up_s, landing.released_at_s))
            bars += [Bar(from_s, up_s, TRANSFERS), Bar(up_s, down_s, WAITS), Bar(down_s, at_s, TRANSFERS)]
    return [bar for bar in bars if bar.end_s > bar.start_s]


def iterations_of(events: Sequence[Event], worker: int) -> list[IterationFinished]:
    return [one for one in events if isinstance(one, IterationFinished) and one.worker == worker]


def landings_of(events: Sequence[Event], worker: int) -> list[ExchangeFinished]:
    return [one for one in events if isinstance(one, ExchangeFinished) and one.worker == worker]


def pushes_of(events: Sequence[Event], worker: int) -> list[PushArrived]:
    return [one for one in events if isinstance(one, PushArrived) and one.worker == worker]
