"""Models: a contract over the registry, then what is special to each."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from predictor.spec import TaskSpec
from workers import datasets
from workers.batches import Batches, as_tensors
from workers.datasets import Dataset, Split
from workers.datasets.base import checked
from workers.errors import DataError
from workers.models import MODELS, build, fits

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 32, 32), (2, 9, 13), (16,)]
FITTING = [(name, shape) for name in MODELS for shape in SHAPES if fits(name, shape) is None]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)  # a process that has computed with more must not be forked


def num_parameters(name: str, shape: tuple[int, ...]) -> int:
    return sum(one.numel() for one in build(name, shape, 10, seed=0).parameters())


@pytest.mark.parametrize(("name", "shape"), FITTING)
def test_logits_have_one_column_for_each_class_and_every_parameter_learns(name: str, shape: tuple[int, ...]) -> None:
    model = build(name, shape, 7, seed=3)
    logits = model(torch.rand(4, *shape, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (4, 7)
    gradients = torch.autograd.grad(functional.cross_entropy(logits, torch.tensor([0, 2, 4, 6])), model.parameters())
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_offered_for_some_data_and_says_for_which(name: str) -> None:
    assert name in {name for name, _ in FITTING}
    assert MODELS[name].help.endswith(".")
    assert MODELS[name].input_shapes


@pytest.mark.parametrize(("name", "shape"), FITTING)
def test_the_parameters_are_the_whole_state(name: str, shape: tuple[int, ...]) -> None:
    assert list(build(name, shape, 10, seed=0).buffers()) == []


@pytest.mark.parametrize(("name", "shape"), FITTING)
def test_the_seed_alone_fixes_the_first_weights(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(111)
    one = build(name, shape, 10, seed=5).state_dict()
    torch.manual_seed(222)
    same = build(name, shape, 10, seed=5).state_dict()
    other = build(name, shape, 10, seed=6).state_dict()
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(("name", "shape"), FITTING)
def test_building_leaves_the_generator_of_torch_alone(name: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(77)
    before = torch.get_rng_state()
    build(name, shape, 10, seed=5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "shape", "wish"),
    [
        ("lenet5", (1, 8, 8), "28 x 28 or 32 x 32 pixels, got samples of shape 1 x 8 x 8"),
        ("lenet5", (3, 28, 32), "got samples of shape 3 x 28 x 32"),
        ("lenet5", (784,), "got samples of shape 784"),
        ("resnet8", (3, 7, 32), "at least 8 x 8 pixels, got samples of shape 3 x 7 x 32"),
        ("resnet8", (64,), "got samples of shape 64"),
    ],
)
def test_samples_that_do_not_fit_are_refused_in_one_sentence(name: str, shape: tuple[int, ...], wish: str) -> None:
    sentence = fits(name, shape)
    assert sentence is not None
    assert wish in sentence
    with pytest.raises(DataError, match=wish):
        build(name, shape, 10, seed=0)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match="no model 'vgg': choose one of mlp, lenet5, resnet8"):
        build("vgg", (1, 28, 28), 10, seed=0)


def test_the_models_have_the_published_sizes() -> None:
    assert num_parameters("mlp", (1, 8, 8)) == 64 * 32 + 32 + 32 * 10 + 10
    assert num_parameters("mlp", (1, 28, 28)) == 784 * 128 + 128 + 128 * 10 + 10
    assert num_parameters("lenet5", (1, 28, 28)) == num_parameters("lenet5", (1, 32, 32)) == 61_706
    assert num_parameters("lenet5", (3, 32, 32)) == 61_706 + 2 * 25 * 6
    assert 70_000 < num_parameters("resnet8", (3, 32, 32)) < 80_000


def test_first_weights_are_he_normal() -> None:
    state = build("mlp", (1, 28, 28), 10, seed=1).state_dict()
    weight = state["1.weight"]
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 784), rel=0.02)
    assert float((weight.abs() > 2 * math.sqrt(2 / 784)).float().mean()) == pytest.approx(0.0455, abs=0.005)
    assert not state["1.bias"].any()


def train(name: str, dataset: Dataset, num_steps: int, learning_rate: float) -> tuple[list[float], torch.nn.Module]:
    """Train with plain SGD; give the losses and the model."""
    model = build(name, dataset.sample_shape, dataset.num_classes, seed=1)
    batches = Batches(dataset.train, np.arange(len(dataset.train)), 32, seed=1, worker=0)
    losses = []
    for iteration in range(num_steps):
        samples, labels, _ = batches.batch(iteration)
        loss = functional.cross_entropy(model(samples), labels)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.sub_(gradient, alpha=learning_rate)
        losses.append(loss.item())
    return losses, model


def test_the_perceptron_learns_the_digits() -> None:
    dataset = datasets.load(TaskSpec(dataset="digits"))
    _, model = train("mlp", dataset, num_steps=300, learning_rate=0.1)
    images, labels = as_tensors(dataset.test, slice(None))
    assert float((model(images).argmax(1) == labels).float().mean()) > 0.9


def test_the_residual_network_learns_the_digits() -> None:
    losses, _ = train("resnet8", datasets.load(TaskSpec(dataset="digits")), num_steps=60, learning_rate=0.1)
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


def test_lenet5_learns_clothes() -> None:
    losses, _ = train("lenet5", clothes(), num_steps=80, learning_rate=0.05)
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def clothes() -> Dataset:
    """Give part of Fashion-MNIST, or noisy stripes of another width for each class where it is not installed."""
    try:
        dataset = datasets.load(TaskSpec(dataset="fashion_mnist"))
    except DataError:
        generator = np.random.default_rng(0)
        labels = generator.integers(0, 10, 2_000)
        stripes = 120 * (np.arange(28)[None, None, :] % (labels[:, None, None] + 2) == 0)
        images = (stripes + generator.integers(0, 100, (2_000, 28, 28))).astype(np.uint8)[:, None]
        split = Split(images, labels, divisor=255)
        return checked(Dataset("stripes", split, split, 10), "stripes")
    part = Split(dataset.train.samples[:2_000], dataset.train.labels[:2_000], dataset.train.divisor)
    return Dataset(dataset.name, part, dataset.test, dataset.num_classes)
