"""No emulation: each worker computes as fast as its machine can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from predictor.params import STRICT
from predictor.speeds.base import ReadText


@dataclass(frozen=True)
class NativeParams:
    """No emulation: each worker computes as fast as its machine can."""

    __pydantic_config__ = STRICT

    kind: Literal["native"] = "native"

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Native:
        return Native()


class Native:
    """See `NativeParams`."""

    def duration_s(self, iteration: int, at_s: float) -> float:
        return 0.0
