"""What several routes need."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import orjson
from fastapi import Depends, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from pydantic import BaseModel, TypeAdapter

from backend.api.problems import ApiError
from backend.errors import NotFound
from backend.store.ids import is_id
from predictor.decoding import decode
from predictor.errors import Complaint, SpecError

MAX_BODY_BYTES = 4 * 2**20

Model = TypeVar("Model", bound=BaseModel)


def refuse_unknown_query(request: Request) -> None:
    """Refuse query parameters that the route does not know: a misspelt filter must not look like an answer."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return
    known = {one.alias for one in get_flat_params(dependant) if isinstance(one.field_info, params.Query)}
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        wish = f"is not a known parameter; known: {', '.join(sorted(known))}" if known else "is not a known parameter"
        raise SpecError([Complaint(name, request.query_params[name], wish) for name in unknown])


def _run_id(run_id: str) -> str:
    return check_id("run", run_id)


def _experiment_id(experiment_id: str) -> str:
    return check_id("experiment", experiment_id)


def check_id(what: str, text: str) -> str:
    """Give the id back.

    Raises:
        NotFound: the text has not the form of an id, so nothing has it.
    """
    if not is_id(text):
        raise NotFound(what, text)
    return text


RunId = Annotated[str, Depends(_run_id)]
ExperimentId = Annotated[str, Depends(_experiment_id)]


async def read_json(request: Request) -> Any:
    """Read the body.

    Raises:
        ApiError: not JSON, or too long.
    """
    chunks, num_bytes = [], 0
    async for chunk in request.stream():
        num_bytes += len(chunk)
        if num_bytes > MAX_BODY_BYTES:
            raise ApiError(413, f"The body must not be longer than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiError(415, f"The body must be sent as application/json, got {content_type or 'no Content-Type'!r}.")
    try:
        return orjson.loads(b"".join(chunks))
    except orjson.JSONDecodeError as error:
        raise SpecError([Complaint("body", None, f"must be JSON: {error}")]) from error


def read_as(model: type[Model], body: object) -> Model:
    """Check a body.

    Raises:
        SpecError: names every field that is wrong, its value and the wish.
    """
    checked: Model = decode(TypeAdapter(model), body)
    return checked


def body_of(model: str) -> dict[str, Any]:
    """Describe for OpenAPI the body that a route reads with `read_json`."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answer_of(
    schema: str, description: str, *, media_type: str = "application/json"
) -> dict[int | str, dict[str, Any]]:
    """Describe for OpenAPI an answer whose schema is not a pydantic model."""
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {200: {"description": description, "content": {media_type: {"schema": reference}}}}


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Send plain data as it is; the API's tests hold it against the model."""
    return Response(orjson.dumps(data), status, headers, media_type="application/json")
