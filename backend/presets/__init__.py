"""Experiments to start from: one YAML file each in this folder, `title`, `description` and `experiment`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from predictor import spec
from predictor.spec import ExperimentSpec

FIRST = "demonstration"


@dataclass(frozen=True, slots=True)
class Preset:
    """An experiment with its story; `name` is the file's name."""

    name: str
    title: str
    description: str
    experiment: ExperimentSpec

    def to_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "experiment": spec.to_data(self.experiment),
        }


@cache
def presets() -> tuple[Preset, ...]:
    """Read all presets, the demonstration first.

    Raises:
        SpecError: a preset's experiment is wrong.
    """
    files = [file for file in resources.files(__package__).iterdir() if file.name.endswith(".yaml")]
    found = [_read(file.name.removesuffix(".yaml"), file.read_text(encoding="utf-8")) for file in files]
    return tuple(sorted(found, key=lambda preset: (preset.name != FIRST, preset.name)))


def preset(name: str) -> Preset:
    """Give one preset.

    Raises:
        KeyError: there is none of this name.
    """
    return {one.name: one for one in presets()}[name]


def _read(name: str, text: str) -> Preset:
    data = yaml.safe_load(text)
    experiment = spec.read_experiment(data["experiment"])
    return Preset(name, data["title"], " ".join(data["description"].split()), experiment)
