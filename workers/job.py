"""What all processes of a run know; made by the coordinator and inherited by fork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from predictor.events import RunResumed
from predictor.spec import RunSpec
from predictor.speeds import SpeedModel
from workers.clock import RunClock
from workers.datasets.base import Dataset
from workers.flat import FlatModel
from workers.models import build
from workers.partition import Shard

SERVER, EVALUATOR = "server", "evaluator"


def worker_node(worker: int) -> str:
    """Name a worker in events."""
    return f"worker-{worker}"


@dataclass(frozen=True)
class Job:
    """One run, or one more life of it after a resume."""

    spec: RunSpec
    dataset: Dataset
    shards: Sequence[Shard]  # of each worker
    speeds: Sequence[SpeedModel]  # of each worker
    clock: RunClock
    checkpoint: Path
    incarnation: int  # 0, and one more for each resume
    resumed: RunResumed | None  # where to go on
    retuned: dict[str, Any]  # parameters of the policy that were changed before the resume
    retuned_forecaster: dict[str, Any] = field(default_factory=dict)  # those of its forecaster

    def build_model(self) -> FlatModel:
        """Build the model with the first weights of this seed."""
        task, dataset = self.spec.task, self.dataset
        return FlatModel(build(task.model, dataset.sample_shape, dataset.num_classes, self.spec.seed))

    def first_iteration(self, worker: int) -> int:
        """Give how many iterations of a worker are in the weights with which the run starts."""
        return self.resumed.clocks.get(str(worker), 0) if self.resumed else 0

    def workers_to_do(self) -> list[int]:
        """Give the workers that have iterations left to do."""
        last = self.spec.stop.iterations
        workers = range(self.spec.cluster.num_workers)
        return [worker for worker in workers if last is None or self.first_iteration(worker) < last]
