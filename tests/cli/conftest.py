from __future__ import annotations

import pytest

from tests.cli.here import Here


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Give a function that runs a command: `here(home, "runs", "--json")`."""
    return Here(monkeypatch, capsys)
