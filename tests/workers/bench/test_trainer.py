"""Gradients against autograd; the trainer for a grid of rates against plain training, one network at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from predictor.churn import Absence
from predictor.forecasters import EwmaParams
from predictor.policies import POLICIES, PolicyParams
from predictor.policies.foresync import ForesyncParams
from predictor.simulator import Scenario as VirtualScenario
from predictor.simulator import simulate
from predictor.speeds import LognormalParams, Transfer
from tests.workers.bench.scenes import scenario
from workers.bench.network import Array, Network, Shape
from workers.bench.tasks import Task
from workers.bench.trainer import GridTrainer, Worker

SHAPE = Shape(64, 32, 10)
SEED = 3


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return scenario(tmp_path).make_task(SEED)


def autograd(flat: Array, samples: Array, one_hot: Array) -> tuple[Array, float]:
    """Give gradient (P,) and loss of one network."""
    parts = [torch.tensor(part[0], requires_grad=True) for part in SHAPE.views(flat[None])]
    hidden = torch.relu(torch.tensor(samples) @ parts[0] + parts[1])
    logits = hidden @ parts[2] + parts[3]
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(one_hot))
    loss.backward()  # type: ignore[no-untyped-call]
    grads = [part.grad for part in parts]
    return np.concatenate([grad.numpy().ravel() for grad in grads if grad is not None]), float(loss.detach())


def test_the_gradient_is_that_of_autograd(task: Task) -> None:
    weights = np.stack([SHAPE.initial(seed) for seed in (1, 2, 3)])
    samples, one_hot = task.samples[:16], task.one_hot[:16]
    gradients, losses = Network(SHAPE, 3).gradient(SHAPE.views(weights), samples, one_hot)
    for place, flat in enumerate(weights):
        gradient, loss = autograd(flat, samples, one_hot)
        assert gradients[place] == pytest.approx(gradient, abs=1e-6)
        assert losses[place] == pytest.approx(loss, rel=1e-5)


def test_the_evaluation_is_that_of_torch(task: Task) -> None:
    weights = np.stack([SHAPE.initial(seed) for seed in (1, 2)])
    losses, accuracies = Network(SHAPE, 2).evaluate(weights, task.test_samples, task.test_labels)
    for place, flat in enumerate(weights):
        first, bias, second, last = (torch.tensor(part[0]) for part in SHAPE.views(flat[None]))
        logits = torch.relu(torch.tensor(task.test_samples) @ first + bias) @ second + last
        labels = torch.tensor(task.test_labels)
        assert losses[place] == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels)), rel=1e-5)
        assert accuracies[place] == pytest.approx(float((logits.argmax(dim=1) == labels).float().mean()))


def trained(task: Task, policy: PolicyParams, rates: list[float], iterations: int = 12) -> GridTrainer:
    speed = LognormalParams(base_s=1.0, factors=(1.0, 1.5, 2.0, 4.0), cv=0.2)
    trainer = GridTrainer(task, rates, 4, SEED, stops=False)
    simulate(
        VirtualScenario(
            policy=policy,
            forecaster=EwmaParams(),
            speeds=[speed.build(worker, 4, SEED, str) for worker in range(4)],
            transfers=[Transfer(0.5, 0.0, worker, SEED) for worker in range(4)],
            iterations=iterations,
        ),
        trainer=trainer,
    )
    return trainer


@pytest.mark.parametrize("name", ["bsp"])
def test_bsp_is_sgd_on_the_batches_of_all_workers_together(task: Task, name: str) -> None:
    rate, rounds = 0.5, 12
    weights = SHAPE.initial(SEED)
    workers = [Worker(task, number, 1, SEED) for number in range(4)]
    for iteration in range(1, rounds + 1):
        batches = [worker.batch(iteration) for worker in workers]
        samples, one_hot = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        gradient, _ = autograd(weights, samples, one_hot)
        weights = weights - np.float32(rate) * gradient
    trainer = trained(task, POLICIES[name](), [rate], rounds)
    assert trainer.num_gradients == 4 * rounds
    assert trainer.weights[0] == pytest.approx(weights, abs=2e-5)


def test_local_sgd_averages_what_each_worker_reached_alone(task: Task) -> None:
    rate, rounds, local = 0.5, 3, 4
    weights = SHAPE.initial(SEED)
    workers = [Worker(task, number, 1, SEED) for number in range(4)]
    for number in range(rounds):
        ends = []
        for worker in workers:
            mine = weights
            for step in range(1, local + 1):
                gradient, _ = autograd(mine, *worker.batch(number * local + step))
                mine = mine - np.float32(rate) * gradient
            ends.append(mine)
        weights = np.mean(ends, axis=0, dtype=np.float32)
    trainer = trained(task, POLICIES["local_sgd"](local_iterations=local), [rate], rounds * local)
    assert trainer.weights[0] == pytest.approx(weights, abs=2e-5)


POINTS: list[PolicyParams] = [POLICIES["bsp"](), POLICIES["asp"](), POLICIES["cocod"](), ForesyncParams()]


@pytest.mark.parametrize("policy", POINTS, ids=lambda policy: policy.name)
def test_a_rate_learns_the_same_alone_and_among_others(task: Task, policy: PolicyParams) -> None:
    together = trained(task, policy, [0.2, 0.4, 0.8])
    for place, rate in enumerate([0.2, 0.4, 0.8]):
        assert trained(task, policy, [rate]).weights[0] == pytest.approx(together.weights[place], abs=1e-5)


CHURN = (Absence(1, 6.3, 11.0), Absence(2, 9.1), Absence(3, None, 5.0))


@pytest.mark.parametrize(
    ("momentum", "decay", "share", "churn"), [(0.0, 0.0, 0.0, ()), (0.75, 63 / 64, 3 / 63, ()), (0.0, 0.0, 0.0, CHURN)]
)
def test_all_that_was_pushed_is_in_the_weights_and_repeated(
    task: Task, momentum: float, decay: float, share: float, churn: tuple[Absence, ...]
) -> None:
    pushed: list[Any] = []

    class Watched(GridTrainer):
        def apply(self, aggregate: Any) -> None:
            deltas = [self._pending[one.worker, one.iteration] for one in aggregate.contributions]
            pushed.append(aggregate.scale * sum(deltas))
            super().apply(aggregate)

    trainer = Watched(task, [0.5], 4, SEED, stops=False)
    speed = LognormalParams(base_s=1.0, factors=(1.0, 1.5, 2.0, 4.0))
    simulate(
        VirtualScenario(
            policy=ForesyncParams(momentum=momentum, momentum_rounds=16.0),
            speeds=[speed.build(worker, 4, SEED, str) for worker in range(4)],
            transfers=[Transfer(3.0, 0.0, worker, SEED) for worker in range(4)],
            until_s=30.0,
            churn=churn,
        ),
        trainer=trainer,
    )
    assert len(pushed) > (10 if churn else 20)
    if churn:
        assert len([one for one in trainer._pending if one[0] == 1]) <= 1, "what never arrived is forgotten"
    total = SHAPE.initial(SEED)
    for num_after, delta in enumerate(reversed(pushed)):
        total = total + delta[0] * (1 + share * sum(decay**age for age in range(1, num_after + 1)))
    assert trainer.weights[0] == pytest.approx(total, abs=1e-5)
