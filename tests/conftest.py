"""For all tests: a failed assertion in a helper module tells its values, as one in a test does."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDERS = sorted(path.name for path in Path(__file__).parent.iterdir() if path.is_dir() and path.name.isidentifier())

pytest.register_assert_rewrite(*(f"tests.{name}" for name in FOLDERS))
