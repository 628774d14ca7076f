"""`foresync simulate` against figures worked out by hand, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from predictor.policies import POLICIES
from tests.cli.here import Here

Simulate = Callable[..., dict[str, Any]]

ONE_AND_TWO = "iteration,worker_0,worker_1\n0,1,2\n1,1,2\n2,1,2\n"  # constant times of 1 s and 2 s


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text(ONE_AND_TWO)
    return path


@pytest.fixture
def simulated(here: Here, tmp_path: Path, trace: Path) -> Simulate:
    """Simulate the trace and give the JSON."""

    def run(*arguments: str) -> dict[str, Any]:
        answer = here(tmp_path, "simulate", "--trace", trace, "--json", *arguments)
        assert (answer.code, answer.err) == (0, "")
        figures: dict[str, Any] = json.loads(answer.out)
        return figures

    return run


def worker(number: int, compute_s: float, wait_s: float, transfer_s: float) -> Any:
    times = {"compute_s": compute_s, "wait_s": wait_s, "transfer_s": transfer_s}
    return pytest.approx({"worker": number, **times})


def test_asp_by_hand(simulated: Simulate) -> None:
    # Transfer 0.5 s: 0.25 s up, 0.25 s down; the first weights are there at 0; the last push is only sent.
    #   worker 0   computes 0-1, push arrives 1.25, answer lands 1.5; 1.5-2.5, 2.75, 3.0; 3.0-4.0, arrives 4.25
    #   worker 1   computes 0-2, 2.25, 2.5;                           2.5-4.5, 4.75, 5.0; 5.0-7.0, arrives 7.25
    # Transfer of each: 0.5 + 0.5 + 0.25. Utilisation (3 + 6) / (4.25 + 7.25).
    # Lead at the arrivals: 1.25: 1-0. 2.25: 1-1. 2.75: 2-1. 4.25: 3-1 = 2. Then worker 0 has left.
    assert simulated("--policy", "asp", "--transfer-s", "0.5") == {
        "makespan_s": pytest.approx(7.25),
        "utilisation": pytest.approx(9 / 11.5),
        "workers": [worker(0, 3, 0, 1.25), worker(1, 6, 0, 1.25)],
        "num_pushes": 6,
        "max_lead": 2,
    }


@pytest.mark.parametrize("policy", [["bsp"], ["ssp", "--set", "threshold=0"]])
def test_bsp_by_hand(simulated: Simulate, policy: list[str]) -> None:
    # Worker 1 never waits, as above: it is the slowest. Worker 0 waits for it at the server:
    #   round 1   arrives 1.25, released with worker 1's arrival at 2.25 (wait 1.0), lands 2.5
    #   round 2   2.5-3.5, arrives 3.75, released 4.75 (wait 1.0), lands 5.0
    #   round 3   5.0-6.0, arrives 6.25 and leaves
    # Transfer of each 1.25. Utilisation (3 + 6) / (6.25 + 7.25) = 2/3.
    assert simulated("--policy", *policy, "--transfer-s", "0.5") == {
        "makespan_s": pytest.approx(7.25),
        "utilisation": pytest.approx(9 / 13.5),
        "workers": [worker(0, 3, 2, 1.25), worker(1, 6, 0, 1.25)],
        "num_pushes": 6,
        "max_lead": 1,
    }


def test_ssp_by_hand(simulated: Simulate) -> None:
    # Threshold 1, four iterations (the rows are used again). As under asp up to the arrivals of worker 0 at 1.25 and
    # 2.75. At 4.25 its clock is 3, the other's 1: 3 - 1 > 1, it waits. At 4.75 worker 1's clock is 2: released
    # (wait 0.5), lands 5.0, computes 5.0-6.0, arrives 6.25.
    #   worker 1   as under asp up to the arrival at 7.25, lands 7.5, computes 7.5-9.5, arrives 9.75
    # Transfer of each 3 x 0.5 + 0.25. Utilisation (4 + 8) / (6.25 + 9.75). Lead at 4.25: 3-1 = 2 = threshold + 1.
    figures = simulated("--policy", "ssp", "--set", "threshold=1", "--transfer-s", "0.5", "--iterations", "4")
    assert figures == {
        "makespan_s": pytest.approx(9.75),
        "utilisation": pytest.approx(12 / 16),
        "workers": [worker(0, 4, 0.5, 1.75), worker(1, 8, 0, 1.75)],
        "num_pushes": 8,
        "max_lead": 2,
    }


def test_who_has_left_is_neither_awaited_nor_idle(here: Here, tmp_path: Path) -> None:
    # bsp without transfer: rounds end at 1.0 and 2.0; the third push of worker 1 comes at 3.0, of worker 0 at 12.0.
    # Waits: worker 0 0.5 + 0.25, worker 1 none. Life: 12 and 3; utilisation (0.5 + 0.75 + 10 + 3) / 15.
    path = tmp_path / "trace.csv"
    path.write_text("iteration,worker_0,worker_1\n0,0.5,1\n1,0.75,1\n2,10,1\n")
    figures = json.loads(here(tmp_path, "simulate", "--trace", path, "--json", "--policy", "bsp").out)
    assert figures["makespan_s"] == pytest.approx(12.0)
    assert figures["workers"] == [worker(0, 11.25, 0.75, 0), worker(1, 3, 0, 0)]
    assert figures["utilisation"] == pytest.approx(14.25 / 15)
    assert figures["max_lead"] == 1


def test_seconds_of_the_trace_and_fewer_iterations(simulated: Simulate) -> None:
    figures = simulated("--policy", "bsp", "--base-s", "0.1", "--iterations", "2")
    assert figures["makespan_s"] == pytest.approx(0.4)
    assert [one["compute_s"] for one in figures["workers"]] == pytest.approx([0.2, 0.4])
    assert figures["num_pushes"] == 4


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_every_policy_adds_up(simulated: Simulate, policy: str) -> None:
    figures = simulated("--policy", policy, "--transfer-s", "0.5", "--iterations", "20", "--forecaster", "last_value")
    assert [one["compute_s"] for one in figures["workers"]] == pytest.approx([20, 40])
    walls_s = [one["compute_s"] + one["wait_s"] + one["transfer_s"] for one in figures["workers"]]
    assert max(walls_s) == pytest.approx(figures["makespan_s"])
    assert figures["utilisation"] == pytest.approx(60 / sum(walls_s))
    assert 2 <= figures["num_pushes"] <= 40


def test_parameters_reach_the_policy(simulated: Simulate) -> None:
    arguments = ("--policy", "ssp", "--iterations", "30", "--set")
    assert [simulated(*arguments, f"threshold={threshold}")["max_lead"] for threshold in (1, 4, 9)] == [2, 5, 10]


def test_the_table_is_for_people(here: Here, tmp_path: Path, trace: Path) -> None:
    answer = here(tmp_path, "simulate", "--trace", trace, "--policy", "bsp", "--transfer-s", "0.5")
    assert answer.code == 0
    assert "bsp: makespan 7.250 s, utilisation 66.7 %, 6 pushes, largest lead 1 (simulated)" in answer.out
    assert ["0", "3", "3.000", "2.000", "1.250", "6.250", "48.0", "%"] in [
        row.split() for row in answer.out.splitlines()
    ]


KNOWN = f"must be one of {', '.join(map(repr, POLICIES))}, got 'fly'"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--policy", "fly"], f"policy.name {KNOWN}"),
        (["--policy", "ssp", "--set", "treshold=1"], "policy.treshold is not a known key, got 1"),
        (["--policy", "bsp", "--set", "threshold=1"], "policy.threshold is not a known key, got 1"),
        (["--policy", "ssp", "--set", "threshold=-1"], "policy.threshold must be >= 0, got -1"),
        (["--policy", "ssp", "--set", "threshold"], "--set takes KEY=VALUE with a parameter of the policy,"),
        (["--policy", "ssp", "--set", "name=bsp"], "--set takes KEY=VALUE with a parameter of the policy,"),
        (["--policy", "ssp", "--set", "threshold=[1"], "The value of --set 'threshold=[1' is not YAML: "),
        (["--policy", "bsp", "--iterations", "0"], "iterations must be >= 1, got '0'"),
        (["--policy", "bsp", "--base-s", "0"], "base_s must be > 0, got '0'"),
        (["--policy", "bsp", "--base-s", "fast"], "base_s must be a valid number,"),
        (["--policy", "bsp", "--transfer-s", "-1"], "transfer_s must be >= 0, got '-1'"),
        (["--policy", "bsp", "--transfer-s", "nan"], "transfer_s must be a finite number, got 'nan'"),
        (["--policy", "bsp", "--forecaster", "sage"], "forecaster.name must be one of 'ewma', "),
    ],
)
def test_what_cannot_be_used_is_2(here: Here, tmp_path: Path, trace: Path, arguments: list[str], sentence: str) -> None:
    answer = here(tmp_path, "simulate", "--trace", trace, "--json", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"foresync: {sentence}")
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory."),
        (b"", "trace must hold the names iteration, worker_0, ... in line 1"),
        (b"step,worker_0\n0,1\n", "trace must hold the names iteration, worker_0, ... in line 1"),
        (b"iteration,worker_0\n", "trace must hold the first iteration in line 2"),
        (b"iteration,worker_0\n0,1\n1,fast\n", "trace must hold a number as worker_0 in line 3 (there is 'fast')"),
        (b"iteration,worker_0\n0,0\n", "trace must hold a number > 0 as worker_0 in line 2 (there is '0')"),
        (b"iteration,worker_0\n0,1,2\n", "trace must hold 2 values in line 2 (there is '3 values')"),
        (b"\xff\xfe\x00", "is not text: "),
    ],
)
def test_a_trace_that_cannot_be_used_is_2(here: Here, tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "broken.csv"
    if content is not None:
        path.write_bytes(content)
    answer = here(tmp_path, "simulate", "--trace", path, "--policy", "bsp", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err
    assert "broken.csv" in answer.err
    assert answer.err.count("\n") == 1


def test_no_trace_is_a_wrong_use(here: Here, tmp_path: Path) -> None:
    assert here(tmp_path, "simulate", "--policy", "bsp").code == 2
