"""`foresync replay`: of a directory and of a run of a server; exactly, and under another policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.client import Client
from predictor import log
from predictor.events import Event, WorkerReleased
from predictor.simulator import scenario_of, simulate
from predictor.spec import read_run, to_data
from predictor.what_if import ABOUT_LOSS
from tests.cli.here import Here
from tests.cli.program import LIMIT_S, serving

SPEC = {
    "cluster": {"num_workers": 2},
    "policy": {"name": "ssp", "threshold": 1},
    "speed": {"kind": "lognormal", "base_s": 1.0, "factors": [1, 2], "cv": 0},
    "transfer": {"transfer_s": 0.5},
    "stop": {"iterations": 4, "seconds": None},
}


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """Give the directory of the run that tests/cli/test_simulate.py works out by hand: ssp, threshold 1, K = 4."""
    return write(tmp_path / "run", SPEC)


def write(path: Path, data: dict[str, Any]) -> Path:
    spec = read_run(data)
    events: list[Event] = []
    simulate(scenario_of(spec, str), events.append)
    path.mkdir()
    (path / "spec.json").write_text(json.dumps(to_data(spec)))
    lines = [log.with_seq(log.encode(event), seq) for seq, event in enumerate(events, 1)]
    (path / "events.jsonl").write_bytes(b"".join(lines))
    return path


def test_an_honest_log_is_the_same_and_0(here: Here, tmp_path: Path, run_dir: Path) -> None:
    answer = here(tmp_path, "replay", run_dir)
    assert (answer.code, answer.err) == (0, "")
    # 2 joins, 8 pushes, 2 leaves; 2 + 6 releases and what is held and applied
    assert answer.out.startswith("The same: 12 recorded stimuli give a fresh ssp gate exactly the ")
    report = json.loads(here(tmp_path, "replay", run_dir, "--json").out)
    assert (report["is_same"], report["num_stimuli"], report["seq"], report["difference"]) == (True, 12, None, None)


def test_a_tampered_log_is_different_and_1(here: Here, tmp_path: Path, run_dir: Path) -> None:
    path = run_dir / "events.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if b"leads by" in line)
    lines[place] = lines[place].replace(b"leads by", b"trails by")
    path.write_bytes(b"".join(lines))
    answer = here(tmp_path, "replay", run_dir)
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.startswith(f"Different at seq {place + 1}, after ")
    assert "reason of WorkerReleased is 'trails by" in answer.out
    report = here(tmp_path, "replay", run_dir, "--json")
    assert report.code == 1
    assert json.loads(report.out)["seq"] == place + 1


def test_under_another_policy(here: Here, tmp_path: Path, run_dir: Path) -> None:
    # bsp, by hand as in test_simulate.py, one round more: worker 0 waits 1.0 s three times, its last push arrives
    # at 8.75; worker 1's at 9.75. Utilisation (4 + 8) / (8.75 + 9.75).
    answer = here(tmp_path, "replay", run_dir, "--policy", "bsp", "--json")
    assert (answer.code, answer.err) == (0, "")
    data = json.loads(answer.out)
    assert data["policies"] == {"recorded": {"name": "ssp", "threshold": 1}, "predicted": {"name": "bsp"}}
    recorded, predicted = data["recorded"], data["predicted"]
    assert (recorded["label"], predicted["label"]) == ("simulated", "predicted")
    for figures, wait_s, wall_s, lead in ((recorded, 0.5, 6.25 + 9.75, 2), (predicted, 3.0, 8.75 + 9.75, 1)):
        assert figures["makespan_s"] == pytest.approx(9.75)
        assert figures["wait_s"] == pytest.approx(wait_s)
        assert figures["wait_share"] == pytest.approx(wait_s / wall_s)
        assert figures["utilisation"] == pytest.approx(12 / wall_s)
        assert (figures["num_iterations"], figures["num_pushes"], figures["max_lead"]) == (8, 8, lead)
    assert predicted["mean_staleness"] == predicted["p95_staleness"] == predicted["max_staleness"] == 0
    assert data["num_extrapolated"] == 0
    assert data["notes"] == [ABOUT_LOSS]


def test_the_table_labels_both_columns(here: Here, tmp_path: Path, run_dir: Path) -> None:
    answer = here(tmp_path, "replay", run_dir, "--policy", "bsp")
    assert answer.code == 0
    lines = answer.out.splitlines()
    rows = {line[:26].strip(): line[26:].split() for line in lines}
    assert any("ssp (simulated)" in line and "bsp (predicted)" in line for line in lines)
    assert rows["makespan"] == ["9.8", "s", "9.8", "s"]
    assert rows["waiting of all workers"] == ["0.5", "s", "3.0", "s"]
    assert rows["lead, largest"] == ["2", "1"]
    assert lines[-1] == ABOUT_LOSS


def test_a_change_alone_is_one_of_the_recorded_policy(here: Here, tmp_path: Path, run_dir: Path) -> None:
    data = json.loads(here(tmp_path, "replay", run_dir, "--set", "threshold=0", "--json").out)
    assert data["policies"]["predicted"] == {"name": "ssp", "threshold": 0}
    assert data["predicted"]["max_lead"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--policy", "fly"], "policy.name must be one of "),
        (["--policy", "bsp", "--set", "threshold=1"], "policy.threshold is not a known key, got 1"),
        (["--set", "threshold=-1"], "policy.threshold must be >= 0, got -1"),
        (["--set", "threshold"], "--set takes KEY=VALUE "),
    ],
)
def test_a_policy_that_cannot_be_used_is_2(
    here: Here, tmp_path: Path, run_dir: Path, arguments: list[str], sentence: str
) -> None:
    answer = here(tmp_path, "replay", run_dir, *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"foresync: {sentence}")


def test_a_directory_that_cannot_be_used_is_2(here: Here, tmp_path: Path, run_dir: Path) -> None:
    def said(run: Path, *arguments: str) -> str:
        answer = here(tmp_path, "replay", run, *arguments)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
        return answer.err

    assert "There is no directory of a run at" in said(tmp_path / "nowhere")
    assert "is not the directory of a run: spec.json: No such file" in said(tmp_path)
    events = run_dir / "events.jsonl"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join([*lines[:4], b"{torn\n", *lines[4:]]))
    assert "The log cannot be read further: events.jsonl, byte" in said(run_dir)
    assert "The log cannot be read further: events.jsonl, byte" in said(run_dir, "--policy", "bsp")
    events.write_bytes(lines[0])
    assert "nothing to replay" in said(run_dir)
    assert "cannot be simulated: the log holds no finished iteration" in said(run_dir, "--policy", "bsp")
    events.unlink()
    assert "events.jsonl is missing" in said(run_dir)
    (run_dir / "spec.json").write_text("{")
    assert "spec.json' cannot be used: " in said(run_dir)
    (run_dir / "spec.json").write_text('{"policy": {"name": "fly"}}')
    assert "spec.json' cannot be used: policy.name must be one of " in said(run_dir)


def test_a_torn_last_line_is_not_there_yet(here: Here, tmp_path: Path, run_dir: Path) -> None:
    with (run_dir / "events.jsonl").open("ab") as file:
        file.write(b'{"seq": 99')
    assert here(tmp_path, "replay", run_dir).code == 0


def test_a_run_of_a_server(here: Here, tmp_path: Path) -> None:
    live = {
        **SPEC,
        "speed": {"kind": "lognormal", "base_s": 0.01, "factors": [1, 2]},
        "transfer": {"transfer_s": 0.02},
        "stop": {"iterations": 20, "seconds": None},
    }
    with serving(tmp_path) as (_, url):
        base = url.partition("?")[0]
        with Client(url) as client:
            experiment = client.submit({"name": "short", "run": live})
            assert client.wait(experiment.id, timeout_s=LIMIT_S).num_done == 1
            [run_id] = experiment.run_ids
            num_released = sum(1 for _ in client.events(run_id, kinds=[WorkerReleased.__name__]))
        exact = here(tmp_path, "replay", run_id, "--url", base, "--json")
        predicted = here(tmp_path, "replay", run_id, "--url", base, "--policy", "bsp", "--json")
        missing = here(tmp_path, "replay", "0" * len(run_id), "--url", base)
    assert (exact.code, exact.err) == (0, "")
    assert json.loads(exact.out)["is_same"]
    assert json.loads(exact.out)["num_instructions"] > num_released > 20
    assert (predicted.code, predicted.err) == (0, "")
    data = json.loads(predicted.out)
    assert (data["recorded"]["label"], data["recorded"]["num_iterations"]) == ("measured", 40)
    assert (data["predicted"]["num_iterations"], data["predicted"]["max_lead"]) == (40, 1)
    assert missing.code == 1
    assert (tmp_path / "runs" / run_id).is_dir()
