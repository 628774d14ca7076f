"""`foresync demo` without a terminal: two real runs, a table, and nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from tests.cli.program import PROGRAM, environment

LIMIT_S = 240


@pytest.mark.timeout(LIMIT_S + 30)
def test_the_demonstration_ends_in_a_comparison_of_its_two_runs(tmp_path: Path) -> None:
    process = psutil.Popen(
        [*PROGRAM, "demo"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    output, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    lines = output.splitlines()
    rows = {line[:26].strip(): line[26:].split() for line in lines if line.startswith(" ")}
    assert rows["state"] == ["completed", "completed"]
    assert set(rows) >= {"final accuracy", "utilisation", "bytes sent and received"}
    assert [f"waiting of worker {worker}" in rows for worker in range(4)] == [True] * 4
    ssp, predictive = (sum(float(rows[f"waiting of worker {worker}"][i]) for worker in range(4)) for i in (0, 2))
    assert predictive < ssp, output
    assert lines[-1].startswith("The dashboard: http://127.0.0.1:")
    assert "?token=" in lines[-1]
    assert [
        one for one in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(one.info["cmdline"] or [])
    ] == []
