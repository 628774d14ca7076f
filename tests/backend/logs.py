"""Logs such as a run writes, made without a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from predictor import log
from predictor.events import (
    EvaluationFinished,
    Event,
    IterationFinished,
    NodeSampled,
    PushArrived,
    RunFinished,
    RunStarted,
    WorkerJoined,
)

WALL_TIME_S = 1_750_000_000.0


def started(run_id: str = "x") -> RunStarted:
    return RunStarted(at_s=0.0, wall_time_s=WALL_TIME_S, run_id=run_id, is_simulated=False, versions={"python": "3"})


def finished(at_s: float, reason: str = "All iterations are done.") -> RunFinished:
    return RunFinished(at_s=at_s, outcome="completed", reason=reason)


def training(num: int) -> list[Event]:
    """Give events such as a run writes; about as many kinds and digits as a real log has."""
    made: list[Event] = [WorkerJoined(at_s=0.01, worker=worker, incarnation=0, iteration=0) for worker in range(4)]
    iteration = 0
    while len(made) < num:
        iteration += 1
        for worker in range(4):
            at_s = iteration * 0.0123456789 + worker * 0.00012345
            made.append(
                IterationFinished(
                    at_s, worker, iteration, iteration // 40, at_s - 0.01, 0.0100123, 0.01, 2.3 / at_s, 32, 0.0
                )
            )
            made.append(PushArrived(at_s + 0.001, worker, iteration, 1, 0.0100123, at_s, iteration, True))
        if iteration % 20 == 0:
            made.append(EvaluationFinished(at_s + 0.002, at_s, iteration, 1.0 / at_s, 0.5, 360, False))
            made.append(NodeSampled(at_s + 0.002, "worker-1", 0.31234, 212_345_678, 1000 * iteration, 999 * iteration))
    return made[:num]


def write_log(path: Path, made: Sequence[Event], *, first_seq: int = 1) -> bytes:
    """Append events to a log, and give what was appended."""
    data = b"".join(log.with_seq(log.encode(event), seq) for seq, event in enumerate(made, first_seq))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)
    return data
