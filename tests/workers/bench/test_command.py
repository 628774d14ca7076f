"""Small cells from the command line to the results, against direct simulations."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predictor.forecasters import EwmaParams
from predictor.policies import POLICIES
from predictor.simulator import Scenario as VirtualScenario
from predictor.simulator import simulate
from predictor.speeds import LognormalParams, Transfer
from tests.workers.bench.scenes import changed, scenario, write
from workers.__main__ import _parser
from workers.bench import cells as module
from workers.bench import command
from workers.bench.cells import Contestant
from workers.bench.peers import GRIDS, PEERS, grid_of
from workers.bench.tasks import make_task
from workers.bench.trainer import GridTrainer

Results = dict[str, Any]
Bench = Callable[..., int]

CELL_KEYS = {
    *("scenario", "policy", "params", "learning_rate", "time_to_target_s", "num_reached", "utilisation"),
    *("final_metric", "final_per_seed", "pushes_per_iteration", "cpu_s", "bytes"),
}
SUMMARY_KEYS = {"vs_best_peer_geomean", "vs_best_ssp_geomean", "worst_cell", "by_transfer"}


def options(*words: object) -> argparse.Namespace:
    return _parser().parse_args(["bench-sync", *map(str, words)])


def bench(folder: Path, *words: object, out: str = "out.json", cache: str = "cache") -> Results:
    """Run two policies in the small scenario; give what was written."""
    path = write(folder / "small.yaml", changed())
    common = ("--scenarios", path, "--cache", folder / cache, "--out", folder / out, "--jobs", 1)
    chosen = () if "--policies" in words else ("--policies", "foresync,asp")
    assert command.main(options(*common, *chosen, *words)) == 0
    results: Results = json.loads((folder / out).read_text())
    return results


def without_cpu(results: Results) -> Results:
    return {**results, "cells": [{**cell, "cpu_s": None} for cell in results["cells"]]}


def test_the_results_have_the_keys_that_others_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = bench(tmp_path, "--policies", "foresync,ssp", "--seeds", "1,2,5")
    assert set(results) == {"cells", "summary"}
    assert [cell["policy"] for cell in results["cells"]] == ["foresync", "ssp"]
    for cell in results["cells"]:
        assert set(cell) == CELL_KEYS
        assert cell["scenario"] == "small"
        times = cell["time_to_target_s"]
        assert set(times) == {"mean", "ci95", "per_seed"}
        assert len(times["per_seed"]) == 3
        assert times["mean"] == pytest.approx(sum(times["per_seed"]) / 3)
        assert times["ci95"][0] <= times["mean"] <= times["ci95"][1]
        assert 0 < cell["utilisation"] <= 1
        assert 0 < cell["pushes_per_iteration"] <= 1
        assert cell["final_metric"] < 1.7
    assert results["cells"][1]["params"].keys() == {"threshold"}
    assert set(results["summary"]) >= SUMMARY_KEYS
    assert set(results["summary"]["worst_cell"]) == {"scenario", "ratio"}
    assert set(results["summary"]["by_transfer"]) == {"0.5"}
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("2 cells: 1 scenarios, 2 policies; 0 are cached. About ")
    assert "[2/2] small" in printed[2]
    assert any("best peer ssp" in line for line in printed)


def test_the_bound_is_asp_where_nothing_travels_and_no_peer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = bench(tmp_path, "--policies", "foresync,asp", "--seeds", "1,2")
    assert [cell["policy"] for cell in results["cells"]] == ["foresync", "asp"], "the bound is not among the cells"
    [one] = results["summary"]["ratios"]
    free = write(tmp_path / "free.yaml", changed(transfer_s=0.0))
    alone = ("--scenarios", free, "--cache", tmp_path / "free", "--out", tmp_path / "free.json", "--jobs", 1)
    assert command.main(options(*alone, "--policies", "foresync,asp", "--seeds", "1,2")) == 0
    without = json.loads((tmp_path / "free.json").read_text())
    assert one["bound_s"] == without["cells"][1]["time_to_target_s"]["mean"]
    ours_s, asp_s = (cell["time_to_target_s"]["mean"] for cell in results["cells"])
    assert one["gap_closed"] == pytest.approx((asp_s - ours_s) / (asp_s - one["bound_s"]))
    assert "bound_s" not in without["summary"]["ratios"][0], "nothing is bounded where nothing travels anyway"
    for cell in results["cells"]:
        assert cell["final_metric"] == pytest.approx(sum(cell["final_per_seed"]) / 2)
    assert one["is_final_above"] in (True, False)
    printed = capsys.readouterr().out
    assert "3 cells: 1 scenarios, 2 policies, 1 bounds; 0 are cached." in printed
    assert "bound on throughput (nobody idle, nothing travels)" in printed
    assert "final test loss above the best peer's by more than its 95% interval" in printed


def test_a_cell_is_what_a_direct_simulation_gives(tmp_path: Path) -> None:
    cell = bench(tmp_path, "--policies", "asp", "--seeds", "1,2")["cells"][0]
    times, num_messages = [], 0
    for seed in (1, 2):
        speed = LognormalParams(base_s=1.0, factors=(1, 1, 2, 4), cv=0.1)
        task = make_task("digits", "iid", batch_size=16, num_workers=4, seed=seed, metric="test_loss", goal=1.7)
        trainer = GridTrainer(task, [cell["learning_rate"]], 4, seed)
        virtual = VirtualScenario(
            policy=POLICIES["asp"](),
            speeds=[speed.build(worker, 4, seed, str) for worker in range(4)],
            transfers=[Transfer(0.5, 0.0, worker, seed) for worker in range(4)],
            until_s=40.0,
            evaluate_every_s=0.5,
        )
        kinds: list[str] = []
        simulate(virtual, lambda event, kinds=kinds: kinds.append(type(event).__name__), trainer=trainer)  # type: ignore[misc]
        times.append(float(trainer.reached_s[0]))
        num_messages += kinds.count("WorkerReleased")
    assert cell["time_to_target_s"]["per_seed"] == times
    assert cell["num_reached"] == 2
    parameters = 65 * 32 + 33 * 10
    assert cell["bytes"] / (4 * parameters) == pytest.approx(num_messages, rel=0.2)  # releases and pushes, of 2 seeds


def test_a_report_goes_on_to_the_budget_and_counts_bytes_to_the_target(tmp_path: Path) -> None:
    read = scenario(tmp_path, budget_s=60)
    short, full = (Contestant(one, POLICIES["bsp"](), EwmaParams()) for one in (scenario(tmp_path), read))
    first, second = short.report(0.4, 1), full.report(0.4, 1)
    assert first["time_s"] == second["time_s"] < 40
    assert first["bytes"] == second["bytes"] > 0
    assert second["final_metric"] < first["final_metric"] < 1.7
    missed = Contestant(scenario(tmp_path, target__value=0.001), POLICIES["bsp"](), EwmaParams()).report(0.4, 1)
    assert missed["time_s"] is None
    assert missed["bytes"] > first["bytes"]
    assert missed["final_metric"] == pytest.approx(first["final_metric"])


def test_the_evaluation_at_the_budget_takes_place(tmp_path: Path) -> None:
    contestant = Contestant(scenario(tmp_path), POLICIES["bsp"](), EwmaParams())
    [trial] = contestant.try_rates([0.4], 1, 40.0)
    assert contestant.try_rates([0.4], 1, trial.time_s) == [trial]
    assert contestant.try_rates([0.4], 1, trial.time_s - 0.25)[0].time_s == np.inf


def test_a_rate_that_diverges_misses_without_a_warning(tmp_path: Path) -> None:
    contestant = Contestant(scenario(tmp_path), POLICIES["asp"](), EwmaParams())
    good, bad = contestant.try_rates([0.4, 500.0], 1, 40.0)
    assert good.time_s < 40
    assert bad.time_s == np.inf
    assert contestant.report(500.0, 1)["time_s"] is None


def test_the_same_command_gives_the_same_numbers(tmp_path: Path) -> None:
    first = bench(tmp_path, out="a.json")
    assert without_cpu(bench(tmp_path, out="b.json", cache="other")) == without_cpu(first)


def test_a_cached_cell_is_the_same_and_is_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = bench(tmp_path)

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(module, "_tune", refuse)
    monkeypatch.setattr(Contestant, "report", refuse)
    capsys.readouterr()
    assert bench(tmp_path, out="b.json") == first
    assert "3 are cached. About 0 s" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="computed again"):
        bench(tmp_path, "--seeds", "7")


def test_two_processes_give_what_one_gives(tmp_path: Path) -> None:
    first = bench(tmp_path, out="a.json")
    assert without_cpu(bench(tmp_path, "--jobs", 2, out="b.json", cache="other")) == without_cpu(first)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--policies", "asp,nothing"], "policies must be among foresync, bsp, asp, ssp, "),
        (["--policies", ""], "policies must be among"),
        (["--seeds", "1,x"], "--seeds must be whole numbers"),
        (["--seeds", "1,101"], "--seeds must not hold 101"),
        (["--seeds", "1,1"], "--seeds must not hold a seed twice"),
        (["--jobs", "0"], "--jobs must be a whole number"),
        (["--out", "/nowhere/at/all.json"], "--out must name a file in a folder that exists"),
        (["--scenarios", "missing.yaml"], "The scenario file 'missing.yaml' cannot be read"),
        (["--cache", "/dev/null/cache"], "The cache '/dev/null/cache' cannot be used"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    path = write(tmp_path / "small.yaml", changed())
    code = command.main(options("--scenarios", path, "--cache", tmp_path / "cache", *words))
    said = capsys.readouterr().err
    assert code == 2
    assert said.startswith(f"foresync: {sentence}")
    assert said.count("\n") == 1


def test_on_the_same_terms_a_peer_has_the_momentum_of_ours(tmp_path: Path) -> None:
    def cells_of(*words: str) -> dict[str, Any]:
        cells = bench(tmp_path, "--seeds", "1", *words)["cells"]
        return {cell["policy"]: {**cell, "cpu_s": None} for cell in cells}

    plain, same = cells_of(), cells_of("--same-terms")
    assert same["foresync"] == plain["foresync"]
    assert same["asp"]["params"] == {"momentum": 0.75, "momentum_rounds": 16.0, "bound": "usual"}
    assert same["asp"]["time_to_target_s"] != plain["asp"]["time_to_target_s"]


def test_the_grids_are_those_that_are_published() -> None:
    assert set(PEERS) == set(GRIDS) - {"foresync", "predictive"}
    assert {name: len(grid_of(name)) for name in GRIDS} == {
        **dict.fromkeys(("foresync", "predictive", "bsp", "asp", "dssp", "dssp_literal"), 1),
        **dict.fromkeys(("local_sgd", "cocod", "overlap_local_sgd"), 5),
        "ssp": 6,
        "fsp": 6,
        "elastic_bsp": 3,
        "rennala": 4,
        "ringmaster": 4,
    }
