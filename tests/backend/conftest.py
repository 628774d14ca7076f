from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.backend.checks", "tests.backend.desk")

from tests.backend.databases import (  # noqa: E402 - after the line above, which must come first
    database,
    database_url,
    empty_url,
    migrated_postgres,
    postgres_server,
    postgres_url,
    sqlite_template,
)
from tests.backend.desk import desk  # noqa: E402

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
