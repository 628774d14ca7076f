from __future__ import annotations

from tests.backend.databases import (
    database,
    database_url,
    empty_url,
    migrated_postgres,
    postgres_server,
    postgres_url,
    sqlite_template,
)
from tests.backend.desk import desk

__all__ = [
    "database",
    "database_url",
    "desk",
    "empty_url",
    "migrated_postgres",
    "postgres_server",
    "postgres_url",
    "sqlite_template",
]
