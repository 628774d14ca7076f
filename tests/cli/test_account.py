"""`foresync account`: of a directory and of a run of a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.api.account_models import Account
from tests.cli.here import Here
from tests.cli.program import LIMIT_S, serving
from tests.cli.test_replay import SPEC, write


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return write(tmp_path / "run", SPEC)


def test_a_directory_is_accounted_for_in_sentences_and_tables(here: Here, tmp_path: Path, run_dir: Path) -> None:
    answer = here(tmp_path, "account", run_dir)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith("Workers spent ")
    assert lines[0].endswith("all of it for worker 1.")
    for text in ("Where the time went (simulated)", "waiting for others", "unaccounted", "worker 0 waited", "applied"):
        assert text in answer.out
    assert "waits for worker 1: leads by 2, threshold 1" in answer.out


def test_the_json_is_the_answer_of_the_api(here: Here, tmp_path: Path, run_dir: Path) -> None:
    answer = here(tmp_path, "account", run_dir, "--json")
    account = Account.model_validate_json(answer.out)
    assert account.run_id == "run"
    assert [row.wall_s for row in account.workers] == [
        pytest.approx(sum(row.parts.model_dump().values())) for row in account.workers
    ]


def test_a_run_that_goes_on_says_so(here: Here, tmp_path: Path, run_dir: Path) -> None:
    path = run_dir / "events.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:12]))
    assert "The run has not ended: this is its account up to " in here(tmp_path, "account", run_dir).out
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert here(tmp_path, "account", run_dir).out.splitlines()[0] == "No worker has joined yet."


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.unlink(), "events.jsonl is missing"),
        (lambda path: path.write_bytes(b"no event\n"), "The log cannot be read further"),
    ],
)
def test_a_bad_log_is_one_sentence_and_2(here: Here, tmp_path: Path, run_dir: Path, spoil, said: str) -> None:
    spoil(run_dir / "events.jsonl")
    answer = here(tmp_path, "account", run_dir)
    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_directory_that_is_not_there(here: Here, tmp_path: Path) -> None:
    answer = here(tmp_path, "account", tmp_path / "nowhere" / "run")
    assert (answer.code, answer.err.count("\n")) == (2, 1)


def test_a_run_of_a_server(here: Here, tmp_path: Path, run_dir: Path) -> None:
    from backend.client import Client

    spec = {**SPEC, "name": "by server", "cluster": {"num_workers": 2, "launcher": "virtual"}}
    with serving(tmp_path / "home") as (_, url), Client(url) as client:
        experiment = client.submit({"name": "one", "run": spec})
        client.wait(experiment.id, timeout_s=LIMIT_S)
        [run_id] = experiment.run_ids
        answer = here(tmp_path / "home", "account", run_id, "--url", url, "--json")
        assert json.loads(answer.out)["run_id"] == run_id
        unknown = here(tmp_path / "home", "account", "0000000000000000", "--url", url)
        assert (unknown.code, unknown.err.count("\n")) == (1, 1)
