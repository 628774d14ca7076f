"""Experiments as files: what is exported can be imported again, and be run from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import presets
from backend.cli.spec_files import read_file
from backend.spec_text import read_text, write_text
from predictor.spec import expand, read_experiment, read_run, to_data
from tests.api.server import Server

GRID = {"name": "A: b", "run": {"task": {"batch_size": 16}}, "grid": {"policy": [{"name": "bsp"}]}, "seeds": [1, 2]}


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_written_is_read_again(form: Any, tmp_path: Path) -> None:
    for spec in [read_experiment(GRID), *(preset.experiment for preset in presets.presets())]:
        text = write_text(spec, form)
        assert expand(read_text(text)) == expand(spec)
        path = tmp_path / "spec"
        path.write_text(text)
        assert read_file(path) == expand(spec)  # as `foresync run FILE` reads it


def test_a_single_run_is_written_as_one() -> None:
    spec = read_experiment({"name": "One", "run": {"policy": {"name": "asp"}}, "seeds": [4]})
    data = json.loads(write_text(spec, "json"))
    assert data == {"name": "One", "policy": {"name": "asp"}, "seed": 4}
    assert read_run(data) == expand(spec)[0]


def test_files_over_http(quiet_server: Server) -> None:
    written = quiet_server.http.post("/experiments/write", json={"experiment": GRID})
    assert written.headers["content-type"].startswith("text/plain")
    assert written.text.startswith("name: 'A: b'\n")
    read = quiet_server.http.post("/experiments/read", json={"text": written.text})
    assert read.status_code == 200
    assert read.json() == to_data(read_experiment(GRID))


@pytest.mark.parametrize(
    ("text", "field", "wish"),
    [
        ("", "text", "must be an object of settings"),
        ("- 1", "text", "must be an object of settings"),
        ("a: [", "text", "must be YAML or JSON"),
        ("a: &x [1]\nb: *x", "text", "must not use aliases"),
        ("a: 2026-13-45", "text", "must be YAML or JSON that can be read"),
        ("!!python/object/apply:os.system ['x']", "text", "must be YAML or JSON"),
        ("[" * 5_000, "text", "may be nested 32 deep at most"),
        ("policy: {name: ssp, threshold: -1}", "policy.threshold", "must be >= 0"),
        ("polcy: {name: ssp}", "polcy", "is not a known key"),
        ("x" * 300_000, "text", ""),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(quiet_server: Server, text: str, field: str, wish: str) -> None:
    answer = quiet_server.http.post("/experiments/read", json={"text": text})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["wish"].startswith(wish)
