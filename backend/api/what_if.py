"""What a run would have been under other policies: predicted from its recorded times, streamed as it becomes known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from backend.api.dependencies import RunId, body_of, read_as, read_json
from backend.api.services import Services, Use
from backend.api.what_if_models import WhatIfRequest
from backend.errors import BadValue, Conflict, ExecutorError
from backend.store import runs
from backend.store.records import RunRecord
from backend.what_if.helper import Frame
from backend.what_if.request import Question, expand
from predictor.what_if import ABOUT_LOSS

router = APIRouter(prefix="/runs", tags=["what if"])

MEDIA_TYPE = "application/x-ndjson"
MAX_ITERATIONS = 2_000_000  # of the recorded run
MAX_SIMULATED = 20_000_000  # iterations of all predictions together

LIMITS = (
    ABOUT_LOSS,
    "It assumes that neither compute nor transfer times depend on the policy, and leaves out what a server takes to "
    "decide.",
    "A worker that does more iterations than were recorded uses its recorded times again, from the first one on.",
    "Bytes are those of a recorded push, times the predicted pushes.",
)

_LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One WhatIfFrame a line.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/WhatIfFrame"}}},
    }
}


@router.post("/{run_id}/what-if", response_class=Response, responses=_LINES, openapi_extra=body_of("WhatIfRequest"))
async def predict_run(run_id: RunId, use: Use, body: Annotated[Any, Depends(read_json)]) -> Response:
    """Predict a run under other policies, from the times that were recorded of it.

    The answer is a stream of lines and ends with the line `end`. The recorded policy is predicted, too: what it is off
    there is what the model leaves out. Closing the connection ends the computation.
    """
    request = read_as(WhatIfRequest, body)
    run = await run_in_threadpool(_find, use, run_id)
    questions = await run_in_threadpool(_questions, run, request)
    num_iterations = run.summary.get("num_iterations", 0)
    if num_iterations == 0:
        raise Conflict("The run has no finished iteration, so there are no times to predict with.")
    if num_iterations > MAX_ITERATIONS:
        wish = f"predictions are made from at most {MAX_ITERATIONS:,}"
        raise Conflict(f"The run has {num_iterations:,} iterations; {wish}.")
    if num_iterations * len(questions) > MAX_SIMULATED:
        most = MAX_SIMULATED // num_iterations - 1
        raise BadValue(
            "policies", len(questions), f"may stand for at most {most} where a run has {num_iterations:,} iterations"
        )
    return StreamingResponse(_lines(use, run, questions), media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


def _find(use: Services, run_id: str) -> RunRecord:
    with use.database.read() as session:
        return runs.get(session, run_id)


def _questions(run: RunRecord, request: WhatIfRequest) -> list[Question]:
    """Give what is asked for, first the recorded policy: of a retuned run the one in force."""
    policy, forecaster = (run.spec_in_force[part] for part in ("policy", "forecaster"))
    recorded = Question(policy, forecaster)
    asked = expand(request.policies, request.forecaster or forecaster)
    return [recorded, *(one for one in asked if one.key != recorded.key)]


async def _lines(use: Services, run: RunRecord, questions: list[Question]) -> AsyncIterator[bytes]:
    recorded_key = questions[0].key
    shown = [
        {"policy": one.policy, "forecaster": one.forecaster, "is_recorded": one.key == recorded_key}
        for one in questions
    ]
    yield _line({"type": "start", "run_id": run.id, "last_seq": run.last_seq, "questions": shown, "limits": LIMITS})
    recorded: Frame = {}
    problem: str | None = None
    url = use.database.url.render_as_string(hide_password=False)
    try:
        async for frame in use.what_if.ask(url, run.id, run.last_seq, questions):
            if frame["type"] == "failed":
                problem = frame["detail"]
            elif frame["type"] == "recorded":
                num_bytes = run.summary.get("bytes") or None
                recorded = frame | {"figures": {**frame["figures"], "bytes": num_bytes}}
                yield _line(recorded)
            elif frame["type"] == "predicted":
                yield _line(_answer(frame, recorded["figures"]))
            else:
                yield _line({"share": None, **frame})
    except ExecutorError as error:
        problem = str(error)
    yield _line({"type": "end", "detail": problem})


def _answer(frame: Frame, recorded: dict[str, Any]) -> Frame:
    figures, speedup = frame["figures"], None
    if figures is not None:
        num_bytes = None
        if recorded["bytes"] is not None and recorded["num_pushes"]:
            num_bytes = round(recorded["bytes"] / recorded["num_pushes"] * figures["num_pushes"])
        figures = {**figures, "bytes": num_bytes}
        speedup = recorded["makespan_s"] / figures["makespan_s"] if figures["makespan_s"] > 0 else None
    return {**frame, "label": "predicted", "figures": figures, "speedup": speedup}


def _line(data: Frame) -> bytes:
    return orjson.dumps(data) + b"\n"
