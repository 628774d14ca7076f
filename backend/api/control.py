"""Changing the settings of a run that trains."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from backend.api.control_models import RetuneAsked, RetuneRequest, Tuning
from backend.api.dependencies import RunId, body_of, json_response, read_as, read_json
from backend.api.services import Use
from backend.runs import tuning
from predictor.retuning import has_forecaster
from predictor.spec import to_data

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/retune", response_model=Tuning)
def get_tuning(run_id: RunId, use: Use) -> Response:
    """Give the settings that can be changed while the run trains, as they are now, and the changes so far."""
    with use.database.read() as session:
        found = tuning.read(session, run_id)
    spec = found.now
    data = to_data(spec)
    return json_response(
        {
            "is_possible": not found.obstacle,
            "reason": found.obstacle,
            "policy": data["policy"],
            "forecaster": data["forecaster"] if has_forecaster(spec) else None,
            "changes": [_change_data(change) for change in found.changes],
            "last_seq": found.last_seq,
        }
    )


@router.post("/{run_id}/retune", status_code=202, response_model=RetuneAsked, openapi_extra=body_of("RetuneRequest"))
def retune_run(run_id: RunId, use: Use, body: Annotated[Any, Depends(read_json)]) -> Response:
    """Ask a run that trains to go on with other settings; 409 where it does not train or cannot change them."""
    request = read_as(RetuneRequest, body)
    change, after_seq = use.manager.retune(run_id, request.policy, request.forecaster)
    return json_response({"after_seq": after_seq, "policy": change.policy, "forecaster": change.forecaster}, 202)


def _change_data(change: tuning.Change) -> dict[str, Any]:
    settings = [{"path": path, "before": before, "after": after} for path, before, after in change.settings]
    return {"seq": change.seq, "at_s": change.at_s, "settings": settings}
