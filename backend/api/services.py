"""What the routes work with: one object for a serving process, made in `backend.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from backend.api.frames import Frames
from backend.curve_cache import CurveCache
from backend.runs.manager import RunManager
from backend.settings import Settings
from backend.store.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    manager: RunManager
    frames: Frames
    curves: CurveCache
    send_timeout_s: float  # of the live stream


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


Use = Annotated[Services, Depends(_services)]
