"""What the routes work with: one object for a serving process, made in `backend.app`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from backend.account_cache import AccountCache
from backend.api.frames import Frames
from backend.api.notices import Notices
from backend.curve_cache import CurveCache
from backend.runs.manager import RunManager
from backend.settings import Settings
from backend.store.database import Database
from backend.what_if.desk import Desk


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    manager: RunManager
    frames: Frames
    notices: Notices
    curves: CurveCache
    accounts: AccountCache
    send_timeout_s: float  # of the live stream
    what_if: Desk = field(default_factory=Desk)


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Use = Annotated[Services, Depends(_services)]
