"""A small scenario, as a file and as an object."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from workers.bench.scenario import Scenario, read_scenarios

SMALL: dict[str, Any] = {
    "name": "small",
    "num_workers": 4,
    "task": {"model": "mlp", "dataset": "digits", "batch_size": 16, "partition": "iid"},
    "speed": {"kind": "lognormal", "base_s": 1.0, "factors": [1, 1, 2, 4], "cv": 0.1},
    "transfer_s": 0.5,
    "target": {"metric": "test_loss", "value": 1.7},
    "budget_s": 40,
    "learning_rates": [0.2, 0.4],
}


def changed(**changes: Any) -> dict[str, Any]:
    """Give the small scenario with other values; a key with two underscores goes one level down, None removes."""
    data = copy.deepcopy(SMALL)
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner = data
        for parent in parents:
            inner = inner[parent]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return data


def write(path: Path, *documents: Any) -> Path:
    path.write_text(yaml.safe_dump_all(documents))
    return path


def scenario(folder: Path, **changes: Any) -> Scenario:
    [one] = read_scenarios([write(folder / "scenario.yaml", changed(**changes))])
    return one
