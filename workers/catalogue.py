"""What can be trained on this machine, as JSON for the backend, which imports neither torch nor this package."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch.nn import functional

from workers.datasets import DATASETS, Description, describe, files
from workers.errors import DataError
from workers.models import MODELS, SampleShape, build, fits

BATCH_SIZE = 32  # of the steps that are measured
MAX_STEPS = 5  # of one pair
PAIR_BUDGET_S = 0.1  # no further step of a pair is begun after this
TOTAL_BUDGET_S = 1.0  # no further pair is begun after this


def main(data_dir: Path | None) -> NoReturn:
    """Print the catalogue and end the process: torch's orderly teardown would take a second in which nobody gains."""
    torch.set_num_threads(1)
    sys.stdout.write(json.dumps(catalogue(data_dir)) + "\n")
    sys.stdout.flush()
    os._exit(0)


def catalogue(data_dir: Path | None) -> dict[str, Any]:
    """Give models, data sets and the cost of a step for each pair of them.

    Args:
        data_dir: file or folder with a user's own data, listed last under its own name, which may be that of
            a known data set; None for none.
    """
    datasets = [_known(name) for name in DATASETS]
    own = {name: path for name, path in files.own_datasets().items() if name.replace("-", "_") not in DATASETS}
    if data_dir is not None:
        name = data_dir.resolve().name.removesuffix(".npz")
        own.pop(name, None)
        own[name] = data_dir
    datasets += [_own(name, path) for name, path in own.items()]
    return {
        "models": [
            {"name": name, "help": one.help, "input_shapes": one.input_shapes, "image_only": one.is_image_only}
            for name, one in MODELS.items()
        ],
        "datasets": datasets,
        "versions": {"python": platform.python_version(), "torch": str(torch.__version__)},
        "step_s": _step_times_s(datasets),
    }


def step_s(model_name: str, sample_shape: SampleShape, num_classes: int) -> float:
    """Measure the CPU seconds of one training step with BATCH_SIZE samples: the median of a few."""
    model = build(model_name, sample_shape, num_classes, seed=0)
    samples = torch.zeros(BATCH_SIZE, *sample_shape)  # the cost does not depend on the values
    labels = torch.zeros(BATCH_SIZE, dtype=torch.int64)
    parameters = list(model.parameters())

    def step() -> float:
        began_s = time.thread_time()
        gradients = torch.autograd.grad(functional.cross_entropy(model(samples), labels), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(gradient, alpha=1e-3)
        return time.thread_time() - began_s

    step()  # the first one pays for set-up
    times_s: list[float] = []
    while len(times_s) < MAX_STEPS and sum(times_s) < PAIR_BUDGET_S:
        times_s.append(step())
    return round(statistics.median(times_s), 7)


def _step_times_s(datasets: list[dict[str, Any]]) -> dict[str, float]:
    began_s = time.monotonic()
    times_s = {}
    for dataset in datasets:
        for model in dataset["models"] if dataset["is_available"] else ():
            if time.monotonic() - began_s < TOTAL_BUDGET_S:
                shape = tuple(dataset["sample_shape"])
                times_s[f"{model}/{dataset['name']}"] = step_s(model, shape, dataset["num_classes"])
    return times_s


def _known(name: str) -> dict[str, Any]:
    source = DATASETS[name]
    try:
        return _entry(name, source.help, describe(name, None), reason="")
    except DataError as error:
        return _entry(name, source.help, source.facts, reason=str(error))


def _own(name: str, path: Path) -> dict[str, Any]:
    help_text = f"Your own data in {path}."
    try:
        return _entry(name, help_text, files.describe(files.locate(name, path)), reason="")
    except DataError as error:
        return _entry(name, help_text, None, reason=str(error))


def _entry(name: str, help_text: str, description: Description | None, reason: str) -> dict[str, Any]:
    """Write one data set; without a description its shape is empty, its numbers are 0 and no model fits."""
    known = description or Description((), num_train=0, num_test=0, num_classes=0)
    return {
        "name": name,
        "help": help_text,
        "reads_data_dir": name not in DATASETS or DATASETS[name].reads_data_dir,
        "is_available": not reason,
        "reason": reason,
        "sample_shape": list(known.sample_shape),
        "num_train": known.num_train,
        "num_test": known.num_test,
        "num_classes": known.num_classes,
        "models": [model for model in MODELS if description and fits(model, known.sample_shape) is None],
    }
