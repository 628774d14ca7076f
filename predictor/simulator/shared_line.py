"""A server whose line all messages share, in virtual time (METHOD section 7).

Each direction of the line carries one message with weights at a time, first come first served, and is occupied for
`server_message_s` by each. On the way up a push passes the worker's own half first and then queues at the server; on
the way down weights queue at the server, then pass the worker's own half. Headers take no time and do not queue.
The time in the queue counts as transfer, and is part of what a worker says of how long its weights travelled.

A push that is sent before the one before it has arrived, which only the last one of a worker may be, follows it on
the worker's own half. When a push arrives is known only once it has come to the line: until then it is infinity.
"""

from __future__ import annotations

import dataclasses
import math
from functools import partial

from predictor.events import IterationReported, PushArrived
from predictor.simulator.engine import ARRIVAL, CALL, OnEvent, Simulation
from predictor.simulator.scenario import Scenario
from predictor.simulator.trainer import Trainer
from predictor.simulator.worker import Exchange, VirtualWorker


class Line:
    """One direction of the server's line."""

    def __init__(self, message_s: float) -> None:
        self._message_s = message_s
        self._free_s = 0.0

    def carry(self, at_s: float) -> float:
        """Take a message that comes at `at_s`, no earlier than the one before it; give when it is through."""
        self._free_s = max(at_s, self._free_s) + self._message_s
        return self._free_s


class SharedLineSimulation(Simulation):
    """The engine, with another way of messages."""

    def __init__(self, scenario: Scenario, on_event: OnEvent | None, trainer: Trainer | None) -> None:
        super().__init__(scenario, on_event, trainer)
        self._inbound, self._outbound = Line(scenario.server_message_s), Line(scenario.server_message_s)

    def _landing_s(self, down_s: float) -> float:
        return self._outbound.carry(self._now_s) + down_s

    def _arrival_s(self, worker: VirtualWorker, up_s: float) -> float:
        worker.uplink_free_s = max(self._now_s, worker.uplink_free_s) + up_s
        return math.inf

    def _send(self, worker: VirtualWorker, message: PushArrived | IterationReported) -> None:
        if message.at_s < math.inf:
            super()._send(worker, message)
        elif isinstance(message, PushArrived):
            worker.num_travelling += 1
            behind: list[IterationReported] = []
            worker.behind = behind
            comes = partial(self._come, worker, message, worker.pushed, behind)
            self._schedule(worker.uplink_free_s, CALL, worker.worker, comes)
        else:
            worker.behind.append(message)

    def _come(
        self, worker: VirtualWorker, push: PushArrived, exchange: Exchange, behind: list[IterationReported]
    ) -> None:
        """Let a push come to the line; what was sent after it arrives with it."""
        exchange.arrived_s = at_s = self._inbound.carry(self._now_s)
        worker.num_travelling += len(behind)
        for message in (push, *behind):
            self._schedule(at_s, ARRIVAL, worker.worker, dataclasses.replace(message, at_s=at_s))
