"""Real gradients at virtual times, for a whole grid of learning rates at once (`predictor.simulator.trainer`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from predictor.events import AggregateApplied, Directive, Event, TargetReached
from predictor.optimizers import OptimizerSpec
from workers.bench.network import Array, Network
from workers.bench.optimizers import GridOptimizer, grid_optimizer
from workers.bench.tasks import Task

_BLOCK = 128  # minibatches that are drawn at once
_DIVERGED = 1e3  # a loss from which no learning rate comes back

# The agreement-weighted merge (METHOD section 5).
_FORGET = 0.95
_SHARE = 0.85
_FIRST_ALPHA = 0.5
_NUM_USUAL = 20  # pushes whose median length bounds the next one


class Worker:
    """Weights of one worker, and its own steps that are not in the snapshot it holds. Arrays (L, P)."""

    def __init__(self, task: Task, number: int, num: int, seed: int, optimizer: GridOptimizer | None = None) -> None:
        """Hold nothing.

        Args:
            task: what is learnt.
            number: of the worker.
            num: learning rates.
            seed: of the minibatches.
            optimizer: makes its steps; None: whoever calls makes them.
        """
        self._task, self._number, self._seed, self.optimizer = task, number, seed, optimizer
        length = task.shape.num_parameters
        self.weights = np.zeros((num, length), np.float32)
        self.layers = task.shape.views(self.weights)
        self.since_push = np.zeros((num, length), np.float32)
        self.num_since_push = 0  # iterations
        self.is_bounded = False
        self.lengths: deque[Array] = deque(maxlen=_NUM_USUAL)  # (L,), of the last pushes, per iteration
        self.pushed: deque[tuple[int, Array]] = deque()  # (iteration, delta), not acknowledged
        self.snapshot = np.zeros((num, length), np.float32)  # the last one that was merged
        self.has_pulled = False
        self.coming: deque[Array] = deque()  # released and not merged
        self.alpha = np.full((num, 1), _FIRST_ALPHA, np.float32)
        self.sums = np.zeros((3, num), np.float32)  # <global, own>, <own, own>, <global, global>
        self._block = -1
        self._draws: NDArray[np.int64] = np.empty((0, 0), np.int64)

    def batch(self, iteration: int) -> tuple[Array, Array]:
        """Give the minibatch of iteration 1, 2, ...: samples (B, I) and labels one-hot (B, C)."""
        number, place = divmod(iteration - 1, _BLOCK)
        if number != self._block:
            bits = np.random.Philox(key=[self._seed, self._number], counter=[0, 0, 8, number])
            shard, size = self._task.shards[self._number], self._task.batch_size
            self._draws = shard[np.random.Generator(bits).integers(len(shard), size=(_BLOCK, size))]
            self._block = number
        return self._task.samples[self._draws[place]], self._task.one_hot[self._draws[place]]

    def merge(self, settled: int, directive: Directive) -> None:
        """Take in the oldest snapshot on its way."""
        new = self.coming.popleft()
        self.is_bounded = directive.is_bounded
        answered = [self.pushed.popleft()[1] for _ in range(self._num_answered(settled))]
        if directive.merge == "anchor" and self.has_pulled:
            self.weights[:] = new + np.float32(directive.alpha) * (self.weights - new)
        else:
            if directive.merge == "agreement" and answered:
                self._agree(new, answered, directive.alpha)
            alpha = self.alpha if directive.merge == "agreement" else np.float32(directive.alpha)
            own = self.since_push
            for _, delta in self.pushed:
                own = own + delta
            np.multiply(own, alpha, out=self.weights)
            self.weights += new
        self.snapshot, self.has_pulled = new, True

    def shorten(self, delta: Array) -> None:
        """Bound a push by the usual length of the pushes before it, per iteration."""
        length = np.sqrt(np.einsum("lp,lp->l", delta, delta)) / np.float32(self.num_since_push)
        if self.lengths:
            usual = np.median(np.stack(self.lengths), axis=0)
            is_long = (length > usual) & (usual > 0)
            delta *= np.where(is_long, usual / np.where(is_long, length, 1), 1)[:, None].astype(np.float32)
        self.lengths.append(length)

    def _num_answered(self, settled: int) -> int:
        return sum(iteration <= settled for iteration, _ in self.pushed)

    def _agree(self, new: Array, answered: list[Array], least: float) -> None:
        """Compare the global movement with the own steps in it, over the same span."""
        own, moved = sum(answered[1:], answered[0]), new - self.snapshot
        products = [np.einsum("lp,lp->l", one, other) for one, other in ((moved, own), (own, own), (moved, moved))]
        self.sums = np.float32(_FORGET) * self.sums + np.stack(products)
        shared, mine, total = self.sums
        known = mine * total > 0
        estimate = _SHARE * np.maximum(shared, 0) / np.sqrt(np.where(known, mine * total, 1))
        self.alpha = np.where(known, np.clip(estimate, least, 1), self.alpha[:, 0])[:, None].astype(np.float32)


class GridTrainer:
    """Train one model for each learning rate; see `predictor.simulator.trainer.Trainer`."""

    def __init__(
        self,
        task: Task,
        learning_rates: Sequence[float],
        num_workers: int,
        seed: int,
        *,
        stops: bool = True,
        optimizer: OptimizerSpec = "sgd",
    ) -> None:
        """Set up the first weights, the same for all learning rates.

        Args:
            task: what is learnt.
            learning_rates: (L,).
            num_workers: of the cluster.
            seed: of first weights and minibatches.
            stops: end the run once every learning rate has reached the target or diverged.
            optimizer: of each worker.
        """
        num = len(learning_rates)
        self._task, self._stops = task, stops
        self._network = Network(task.shape, num)
        self._minus_rates = -np.asarray(learning_rates, np.float32)[:, None]
        self.weights = np.repeat(task.shape.initial(seed)[None], num, axis=0)
        self._velocity: Array | None = None
        self._seed, self._optimizer = seed, optimizer
        self._workers = [self._new_worker(number) for number in range(num_workers)]
        self._pending: dict[tuple[int, int], Array] = {}
        self._pushes_offset = False
        self.reached_s = np.full(num, np.inf)  # when the target was first met
        self.loss = np.full(num, np.inf, np.float32)  # of the last evaluation
        self.accuracy = np.zeros(num, np.float32)
        self.num_gradients = 0

    def _new_worker(self, number: int) -> Worker:
        optimizer = grid_optimizer(self._optimizer, self._minus_rates)
        return Worker(self._task, number, len(self._minus_rates), self._seed, optimizer)

    def compute(self, worker: int, iteration: int) -> float:
        me = self._workers[worker]
        gradient, losses = self._network.gradient(me.layers, *me.batch(iteration))
        assert me.optimizer, "each worker of a run has one"
        step = me.optimizer.step(gradient)
        me.weights += step
        me.since_push += step
        me.num_since_push += 1
        self.num_gradients += 1
        return float(losses[0])

    def push(self, worker: int, iteration: int) -> None:
        me = self._workers[worker]
        delta = me.weights - me.snapshot if self._pushes_offset else me.since_push
        if me.is_bounded and not self._pushes_offset:
            me.shorten(delta)
        me.since_push, me.num_since_push = np.zeros_like(delta), 0
        me.pushed.append((iteration, delta))
        self._pending[worker, iteration] = delta

    def apply(self, aggregate: AggregateApplied) -> None:
        deltas = [self._pending.pop((one.worker, one.iteration)) for one in aggregate.contributions]
        total = sum(deltas[1:], deltas[0]) * np.float32(aggregate.scale)
        if aggregate.momentum:
            velocity = np.float32(aggregate.velocity_share) * total
            if self._velocity is not None:
                velocity += np.float32(aggregate.momentum) * self._velocity
            self._velocity = velocity
            self.weights += velocity
            total *= np.float32(1 - aggregate.velocity_share)
        self.weights += total

    def discard(self, worker: int, iteration: int) -> None:
        del self._pending[worker, iteration]

    def release(self, worker: int) -> None:
        self._workers[worker].coming.append(self.weights.copy())

    def land(self, worker: int, acknowledged: int, directive: Directive) -> None:
        self._pushes_offset = directive.merge == "anchor"
        self._workers[worker].merge(acknowledged, directive)

    def restart(self, worker: int, clock: int) -> None:
        for iteration, _ in self._workers[worker].pushed:
            if iteration > clock:
                self._pending.pop((worker, iteration), None)
        self._workers[worker] = self._new_worker(worker)

    def evaluate(self, at_s: float, version: int) -> Sequence[Event]:
        task = self._task
        self.loss, self.accuracy = self._network.evaluate(self.weights, task.test_samples, task.test_labels)
        value = self.loss if task.metric == "test_loss" else -self.accuracy
        goal = task.goal if task.metric == "test_loss" else -task.goal
        is_met = (value <= goal) & np.isinf(self.reached_s)
        self.reached_s[is_met] = at_s
        is_open = np.isinf(self.reached_s) & (self.loss < _DIVERGED)
        return [] if is_open.any() or not self._stops else [TargetReached(at_s, task.metric, task.goal)]
