"""`foresync bench sync` hands over to the workers, and passes their exit code on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.here import Here
from tests.cli.program import foresync

SMALL = """
name: small
num_workers: 2
task: {model: mlp, dataset: digits, batch_size: 16, partition: iid}
speed: {kind: lognormal, base_s: 1.0, factors: [1, 3], cv: 0.1}
transfer_s: 0.5
target: {metric: test_loss, value: 1.5}
budget_s: 20
learning_rates: [0.4]
"""


def test_the_results_are_written_and_the_table_is_printed(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    words = ("--scenarios", tmp_path / "small.yaml", "--policies", "foresync,bsp", "--seeds", "1,2")
    done = foresync(tmp_path / "home", "bench", "sync", *words, "--out", tmp_path / "out.json", "--jobs", "1")
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((tmp_path / "out.json").read_text())
    assert [cell["policy"] for cell in results["cells"]] == ["foresync", "bsp"]
    assert done.stdout.startswith("2 cells: 1 scenarios, 2 policies; 0 are cached.")
    assert "foresync / best tuned peer, geometric mean of 1 scenarios" in done.stdout
    assert list((tmp_path / "home" / "bench").glob("*/*.json"))


def test_what_cannot_be_used_ends_with_2_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL.replace("budget_s: 20", "budget_s: -1"))
    for words, sentence in (
        (("--policies", "nothing"), "policies must be among "),
        ((), f"{tmp_path / 'small.yaml'}, document 1 ('small'): budget_s must be > 0, got -1."),
    ):
        done = foresync(tmp_path / "home", "bench", "sync", "--scenarios", tmp_path / "small.yaml", *words)
        assert done.returncode == 2
        assert done.stderr.startswith(f"foresync: {sentence}")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("bench", "sync", "--help"), 0, "--scenarios PATH"),
        (("bench", "--help"), 0, "sync"),
        (("bench",), 2, ""),
        (("bench", "sync"), 2, ""),
    ],
)
def test_help_and_wrong_words(here: Here, tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    answer = here(tmp_path / "home", *words)
    assert answer.code == code
    assert said in answer.out
    assert bool(answer.err) == (code == 2)
