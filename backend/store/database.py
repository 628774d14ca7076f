"""Transactions on SQLite or Postgres, and the upgrade of the schema.

Two kinds of transactions. `read()` sees one snapshot. `write()` is the only way to change anything: on
SQLite it begins with BEGIN IMMEDIATE under one lock of the process, since a reading transaction that turns
into a writing one fails with "database is locked" whatever the time-out.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from backend.errors import StoreError
from backend.store import migrations
from backend.store.kept import Kept

BUSY_TIMEOUT_MS = 20_000  # another process writes: a command line tool, a second server on the same home
POOL_SIZE = 16
MAX_OVERFLOW = 32  # beyond the threads that serve requests, so that none waits for a connection

CLAIM_KEY = 0x5259_4E43  # of Postgres's advisory lock: "RYNC"
CLAIM_S = 3.0  # in which Postgres notices that the last program is gone

_IS_WRITER = "foresync_is_writer"


class Database:
    """One database, shared by all threads of the process."""

    def __init__(self, url: str) -> None:
        """Connect lazily.

        Raises:
            StoreError: the URL is none, or of a database that is not supported.
        """
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writing: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )
        self._claim: IO[bytes] | Connection | None = None
        self._watcher: sqlite3.Connection | None = None
        self._watching = threading.Lock()
        self.kept = Kept(self.read_version)
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_pre_ping": True}
        self.engine: Engine = sa.create_engine(
            self.url,
            pool_size=POOL_SIZE,
            max_overflow=MAX_OVERFLOW,
            json_serializer=_dump,
            json_deserializer=orjson.loads,
            **options,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._reader: Engine = self.engine
            self._writer: Engine = self.engine.execution_options(**{_IS_WRITER: True})
        else:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writer = self.engine

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one snapshot and changes nothing."""
        with Session(self._reader, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that commits at the end of the block, or rolls back when the block raises."""
        opened = Session(self._writer, autoflush=False, expire_on_commit=False)
        with self._writing, opened as session, session.begin():
            yield session

    def read_version(self) -> str:
        """Tell what is committed: as long as this stays the same, so does all that `read` gives.

        It also changes with writes that change nothing which is read, and is no order.
        """
        if not self.is_sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                return str(connection.scalar(sa.text("SELECT CAST(pg_current_snapshot() AS text)")))
        with self._watching:
            if self._watcher is None:
                # Of its own, since SQLite tells each connection what the others wrote; this one never writes.
                arguments, options = self.engine.dialect.create_connect_args(self.url)
                opened = self.engine.dialect.connect(*arguments, **{**options, "check_same_thread": False})
                assert isinstance(opened, sqlite3.Connection)
                self._watcher = opened
                self._watcher.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            return str(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def upgrade(self) -> None:
        """Bring the schema up to date; make it when the database is empty.

        Raises:
            StoreError: the database cannot be reached, or was written by a newer program.
        """
        try:
            with self._writing, self._writer.connect() as connection, connection.begin():
                migrations.upgrade(connection)
        except SQLAlchemyError as error:
            name = self.url.render_as_string(hide_password=True)
            raise StoreError(f"The database {name} cannot be used: {in_words(error)}.") from error

    def claim(self) -> bool:
        """Become the one program that starts and follows the runs of this database; False if there is another.

        The claim ends with the process, however that ends.
        """
        claimed = _claim_file(self.url) if self.is_sqlite else _claim_server(self.engine)
        self._claim = claimed
        return claimed is not None

    def release(self) -> None:
        """Give the claim up."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def shrink(self) -> None:
        """Give the space of deleted rows back to the file system; Postgres does so by itself."""
        if self.is_sqlite:
            with self._writing, self.engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert isinstance(raw, sqlite3.Connection)
                # `execute` would take one step of the pragma, which is one page.
                raw.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")

    def close(self) -> None:
        """Close all connections; the database may be used again afterwards."""
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
                self.kept = Kept(self.read_version)  # the next connection counts from anew
        self.engine.dispose()


def _claim_file(url: URL) -> IO[bytes] | None:
    file = Path(f"{url.database}.lock").open("ab")  # noqa: SIM115 - held until `release`
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _claim_server(engine: Engine) -> Connection | None:
    """Take Postgres's advisory lock on a connection of its own; a killed program's goes with its connection."""
    connection = engine.execution_options(isolation_level="AUTOCOMMIT").connect()
    connection.detach()  # out of the pool: closing it ends the server's session, and with it the lock
    deadline = time.monotonic() + CLAIM_S
    while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(CLAIM_KEY))):
        if time.monotonic() > deadline:
            connection.close()
            return None
        time.sleep(0.1)
    return connection


def in_words(error: BaseException) -> str:
    """Give what went wrong on one line: the database's or the system's own words, without the statement."""
    cause: BaseException = getattr(error, "orig", None) or error
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    lines = str(cause).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(cause).__name__


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreError("The database's URL cannot be read; it looks like postgresql://user@host/name.") from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    if url.drivername == "postgresql+psycopg":
        return url
    raise StoreError(
        f"The database must be sqlite:///FILE or postgresql://..., got {url.render_as_string(hide_password=True)!r}."
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "auto_vacuum=INCREMENTAL",  # before the first table; later without effect
        "journal_mode=WAL",
        "synchronous=NORMAL",  # a power cut may undo the last commits, offsets included: they are read again
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get(_IS_WRITER, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _dump(value: object) -> str:
    """Encode a JSON column; a number that is not finite becomes null, since neither database takes it."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
