"""What there is: health, models, data sets, presets, the schema of a spec."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import APIRouter, Response

from backend.api.dependencies import json_response
from backend.api.schemas import Catalogue, Health
from backend.api.services import Use
from backend.presets import presets
from backend.version import VERSION
from predictor.spec import RunSpec, run_schema, to_data

router = APIRouter(tags=["catalogue"])


@router.get("/health", response_model=Health)
def get_health() -> Response:
    """Tell that the server answers; needs no token."""
    return json_response({"status": "ok", "version": VERSION})


@router.get("/catalogue", response_model=Catalogue)
def get_catalogue(use: Use) -> Response:
    """Give what a spec can name, the presets, and the JSON Schema from which a form is drawn."""
    known = use.manager.catalogue()
    data = {
        "models": known["models"],
        "datasets": known["datasets"],
        **_fixed(),
        "versions": {**known["versions"], "foresync": VERSION},
    }
    return json_response(data)


@cache
def _fixed() -> dict[str, Any]:
    """Give what is the same as long as the program runs; making it takes longer than all else in the answer."""
    return {
        "presets": [preset.to_data() for preset in presets()],
        "schema": run_schema(),
        "defaults": to_data(RunSpec()),
    }
