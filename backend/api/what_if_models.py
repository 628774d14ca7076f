"""What is asked and answered about a run under other policies: one JSON object a line, as it becomes known."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, RootModel

from backend.api.schemas import Model

PolicyData = dict[str, Any]


class WhatIfRequest(Model):
    """Policies under which a run is to be predicted."""

    model_config = ConfigDict(extra="forbid")

    policies: list[PolicyData] = Field(
        description="Objects as in a spec; a list stands for several values. `forecaster` may be given in each.",
        examples=[[{"name": "bsp"}, {"name": "ssp", "threshold": [1, 2, 4, 8]}]],
        min_length=1,
        max_length=64,
    )
    forecaster: PolicyData | None = Field(default=None, description="Of all that name none; absent: the recorded one.")


class WhatIfFigures(Model):
    """What the recorded and a predicted run are compared by."""

    makespan_s: float = Field(description="Start of the first iteration to the last push, without pauses.")
    num_iterations: int
    num_pushes: int
    wait_s: float
    wait_share: float | None
    transfer_s: float
    utilisation: float | None
    mean_staleness: float | None
    p95_staleness: int | None
    max_staleness: int | None
    max_lead: int
    bytes: int | None = Field(description="Predicted: the recorded bytes of a push, times the pushes. null: not known.")


class WhatIfStart(Model):
    """The first line: what will be answered."""

    type: Literal["start"]
    run_id: str
    last_seq: int = Field(description="Up to which the log is taken.")
    questions: list[WhatIfQuestion]
    limits: list[str] = Field(description="What a reader of any of the predictions must know, in whole sentences.")


class WhatIfQuestion(Model):
    policy: PolicyData
    forecaster: PolicyData
    is_recorded: bool = Field(description="The recorded policy itself: tells how far the prediction is off.")


class WhatIfProgress(Model):
    """Time passes."""

    type: Literal["waiting", "reading", "predicting"]
    share: float | None = Field(default=None, description="Of the log that is read.")


class WhatIfRecorded(Model):
    type: Literal["recorded"]
    label: Literal["measured", "simulated"]
    figures: WhatIfFigures
    notes: list[str] = Field(description="What must be known of this recording.")


class WhatIfPredicted(Model):
    """One question's answer. Either `figures` or `problem` is null."""

    type: Literal["predicted"]
    index: int = Field(description="Of the question.")
    label: Literal["predicted"]
    figures: WhatIfFigures | None
    speedup: float | None = Field(description="Recorded makespan over the predicted one.")
    num_extrapolated: int = Field(description="Iterations beyond those recorded of their worker: times used again.")
    notes: list[str]
    problem: str | None


class WhatIfEnd(Model):
    """The last line. An answer without it was cut off."""

    type: Literal["end"]
    detail: str | None = Field(description="Why something is missing; null: all is answered.")


class WhatIfFrame(RootModel[WhatIfStart | WhatIfProgress | WhatIfRecorded | WhatIfPredicted | WhatIfEnd]):
    """A line of the answer."""


WhatIfStart.model_rebuild()


def document(ref_template: str) -> dict[str, Any]:
    """Give the schemas of body and lines, which FastAPI does not see."""
    found: dict[str, Any] = {"WhatIfRequest": WhatIfRequest.model_json_schema(ref_template=ref_template)}
    frame = WhatIfFrame.model_json_schema(ref_template=ref_template)
    lines: dict[str, Any] = frame.pop("$defs")
    for schema in lines.values():
        schema["required"] = list(schema["properties"])
    mapping = {
        kind: one["$ref"]
        for one in frame["anyOf"]
        for kind in _kinds(lines[one["$ref"].rpartition("/")[2]]["properties"]["type"])
    }
    found["WhatIfFrame"] = {
        "title": "WhatIfFrame",
        "description": frame["description"],
        "oneOf": frame["anyOf"],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return found | lines


def _kinds(schema: dict[str, Any]) -> list[str]:
    kinds: list[str] = [schema["const"]] if "const" in schema else schema["enum"]
    return kinds
