"""The API under `/api/v1`: one router a file, one line here."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI

from backend.api import (
    account,
    catalogue,
    compare,
    control,
    experiments,
    export,
    history,
    live,
    queue,
    runs,
    saved_views,
    spec_files,
    timeline,
    what_if,
)
from backend.api.dependencies import refuse_unknown_query

PREFIX = "/api/v1"
ROUTERS = (
    catalogue.router,
    experiments.router,
    spec_files.router,
    history.router,
    saved_views.router,
    runs.router,
    account.router,
    timeline.router,
    control.router,
    queue.router,
    compare.router,
    export.router,
    what_if.router,
)


def documented_app() -> FastAPI:
    """Build an application that has the API's routes, and nothing behind them."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    api = APIRouter(prefix=PREFIX)
    for router in ROUTERS:
        api.include_router(router, dependencies=[Depends(refuse_unknown_query)])
    api.include_router(live.router)
    app.include_router(api)
    return app
