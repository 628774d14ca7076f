"""The OpenAPI document: `python -m backend.openapi` prints it.

FastAPI draws the routes and the answers; what it cannot see is added here: the events of a run's log, the
frames of the live stream, the bodies that are decoded by `predictor.spec`, and the problems.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from backend.api import (
    control_models,
    documented_app,
    history_models,
    live_models,
    queue_models,
    schemas,
    spec_models,
    what_if_models,
)
from backend.version import VERSION
from predictor import log
from predictor.spec import ExperimentSpec, RunSpec

_REF = "#/components/schemas/{model}"
_EVENTS_FIELDS = {
    "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
    "last_seq": {"type": "integer", "description": "Of the last event here; the cursor to go on from."},
}
DESCRIPTION = """\
Every error is a problem (RFC 9457). Every request but `/api/v1/health` needs the token that the server printed:
`Authorization: Bearer TOKEN`, or the cookie that opening `/?token=TOKEN` sets.

`WS /api/v1/live` sends LiveFrame objects as text: the events of the runs that LiveMessage objects subscribe to, after
the seq that each names, then what comes; and which runs of the list have changed. It closes with 4400 after another
message, 4401 without a token, 4408 when the reader is too slow (connect again, after the last seq that arrived).
`WS /api/v1/runs/{run_id}/live?after=SEQ` does so for one run. It closes with 1000 after the last event of a finished
run, and 4404 for an unknown one."""


def build(app: FastAPI) -> dict[str, Any]:
    """Give the document of an app that holds the API's routes."""
    document = get_openapi(
        title="Foresync", version=VERSION, openapi_version="3.1.0", description=DESCRIPTION, routes=app.routes
    )
    components: dict[str, Any] = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # validation errors are problems, too
        components.pop(name, None)
    for schema in components.values():
        _require_all(schema)
    components |= _events()
    components |= _inputs()
    components |= _extra_models()
    components["EventPage"] = {
        "type": "object",
        "title": "EventPage",
        "properties": {**_EVENTS_FIELDS, "is_finished": {"type": "boolean", "description": "No event will follow."}},
        "required": ["events", "last_seq", "is_finished"],
    }
    components |= live_models.document(_REF, _EVENTS_FIELDS)
    components |= what_if_models.document(_REF)
    document["components"]["schemas"] = dict(sorted(components.items()))
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    _answer_with_problems(document)
    return document


def _require_all(schema: dict[str, Any]) -> None:
    """Say that answers are complete: what has a default is present, too."""
    if "properties" in schema:
        schema["required"] = list(schema["properties"])


def _events() -> dict[str, Any]:
    """Give the schemas of events as they are served: a loss that is not a finite number is null."""
    events = log.schema()
    for schema in events.values():
        loss = schema.get("properties", {}).get("loss")
        if loss is not None:
            schema["properties"]["loss"] = {"title": loss["title"], "anyOf": [{"type": "number"}, {"type": "null"}]}
    return events


def _inputs() -> dict[str, Any]:
    """Give the schemas of specs as they are sent: what has a default may be absent."""
    inputs: dict[str, Any] = {}
    for kind in (RunSpec, ExperimentSpec):
        schema = TypeAdapter(kind).json_schema(ref_template="#/components/schemas/{model}Input")
        definitions = schema.pop("$defs", {})
        inputs |= {f"{name}Input": {**one, "title": f"{name}Input"} for name, one in definitions.items()}
        inputs[f"{kind.__name__}Input"] = {**schema, "title": f"{kind.__name__}Input"}
    return inputs


def _extra_models() -> dict[str, Any]:
    extra: dict[str, Any] = {}
    bodies = (
        control_models.RetuneRequest,
        queue_models.QueuePatch,
        queue_models.QueueMove,
        queue_models.QueueCancel,
        spec_models.SpecText,
        spec_models.SpecToWrite,
    )
    others = (schemas.RunPatch, schemas.CloneRequest, schemas.Problem)
    of_history = (
        history_models.RunsChange,
        history_models.NewView,
        history_models.ViewPatch,
        history_models.BaselineChoice,
    )
    for kind in (*bodies, *others, *of_history):
        schema = kind.model_json_schema(ref_template=_REF)
        definitions = schema.pop("$defs", {})
        if kind is schemas.Problem:
            extra |= definitions
        extra[kind.__name__] = schema
    return extra


def _answer_with_problems(document: dict[str, Any]) -> None:
    problem = {
        "description": "A problem, in one sentence.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = problem
            if path.endswith("/health"):
                operation["security"] = []


def main() -> None:
    """Print the document."""
    json.dump(build(documented_app()), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
