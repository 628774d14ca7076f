"""A command in this process, where starting another one would add nothing but time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.cli.main import main


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


class Here:
    """Calls `foresync` as a user who has set FORESYNC_HOME and nothing else of ours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, home: Path, *arguments: str | Path) -> Answer:
        self._monkeypatch.setenv("FORESYNC_HOME", str(home))
        for name in ("FORESYNC_TOKEN", "FORESYNC_URL", "FORESYNC_DATABASE_URL"):
            self._monkeypatch.delenv(name, raising=False)
        try:
            code = main([str(one) for one in arguments])
        except SystemExit as end:  # argparse
            code = int(str(end.code))
        printed = self._capsys.readouterr()
        return Answer(code, printed.out, printed.err)
