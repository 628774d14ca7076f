"""The accounting of a run: where its workers' time went, and for whom they waited."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.api.account_models import Account
from backend.api.dependencies import RunId, json_response
from backend.api.services import Use

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/account", response_model=Account)
def get_account(run_id: RunId, use: Use) -> Response:
    """Give where the workers' time went; of a long log, `is_complete` says whether to ask again."""
    return json_response(use.accounts.read(run_id))
