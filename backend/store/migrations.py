"""Where the migrations lie, and how they are run from code.

In a checkout they are the folder `alembic/` of the root; in a wheel the same folder travels as
`backend/migrations/` (see `force-include` in pyproject.toml), so that `foresync serve` upgrades by itself.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from backend.errors import StoreError

ADVISORY_LOCK = 0x464F5245  # "FORE": one upgrade at a time on a shared Postgres


def folder() -> Path:
    """Give the folder of the migrations."""
    package = Path(__file__).resolve().parent.parent
    travelled = package / "migrations"
    return travelled if travelled.is_dir() else package.parent / "alembic"


def config(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration; `env.py` runs on `connection` when there is one."""
    made = Config()
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, inside the connection's transaction.

    Raises:
        StoreError: the database is at a revision that this program does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    unknown = current(connection) - known
    if unknown:
        raise StoreError(
            f"The database is at revision {min(unknown)!r}, which a newer Foresync made; "
            "install that version, or use another home or database."
        )
    command.upgrade(config(connection), "head")


def current(connection: Connection) -> set[str]:
    """Give the revision at which the database is; empty when it is new."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return set()
    return set(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())
