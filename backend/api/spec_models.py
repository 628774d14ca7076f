"""What the API says of experiments as files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from backend.api.schemas import Model
from backend.spec_text import MAX_TEXT_LENGTH


class SpecText(Model):
    """The text of a file: YAML or JSON, an experiment, a preset or the spec of one run."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_TEXT_LENGTH)


class SpecToWrite(Model):
    """An experiment, and how it is to be written."""

    model_config = ConfigDict(extra="forbid")

    experiment: dict[str, Any] = Field(description="An ExperimentSpec.")
    format: Literal["yaml", "json"] = "yaml"
