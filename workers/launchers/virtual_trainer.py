"""Real gradients at virtual times: the weights of a server and of all its workers, in one process and one thread.

What happens to weights is done by the classes that a live run uses (`OwnSteps`, `Weights`, `Batches`, `measure`,
the optimizers), so
the semantics are the same by construction: same first weights, same minibatches, same steps, same merge.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from predictor.events import AggregateApplied, Directive, EvaluationFinished, Event, TargetReached
from workers.batches import Batches
from workers.evaluator.process import measure
from workers.job import Job
from workers.server.weights import Weights
from workers.transport.base import Pieces, split
from workers.worker.optimizer import optimizer_of
from workers.worker.own_steps import OwnSteps


class VirtualTrainer:
    """See `predictor.simulator.trainer.Trainer`, whose methods these are."""

    def __init__(self, job: Job, before_work: Callable[[], None]) -> None:
        """Set up the first weights.

        Args:
            job: what is learnt, and by how many.
            before_work: called before each minibatch and each evaluation, which may take long.
        """
        self._job, self._before_work = job, before_work
        self._weights = Weights(job.build_model().weights)
        self._workers = [_Worker(job, worker) for worker in range(job.spec.cluster.num_workers)]
        self._model = job.build_model()  # of the evaluator
        self._snapshot: tuple[int, Pieces] | None = None  # version and copy of the global weights
        self._measured: EvaluationFinished | None = None
        self._has_reached_target = False
        self.epoch = 0  # of the newest minibatch

    @property
    def weights(self) -> torch.Tensor:
        """Give the global weights, flat; not a copy."""
        return self._weights.flat

    @property
    def num_bytes(self) -> int:
        """Give the payload of one push or pull."""
        return self._weights.num_bytes

    def compute(self, worker: int, iteration: int) -> float:
        self._before_work()
        loss, self.epoch = self._workers[worker].step(iteration)
        return loss

    def push(self, worker: int, iteration: int) -> None:
        delta, _ = self._workers[worker].own.cut(iteration)
        self._weights.keep(worker, iteration, split(delta))

    def apply(self, aggregate: AggregateApplied) -> None:
        self._weights.apply(aggregate)

    def discard(self, worker: int, iteration: int) -> None:
        self._weights.drop(worker, iteration)

    def release(self, worker: int) -> None:
        self._workers[worker].coming.append(self._copied())

    def land(self, worker: int, acknowledged: int, directive: Directive) -> None:
        me = self._workers[worker]
        me.own.merge(me.coming.popleft(), acknowledged, directive)

    def restart(self, worker: int, clock: int) -> None:
        for iteration in self._workers[worker].own.in_flight:
            if iteration > clock:
                self._weights.drop(worker, iteration)
        self._workers[worker] = _Worker(self._job, worker)

    def evaluate(self, at_s: float, version: int) -> Sequence[Event]:
        """Measure a version that was not measured yet, as a live run's evaluator does."""
        if self._measured is not None and self._measured.version == version:
            return []
        return self._evaluate(at_s, is_final=False)

    def evaluate_finally(self, at_s: float) -> Sequence[Event]:
        """Measure the weights with which the run ends."""
        return self._evaluate(at_s, is_final=True)

    # ---- inside -----------------------------------------------------------------------------------------

    def _copied(self) -> Pieces:
        """Give a copy of the global weights; one for all who take the same version, since nobody writes to it."""
        version = self._weights.version
        if self._snapshot is None or self._snapshot[0] != version:
            self._snapshot = version, split(self._weights.flat.clone())
        return self._snapshot[1]

    def _evaluate(self, at_s: float, *, is_final: bool) -> list[Event]:
        version, test, last = self._weights.version, self._job.dataset.test, self._measured
        if last is not None and last.version == version:
            loss, accuracy = last.loss, last.accuracy
        else:
            self._before_work()
            self._model.weights.copy_(self._weights.flat)
            measured = measure(self._model, test)
            assert measured is not None, "nobody gives it up"
            loss, accuracy = measured
        self._measured = EvaluationFinished(at_s, at_s, version, loss, accuracy, len(test), is_final)
        return [self._measured, *self._check_target(self._measured)]

    def _check_target(self, evaluation: EvaluationFinished) -> list[Event]:
        """Say, once, that the goal of the run is met."""
        target = self._job.spec.stop.target
        if target is None or self._has_reached_target:
            return []
        is_accuracy = target.metric == "test_accuracy"
        value = evaluation.accuracy if is_accuracy else evaluation.loss
        self._has_reached_target = value >= target.value if is_accuracy else value <= target.value
        return [TargetReached(evaluation.at_s, target.metric, value)] if self._has_reached_target else []


class _Worker:
    """What a live worker's process holds."""

    def __init__(self, job: Job, worker: int) -> None:
        task = job.spec.task
        self._model = job.build_model()
        self._batches = Batches(job.dataset.train, job.shards[worker], task.batch_size, job.spec.seed, worker)
        self._optimizer = optimizer_of(task)
        self.own = OwnSteps(self._model.weights)
        self.coming: deque[Pieces] = deque()  # released and not merged, oldest first

    def step(self, iteration: int) -> tuple[float, int]:
        """Make one step; give the loss of its minibatch, and the epoch."""
        model, gradient = self._model.model, self._model.gradient
        images, labels, epoch = self._batches.batch(iteration - 1)
        gradient.zero_()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.own.add(self._optimizer.step(gradient))
        return loss.item(), epoch
