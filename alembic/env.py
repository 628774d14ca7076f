"""Run the migrations: on the connection that the program hands in, else on FORESYNC_DATABASE_URL."""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy.engine import Connection

from backend.settings import read_settings
from backend.store.database import Database
from backend.store.tables import Base, UtcDateTime


def render(kind: str, thing: object, _: object) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a migration must not change with the code."""
    return "sa.DateTime()" if kind == "type" and isinstance(thing, UtcDateTime) else False


def run(connection: Connection) -> None:
    # SQLite's DDL is transactional as soon as the driver leaves BEGIN to us, as `Database` makes it do.
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
        render_item=render,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(read_settings().database_url)
    with database.engine.connect() as connection, connection.begin():
        run(connection)
