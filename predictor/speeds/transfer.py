"""Emulated network: how long a message with weights travels. The same under a live and a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass

from predictor.speeds.base import STREAM_DOWNLINK, STREAM_UPLINK, Jitter


@dataclass
class Transfer:
    """Delays of one worker's link: half of `transfer_s` up, half down, full duplex, each with its own jitter.

    Messages without weights are not delayed. A pure function of (seed, worker, direction, index), where the
    index is the iteration of the push that travels or is answered.
    """

    transfer_s: float  # push and pull together
    cv: float
    worker: int
    seed: int

    def __post_init__(self) -> None:
        self._up = Jitter(self.seed, self.worker, self.cv, STREAM_UPLINK)
        self._down = Jitter(self.seed, self.worker, self.cv, STREAM_DOWNLINK)

    def up_s(self, iteration: int) -> float:
        """Give the way up of the push of `iteration`."""
        return self.transfer_s / 2 * self._up.factor(iteration)

    def down_s(self, iteration: int) -> float:
        """Give the way down of the weights that answer the push of `iteration` (0: the first weights)."""
        return self.transfer_s / 2 * self._down.factor(iteration)
