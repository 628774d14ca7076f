"""One warm host for all tests of a process, and runs that leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from predictor.spec import RunSpec
from tests.workers.live import LiveRun, WarmHost, spec_of


@pytest.fixture(scope="session")
def host() -> Iterator[WarmHost]:
    warm = WarmHost()
    yield warm
    warm.close()


@pytest.fixture
def new_run(host: WarmHost, tmp_path: Path) -> Iterator[Callable[..., LiveRun]]:
    """Give a function that makes a run, not started yet: `new_run(policy={"name": "asp"})` or `new_run(spec)`."""
    runs: list[LiveRun] = []

    def make(spec: RunSpec | None = None, **changes: Any) -> LiveRun:
        runs.append(LiveRun(host, tmp_path / f"run-{len(runs)}", spec or spec_of(**changes)))
        return runs[-1]

    yield make
    for run in runs:
        run.clean_up()
