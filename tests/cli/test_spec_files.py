from __future__ import annotations

from pathlib import Path

import pytest

from backend.cli.errors import CliError
from backend.cli.spec_files import read_file
from predictor.errors import SpecError
from predictor.spec import RunSpec


def write(folder: Path, text: str) -> Path:
    path = folder / "spec.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", ["", "{}", "# nothing\n"])
def test_a_file_that_says_nothing_is_the_default_spec(tmp_path: Path, text: str) -> None:
    assert read_file(write(tmp_path, text)) == [RunSpec()]


def test_a_change_goes_before_the_file_and_makes_the_way_to_its_setting(tmp_path: Path) -> None:
    path = write(tmp_path, "seed: 3\npolicy: {name: ssp, threshold: 3}\n")
    (spec,) = read_file(
        path,
        ["policy.threshold=5", "stop.target.value=0.8", "speed={kind: lognormal, factors: [1, 2, 3, 4]}", "name=a=b"],
    )
    assert (spec.seed, spec.policy.threshold, spec.name) == (3, 5, "a=b")  # type: ignore[attr-defined]
    assert spec.stop.target is not None
    assert spec.stop.target.value == 0.8
    assert list(spec.speed.factors) == [1, 2, 3, 4]  # type: ignore[attr-defined]


def test_a_wrong_setting_is_named_with_its_value_and_the_wish(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_file(write(tmp_path, "policy: {name: ssp}"), ["policy.threshold=-1"])
    assert str(caught.value) == "policy.threshold must be >= 0, got -1"


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="sed is not a known key, got 3"):
        read_file(write(tmp_path, "sed: 3"))


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        ("- 1", [], "must be an object of settings, got list"),
        ("a: [", [], "is not YAML"),
        ("run: 3", [], "'run' holds no settings"),
        ("grid: {policy: [{name: bsp}]}", ["policy.threshold=1"], "several values"),
        ("seeds: [1, 2]", ["seed=3"], "several values"),
        ("{}", ["seed"], "--set takes KEY=VALUE"),
        ("{}", ["=1"], "--set takes KEY=VALUE"),
        ("{}", ["a..b=1"], "--set takes KEY=VALUE"),
        ("{}", ["seed=["], "is not YAML"),
        ("seed: 1", ["seed.x=1"], "'seed' holds no settings"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, text: str, changes: list[str], said: str) -> None:
    with pytest.raises(CliError) as caught:
        read_file(write(tmp_path, text), changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CliError, match=r"nowhere\.yaml' cannot be read: No such file or directory\."):
        read_file(tmp_path / "nowhere.yaml")


def test_an_experiment_stands_for_its_runs_and_a_preset_for_its_experiment(tmp_path: Path) -> None:
    text = "grid: {policy.threshold: [1, 5]}\nseeds: [1, 2]\nrun: {policy: {name: ssp}}\n"
    specs = read_file(write(tmp_path, text), ["task.batch_size=16"])
    assert [(spec.policy.threshold, spec.seed) for spec in specs] == [(1, 1), (1, 2), (5, 1), (5, 2)]  # type: ignore[attr-defined]
    assert {(spec.name, spec.task.batch_size) for spec in specs} == {("spec", 16)}
    (preset,) = read_file(write(tmp_path, "title: T\nexperiment: {name: E, run: {seed: 9}, seeds: [7]}\n"))
    assert (preset.name, preset.seed) == ("E", 7)
