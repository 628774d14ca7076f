"""Scenario files: what is read, and the sentence for what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from predictor.churn import Absence
from predictor.optimizers import MomentumOptimizer
from predictor.spec import DirichletPartition, TransferSpec
from tests.house.files import ROOT
from tests.workers.bench.scenes import SMALL, changed, scenario, write
from workers.bench.bounds import bound_jobs
from workers.bench.scenario import ScenarioError, read_scenarios

TRACE = "iteration,worker_0,worker_1\n0,1.0,2.0\n1,1.5,2.5\n"


def test_a_scenario_is_read(tmp_path: Path) -> None:
    read = scenario(tmp_path, task__partition={"dirichlet": 0.3})
    assert (read.name, read.num_workers, read.budget_s) == ("small", 4, 40)
    assert read.task.partition == DirichletPartition(0.3)
    assert read.transfer == TransferSpec(0.5, 0.0)
    assert read.evaluate_every_s == 0.5
    task = read.make_task(seed=1)
    assert (len(task.shards), len(task.samples), len(task.test_labels)) == (4, 1400, 397)
    assert [one.duration_s(0, 0.0) < 1.5 for one in read.speeds(seed=1)] == [True, True, False, False]


def test_a_jittered_transfer(tmp_path: Path) -> None:
    first, second = scenario(tmp_path, transfer_s={"transfer_s": 3, "cv": 0.5}).transfers(seed=1)[:2]
    assert first.up_s(1) != first.up_s(2) != second.up_s(2)
    assert sum(first.up_s(push) for push in range(2000)) / 2000 == pytest.approx(1.5, rel=0.1)


def test_a_shared_line_churn_and_optimizers(tmp_path: Path) -> None:
    read = scenario(
        tmp_path,
        transfer_s={"transfer_s": 0.5, "server_message_s": 0.1},
        churn=[{"worker": 2, "leaves_at_s": 4, "joins_at_s": 7}],
        task__optimizer={"momentum": 0.9},
    )
    assert read.transfer == TransferSpec(0.5, 0.0, 0.1)
    assert read.churn == (Absence(2, 4.0, 7.0),)
    assert read.task.optimizer == MomentumOptimizer(0.9)
    plain = scenario(tmp_path)
    assert (plain.transfer.server_message_s, plain.churn, plain.task.optimizer) == (0.0, (), "sgd")
    [bound] = bound_jobs([read], ["foresync", "asp"], (1,), tmp_path, has_same_terms=False)
    assert bound.scenario.transfer == TransferSpec(0.0)


def test_documents_files_and_folders_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", changed(name="two"), None, changed(name="three"))
    write(tmp_path / "a.yml", changed(name="one"))
    (tmp_path / "notes.txt").write_text("nothing of ours")
    alone = write(tmp_path / "notes", changed(name="four"))
    assert [one.name for one in read_scenarios([tmp_path, alone])] == ["one", "two", "three", "four"]


def test_the_scenarios_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for job in (1, 2, 3):
        (tmp_path / f"alibaba_job_{job}.csv").write_text(TRACE)
    monkeypatch.setenv("FORESYNC_TRACES", str(tmp_path))
    read = read_scenarios([ROOT / "benchmarks" / "scenarios"])
    assert len(read) == 48
    weak = read_scenarios([ROOT / "benchmarks" / "weak"])
    assert len(weak) == 12
    assert sum(one.transfer.server_message_s > 0 for one in weak) == 4
    assert sum(bool(one.churn) for one in weak) == 3
    assert sum(one.task.optimizer != "sgd" for one in weak) == 5
    assert {one.transfer.transfer_s for one in read} == {0.05, 0.5, 3}


def test_where_a_trace_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speed = {"kind": "trace", "path": "a.csv", "base_s": 1.0}
    elsewhere = tmp_path / "traces"
    elsewhere.mkdir()
    monkeypatch.delenv("FORESYNC_TRACES", raising=False)
    with pytest.raises(ScenarioError, match=r"speed.path must name a CSV file .*got 'a.csv'"):
        scenario(tmp_path, speed=speed)
    monkeypatch.setenv("FORESYNC_TRACES", str(elsewhere))
    (elsewhere / "a.csv").write_text(TRACE)
    assert [one.duration_s(1, 0.0) for one in scenario(tmp_path, speed=speed).speeds(seed=1)] == [1.5, 2.5, 1.5, 2.5]
    (tmp_path / "a.csv").write_text(TRACE.replace("1.5", "7"))
    assert scenario(tmp_path, speed=speed).speeds(seed=1)[0].duration_s(1, 0.0) == 7


def test_the_name_does_not_decide_about_results_and_a_trace_does(tmp_path: Path) -> None:
    speed = {"kind": "trace", "path": "a.csv", "base_s": 1.0}
    (tmp_path / "a.csv").write_text(TRACE)
    first = scenario(tmp_path, speed=speed).content()
    assert scenario(tmp_path, speed=speed, name="other").content() == first
    (tmp_path / "a.csv").write_text(TRACE.replace("1.5", "7"))
    assert scenario(tmp_path, speed=speed).content() != first


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"colour": "red"}, "colour is not a known key, got 'red'"),
        ({"task__colour": "red"}, "task.colour is not a known key, got 'red'"),
        ({"traces": {}}, "traces is not a known key"),
        ({"budget_s": None}, "budget_s is required"),
        ({"num_workers": "8"}, "num_workers must be a valid integer, got '8'"),
        ({"num_workers": 0}, "num_workers must be >= 1, got 0"),
        ({"num_workers": 2.5}, "num_workers must be a valid integer"),
        ({"task__model": "lenet5"}, "task.model must be 'mlp', got 'lenet5'"),
        ({"task__dataset": "mnist"}, "task.dataset must be 'digits' or 'teacher_student', got 'mnist'"),
        ({"task__partition": {"dirichlet": 0}}, "task.partition.dirichlet must be > 0, got 0"),
        ({"speed__kind": "warp"}, "speed.kind must be one of"),
        ({"speed__kind": "native"}, "speed"),
        ({"churn": [{"worker": 4, "leaves_at_s": 3}]}, "churn.0.worker must be <= 3, the last of the workers, got 4"),
        ({"transfer_s": {"server_message_s": -1}}, "transfer_s.server_message_s must be >= 0, got -1"),
        ({"task__optimizer": "rmsprop"}, "task.optimizer"),
        ({"speed__cv": -1}, "speed.cv must be >= 0, got -1"),
        ({"speed__base_s": "1"}, "speed.base_s must be a number, got '1'"),
        ({"speed__base_s": float("inf")}, "speed.base_s must be a number, got inf"),
        ({"speed__factors": [1, 2, 3]}, "speed.factors must have one entry, or one for each of the 4 workers"),
        ({"speed__factors": [1, 2, True, 4]}, "speed.factors.2 must be a number, got True"),
        ({"transfer_s": -1}, "transfer_s"),
        ({"transfer_s": {"transfer_s": 1, "cv": 0.1, "bandwidth": 5}}, "transfer_s.bandwidth is not a known key"),
        ({"target__metric": "train_loss"}, "target.metric must be 'test_loss' or 'test_accuracy', got 'train_loss'"),
        ({"target": {"metric": "test_accuracy", "value": 90}}, "target.value must be <= 1 for test_accuracy, got 90"),
        ({"budget_s": 0}, "budget_s must be > 0, got 0"),
        ({"budget_s": float("nan")}, "budget_s must be"),
        ({"learning_rates": []}, "learning_rates needs at least 1"),
        ({"learning_rates": [0.5, 0.2]}, "learning_rates must ascend, got [0.5, 0.2]"),
        ({"learning_rates": [0.5, -1]}, "learning_rates.1 must be > 0, got -1"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    path = write(tmp_path / "wrong.yaml", changed(name="right"), changed(**changes))
    with pytest.raises(ScenarioError) as caught:
        read_scenarios([path])
    said = str(caught.value)
    assert said.startswith(f"{path}, document 2 ('small'): {sentence}")
    assert "\n" not in said


def test_what_is_no_scenario(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, sentence in (
        (tmp_path / "missing.yaml", "cannot be read: No such file or directory."),
        (empty, "holds no scenario file"),
        (write(tmp_path / "nothing.yaml"), "holds no scenario: it needs at least one YAML document."),
        (write(tmp_path / "list.yaml", [1]), "document 1: must be an object of settings, got [1]."),
        (write(tmp_path / "twice.yaml", SMALL, SMALL), "document 2: name must not be used twice, got 'small'"),
    ):
        with pytest.raises(ScenarioError) as caught:
            read_scenarios([path])
        assert sentence in str(caught.value)
        assert str(path) in str(caught.value)
    (tmp_path / "bad.yaml").write_text("a: [1\n")
    with pytest.raises(ScenarioError, match="is not YAML"):
        read_scenarios([tmp_path / "bad.yaml"])
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ScenarioError, match="is not YAML"):
        read_scenarios([tmp_path / "bad.yaml"])
