"""Experiments as files: what the form exports and imports, and `foresync run` reads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from backend.api.dependencies import body_of, json_response, read_as, read_json
from backend.api.spec_models import SpecText, SpecToWrite
from backend.spec_text import read_text, write_text
from predictor.spec import ExperimentSpec, read_experiment, to_data

router = APIRouter(prefix="/experiments", tags=["experiments"])

Body = Annotated[Any, Depends(read_json)]
TEXT: dict[int | str, dict[str, Any]] = {
    200: {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.post("/read", response_model=ExperimentSpec, openapi_extra=body_of("SpecText"))
def read_spec_text(body: Body) -> Response:
    """Read an experiment from the text of a file; nothing is stored or started."""
    return json_response(to_data(read_text(read_as(SpecText, body).text)))


@router.post("/write", response_class=Response, responses=TEXT, openapi_extra=body_of("SpecToWrite"))
def write_spec_text(body: Body) -> Response:
    """Write an experiment as the text of a file; one of a single run becomes a file for `foresync run`."""
    asked = read_as(SpecToWrite, body)
    text = write_text(read_experiment(asked.experiment), asked.format)
    return Response(text, media_type="text/plain; charset=utf-8")
