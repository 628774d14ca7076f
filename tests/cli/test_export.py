"""`foresync export` and `foresync report`: of directories and of runs of a server."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from backend.client import Client
from tests.cli.here import Here
from tests.cli.program import serving
from tests.cli.test_replay import SPEC, write


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return write(tmp_path / "run", SPEC)


def test_a_directory_needs_no_server(here: Here, tmp_path: Path, run_dir: Path) -> None:
    out = tmp_path / "iterations.csv"
    answer = here(tmp_path, "export", run_dir, "--format", "csv", "--table", "iterations", "--out", out)
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    rows = list(csv.DictReader(out.open()))
    assert [(row["worker"], row["compute_s"]) for row in rows].count(("1", "2.0")) == 4
    assert len(rows) == 8
    lines = tmp_path / "events.jsonl"
    assert here(tmp_path, "export", run_dir, "--format", "jsonl", "--out", lines).code == 0
    written = (run_dir / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines.read_text().splitlines()] == [json.loads(line) for line in written]


def test_a_report_of_one_run_and_of_several(here: Here, tmp_path: Path, run_dir: Path) -> None:
    out = tmp_path / "report.html"
    answer = here(tmp_path, "report", run_dir, "--out", out)
    assert answer.code == 0
    assert answer.out.startswith(f"Wrote {out} (")
    assert out.stat().st_mode & 0o777 == 0o666 & ~_umask()
    page = out.read_text()
    assert "ssp (threshold 1)" in page
    assert "All times are virtual: simulated" in page
    other = write(tmp_path / "other", {**SPEC, "policy": {"name": "bsp"}})
    assert here(tmp_path, "report", run_dir, other, "--out", out).code == 0
    assert "<h1>2 runs compared</h1>" in out.read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["report.html"]


def _umask() -> int:
    import os

    umask = os.umask(0)
    os.umask(umask)
    return umask


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["RUN", "--format", "html", "--table", "nodes"],
            "table does not go with format=html, which holds the whole run",
        ),
        (["RUN", "--format", "csv", "--kinds", "Nothing"], "kinds must be among "),
        (["RUN", "RUN", "--format", "perfetto"], "Several runs are exported as one of csv, json, parquet, html"),
        (["RUN", "RUN", "--format", "csv", "--table", "nodes"], "--table and --kinds are for one run"),
        (
            ["RUN", "0000000000000000", "--format", "csv"],
            "Name runs either all by their directories or all by their ids",
        ),
        (["no/where", "--format", "csv"], "There is no directory of a run at 'no/where'."),
    ],
)
def test_what_cannot_be_used_is_2(
    here: Here, tmp_path: Path, run_dir: Path, arguments: list[str], sentence: str
) -> None:
    out = tmp_path / "file"
    asked = [str(run_dir) if one == "RUN" else one for one in arguments]
    answer = here(tmp_path, "export", *asked, "--out", out)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    assert answer.err.startswith(f"foresync: {sentence}")
    assert not out.exists()


def test_a_file_is_there_only_when_it_is_whole(here: Here, tmp_path: Path, run_dir: Path) -> None:
    out = tmp_path / "events.jsonl"
    out.write_text("before")
    with (run_dir / "events.jsonl").open("ab") as file:
        file.write(b"{broken\n")
    answer = here(tmp_path, "export", run_dir, "--format", "jsonl", "--out", out)
    assert answer.code == 1
    assert "The log cannot be read further: events.jsonl, byte" in answer.err
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["events.jsonl"]
    whole = write(tmp_path / "whole", SPEC)
    nowhere = here(tmp_path, "export", whole, "--format", "jsonl", "--out", tmp_path / "no" / "file")
    assert (nowhere.code, nowhere.out) == (2, "")
    assert nowhere.err.endswith("cannot be written: No such file or directory.\n")


def test_runs_of_a_server(here: Here, tmp_path: Path) -> None:
    home = tmp_path / "home"
    virtual = {**SPEC, "cluster": {"num_workers": 2, "launcher": "virtual"}}
    with serving(home) as (_, url), Client(url) as client:
        experiment = client.wait(client.submit({"name": "two", "run": virtual, "seeds": [1, 2]}).id, timeout_s=120)
        first, second = experiment.run_ids
        table, report = tmp_path / "runs.csv", tmp_path / "report.html"
        asked = ("export", first, second, "--format", "csv", "--out", table, "--url", url)
        assert here(home, *asked).code == 0
        assert [row["id"] for row in csv.DictReader(table.open())] == [first, second]
        assert here(home, "report", first, "--out", report, "--url", url).code == 0
        assert first in report.read_text()
        unknown = here(home, "export", "0" * 16, "--format", "csv", "--out", tmp_path / "x", "--url", url)
        assert (unknown.code, unknown.err) == (1, "foresync: There is no run '0000000000000000'.\n")
        wrong = here(home, "export", first, "--format", "json", "--kinds", "No", "--out", tmp_path / "x", "--url", url)
        assert wrong.err.startswith("foresync: kinds must be among ")
        assert not (tmp_path / "x").exists()
