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

from backend.api import documented_app, schemas
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

`WS /api/v1/runs/{run_id}/live?after=SEQ` sends LiveFrame objects as text: the events after SEQ, then what comes.
It closes with 1000 after the last event of a finished run, 4401 without a token, 4404 for an unknown run, 4408
when the reader is too slow (connect again after the last seq that arrived)."""


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
    components["EventsFrame"] = {
        "type": "object",
        "title": "EventsFrame",
        "properties": {"type": {"type": "string", "const": "events"}, **_EVENTS_FIELDS},
        "required": ["type", "events", "last_seq"],
    }
    frames = {"events": "EventsFrame", "state": "StateFrame", "end": "EndFrame"}
    mapping = {kind: _REF.format(model=name) for kind, name in frames.items()}
    components["LiveFrame"] = {
        "title": "LiveFrame",
        "oneOf": [{"$ref": one} for one in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
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
    for kind in (schemas.RunPatch, schemas.CloneRequest, schemas.StateFrame, schemas.EndFrame, schemas.Problem):
        mode: Any = "serialization" if kind in (schemas.StateFrame, schemas.EndFrame) else "validation"
        schema = kind.model_json_schema(ref_template=_REF, mode=mode)
        definitions = schema.pop("$defs", {})
        if kind is schemas.Problem:
            extra |= definitions
        if mode == "serialization":
            _require_all(schema)
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
