"""The web application: what wires database, run manager, API, guard and dashboard."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from backend import openapi
from backend.account_cache import AccountCache
from backend.account_keeper import AccountKeeper
from backend.api import PREFIX, documented_app, live, problems
from backend.api.dependencies import json_response
from backend.api.frames import Frames
from backend.api.notices import Notices
from backend.api.services import Services
from backend.api.sockets import SocketProtocol
from backend.curve_cache import CurveCache
from backend.curve_keeper import CurveKeeper
from backend.first_answers import Ask, ask_through
from backend.runs.manager import RunManager
from backend.security import API_PREFIX, SECURITY_HEADERS, Guard
from backend.settings import Settings
from backend.store.database import Database
from backend.ui import Dashboard

PING_INTERVAL_S = 15.0
PING_TIMEOUT_S = 15.0
MAX_SOCKET_MESSAGE_BYTES = 4_096  # clients have nothing to say
GRACE_S = 5  # for open connections when the program ends


def create_app(settings: Settings, *, send_timeout_s: float = live.SEND_TIMEOUT_S) -> FastAPI:
    """Build the application; its lifespan upgrades the database and starts and stops the run manager.

    Args:
        settings: of the program.
        send_timeout_s: how long a reader of the live stream may take nothing.

    Raises:
        StoreError: the database's URL cannot be used.
    """
    database = Database(settings.database_url)
    manager = RunManager(settings, database)
    services = Services(
        settings=settings,
        database=database,
        manager=manager,
        frames=Frames(database, manager.wakeups),
        notices=Notices(database, manager.wakeups),
        curves=CurveCache(database),
        accounts=AccountCache(database),
        send_timeout_s=send_timeout_s,
    )
    app = documented_app()

    @functools.cache  # made when somebody asks: it takes a second, and few do
    def get_document() -> Response:
        return json_response(openapi.build(app))

    app.add_api_route(f"{PREFIX}/openapi.json", get_document, include_in_schema=False)
    app.state.services = services
    app.router.lifespan_context = lambda _: _lifespan(services)
    app.router.default = _Fallback(app.router, Dashboard(ask=_asking(app.router, manager)))
    problems.install(app, SECURITY_HEADERS)
    app.add_middleware(Guard, token=settings.token, allowed_hosts=settings.allowed_hosts)
    return app


def server_config(settings: Settings, *, send_timeout_s: float = live.SEND_TIMEOUT_S) -> uvicorn.Config:
    """Give the configuration of the one server process; the arguments are those of `create_app`."""
    return uvicorn.Config(
        create_app(settings, send_timeout_s=send_timeout_s),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        ws=SocketProtocol,  # its writes wait for a slow reader
        ws_per_message_deflate=False,  # costs more than it saves over loopback
        ws_max_size=MAX_SOCKET_MESSAGE_BYTES,
        ws_ping_interval=PING_INTERVAL_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        proxy_headers=False,  # nobody may say for another who he is
        server_header=False,
        access_log=False,  # its lines would hold the token of `/?token=...`
        log_level="warning",
        timeout_graceful_shutdown=GRACE_S,
    )


def _asking(router: ASGIApp, manager: RunManager) -> Ask:
    """Give what looks up the first answers of a page, which does not wait for what is known to come late."""
    through = ask_through(router)

    async def ask(scope: Scope, address: str) -> bytes | None:
        is_late = address == "catalogue" and not manager.is_catalogue_known
        return None if is_late else await through(scope, address)

    return ask


@contextlib.asynccontextmanager
async def _lifespan(services: Services) -> AsyncIterator[None]:
    """Bring up database and run manager; raises StoreError where they cannot be used."""
    curve_keeper = CurveKeeper(services.curves)
    account_keeper = AccountKeeper(services.accounts, services.manager.wakeups)
    services.manager.on_end = curve_keeper.notice
    try:
        await run_in_threadpool(services.database.upgrade)
        curve_keeper.start()
        account_keeper.start()
        await run_in_threadpool(services.manager.start)
        try:
            yield
        finally:
            await run_in_threadpool(services.manager.shutdown)
    finally:
        await services.what_if.close()
        await run_in_threadpool(curve_keeper.close)
        await run_in_threadpool(account_keeper.close)
        services.database.close()


class _Fallback:
    """Whatever is no route: unknown paths of the API are problems, all else is the dashboard's."""

    def __init__(self, router: Router, dashboard: Dashboard) -> None:
        self._not_found = router.not_found
        self._dashboard = dashboard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(API_PREFIX):
            await self._not_found(scope, receive, send)
        else:
            response = await self._dashboard.answer(Request(scope, receive))
            await response(scope, receive, send)
