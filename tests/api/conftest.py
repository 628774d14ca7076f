from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from backend.store.database import Database
from tests.api.server import Server, serving
from tests.backend.databases import (
    ALTERNATIVES,
    create_database,
    drop_database,
    migrated_postgres,
    postgres_server,
    sqlite_template,
)

__all__ = ["migrated_postgres", "postgres_server", "sqlite_template"]


@pytest.fixture(scope="package")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("sqlite") / "home"
    with serving(home, f"sqlite:///{home / 'foresync.db'}") as served:
        yield served


@pytest.fixture(scope="package")
def served_on_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    name = f"foresync_api_{os.getpid()}"
    with serving(tmp_path_factory.mktemp("postgres") / "home", create_database(postgres_server, name)) as served:
        yield served
    drop_database(postgres_server, name)


@pytest.fixture(params=ALTERNATIVES)
def lasting_server(request: pytest.FixtureRequest) -> Server:
    """A server over SQLite and one over Postgres, whose runs are played (`player`); both last for all tests."""
    served: Server = request.getfixturevalue("sqlite_server" if request.param == "sqlite" else "served_on_postgres")
    return served


@pytest.fixture
def server(lasting_server: Server) -> Iterator[Server]:
    """The same without experiments."""
    yield lasting_server
    for experiment in lasting_server.get("/experiments")["experiments"]:
        assert lasting_server.http.delete(f"/experiments/{experiment['id']}").status_code == 204
    assert list((lasting_server.home / "runs").iterdir()) == []


@pytest.fixture(scope="package")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One over SQLite, for tests that change nothing."""
    home = tmp_path_factory.mktemp("quiet") / "home"
    with serving(
        home, f"sqlite:///{home / 'foresync.db'}", allowed_hosts=("lab.example", "proxy.example:8443")
    ) as served:
        yield served


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """The database of the server."""
    opened = Database(server.database_url)
    yield opened
    opened.close()
