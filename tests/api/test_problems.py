"""Every error is a problem: one sentence, and nothing of the inside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NoReturn

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy.exc import IntegrityError, OperationalError

from backend.api import problems, schemas
from backend.errors import BackendError, BadValue, Conflict, ExecutorError, NotFound, StoreError
from predictor.errors import Complaint, SpecError
from tests.api.server import check_model

HEADERS = {"X-Content-Type-Options": "nosniff"}


def too_deep() -> NoReturn:
    raise RecursionError


def raising(error: Exception) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("fail", "status", "detail"),
    [
        (raising(NotFound("run", "x")), 404, "There is no run 'x'."),
        (raising(Conflict("It trains.")), 409, "It trains."),
        (raising(BadValue("sort", "colour", "must be one of a, b")), 422, "sort must be one of a, b, got 'colour'."),
        (raising(SpecError([Complaint("a.b", 1, "must be >= 2")])), 422, "a.b must be >= 2, got 1."),
        (raising(ExecutorError("No python.")), 503, "No python."),
        (raising(StoreError("No database.")), 503, "No database."),
        (raising(BackendError("Something else.")), 500, "Something else."),
        (raising(OperationalError("SELECT secret", {}, Exception("disk is full"))), 503, "disk is full."),
        (raising(IntegrityError("INSERT secret", {}, Exception("inside"))), 409, "at the same moment; try again."),
        (raising(OSError(28, "No space left on device")), 503, "No space left on device."),
        (too_deep, 422, "nested too deep."),
        (raising(ZeroDivisionError("inside")), 500, "The server failed at this request (ZeroDivisionError)"),
    ],
)
def test_an_error_is_answered_as_a_problem(fail: Callable[[], NoReturn], status: int, detail: str) -> None:
    app = FastAPI()
    problems.install(app, HEADERS)
    app.add_api_route("/fail", fail, response_model=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/fail")

    answer = asyncio.run(ask())
    problem = check_model(schemas.Problem, answer.json())
    assert (answer.status_code, problem["status"]) == (status, status)
    assert detail in problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    for secret in ("secret", "inside", "Traceback"):
        assert secret not in answer.text
    if "ZeroDivisionError" in detail:
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_that_is_closed_while_it_sends_is_no_error_of_the_server() -> None:
    app = FastAPI()
    problems.install(app, HEADERS)

    async def read(request: Request) -> None:
        await request.body()

    app.add_api_route("/read", read, methods=["POST"], response_model=None)
    scope = {"type": "http", "method": "POST", "path": "/read", "headers": [], "query_string": b"", "app": app}
    said: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(app(scope, receive, send))  # would raise, and uvicorn would write a traceback
    assert said[0]["status"] == 400


def test_a_long_or_odd_value_is_shown_as_far_as_it_can_be_read() -> None:
    complaints = [Complaint("long", "x" * 10_000, "must be short"), Complaint("odd", {1, 2}, "must be a list")]
    body = check_model(schemas.Problem, json.loads(problems.problem_response(422, "Wrong.", errors=complaints).body))
    assert len(body["errors"][0]["value"]) < 2_000
    assert body["errors"][1]["value"] == "{1, 2}"
