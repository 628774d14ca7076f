"""Errors as RFC 9457 problems: what happened in one sentence, and field, value and wish where a field is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.errors import BackendError, BadValue, Conflict, ExecutorError, NotFound, StoreError
from backend.store.database import in_words
from predictor.errors import Complaint, SpecError

MEDIA_TYPE = "application/problem+json"
MAX_SHOWN_VALUE_BYTES = 1_000
_STATUSES = {NotFound: 404, Conflict: 409, ExecutorError: 503, StoreError: 503}


class ApiError(Exception):
    """An answer other than the wished one; `detail` is one sentence for the user."""

    def __init__(self, status: int, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(detail)


def problem_response(
    status: int,
    detail: str,
    *,
    title: str | None = None,
    errors: list[Complaint] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build the answer of a problem."""
    title = title or HTTPStatus(status).phrase
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = [{"field": e.field, "value": _plain(e.value), "wish": e.wish} for e in errors]
    return Response(orjson.dumps(body), status, dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Have every error of the app answered as a problem.

    Args:
        app: whose errors.
        headers: of the answer to an error that nobody foresaw, which no middleware sees.
    """

    @app.exception_handler(ApiError)
    async def api_error(_: Request, error: ApiError) -> Response:
        return problem_response(error.status, error.detail)

    @app.exception_handler(BackendError)
    async def backend_error(_: Request, error: BackendError) -> Response:
        status = next((code for kind, code in _STATUSES.items() if isinstance(error, kind)), 500)
        return problem_response(status, str(error))

    @app.exception_handler(BadValue)
    async def bad_value(_: Request, error: BadValue) -> Response:
        return problem_response(422, f"{error}.", errors=[Complaint(error.field, error.value, error.wish)])

    @app.exception_handler(SpecError)
    async def spec_error(_: Request, error: SpecError) -> Response:
        return problem_response(422, f"{error}.", errors=error.complaints)

    @app.exception_handler(RequestValidationError)
    async def validation_error(_: Request, error: RequestValidationError) -> Response:
        complaints = [_complaint(one) for one in error.errors()]
        return problem_response(422, "; ".join(map(str, complaints)) + ".", errors=complaints)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:  # Starlette's own words for an unknown path or method
            detail = f"{request.method} {request.url.path} is not part of the API."
        return problem_response(error.status_code, detail, headers=error.headers)

    app.add_exception_handler(ClientDisconnect, _answer_nobody)

    @app.exception_handler(RecursionError)
    async def too_deep(_: Request, __: RecursionError) -> Response:
        return problem_response(422, "The body is nested too deep.")

    @app.exception_handler(OperationalError)
    async def database_error(_: Request, error: OperationalError) -> Response:
        return problem_response(503, f"The database cannot be used at this moment: {in_words(error)}.")

    @app.exception_handler(IntegrityError)
    async def conflict(_: Request, __: IntegrityError) -> Response:
        return problem_response(409, "Something else was changed at the same moment; try again.")

    @app.exception_handler(OSError)
    async def file_error(_: Request, error: OSError) -> Response:
        return problem_response(503, f"The server's files cannot be used: {in_words(error)}.")

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, error: Exception) -> Response:
        detail = f"The server failed at this request ({type(error).__name__}); its log has the details."
        return problem_response(500, detail, headers=headers)


async def _answer_nobody(_: Request, __: Exception) -> Response:
    """Answer a page that was closed while it sent something."""
    return Response(status_code=400)


def _complaint(error: Any) -> Complaint:
    place, *parts = [str(part) for part in error["loc"]]
    if error["type"] == "json_invalid":
        return Complaint("body", None, f"must be JSON: {error['ctx']['error']}")
    wish = {"missing": "is required", "extra_forbidden": "is not a known key"}.get(
        error["type"], error["msg"].replace("Input should be", "must be", 1)
    )
    wish = wish.replace("greater than or equal to", ">=").replace("less than or equal to", "<=")
    value = None if error["type"] == "missing" else error.get("input")
    return Complaint(".".join(parts) or place, value, wish)


def _plain(value: object) -> object:
    """Give a value that JSON can hold and a person can read."""
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        return repr(value)[:MAX_SHOWN_VALUE_BYTES]
    if len(encoded) > MAX_SHOWN_VALUE_BYTES:
        return encoded[:MAX_SHOWN_VALUE_BYTES].decode("utf-8", "ignore") + "..."
    return value
