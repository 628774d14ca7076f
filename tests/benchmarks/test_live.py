"""The pure parts of the live benchmarks, on made-up numbers: folds, choice of the best, ratios, pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks import live_target, live_target_page, live_vs_simulation
from benchmarks.live_runs import cpu_s, markdown, rotated
from predictor.events import (
    Directive,
    Event,
    ExchangeFinished,
    IterationFinished,
    NodeSampled,
    NodeStarted,
    PushArrived,
    TargetReached,
    WorkerJoined,
    WorkerReleased,
)
from predictor.policies import POLICIES, PolicyParams
from predictor.simulator import scenario_of
from workers.bench.tuner import Trial


def released(at_s: float, worker: int) -> WorkerReleased:
    return WorkerReleased(at_s, worker, 0, 0, Directive(1, 0, 0.0), "made up")


def pushed(at_s: float, worker: int, iteration: int) -> PushArrived:
    return PushArrived(at_s, worker, iteration, 1, 1.0, at_s, 0, True)


def iteration(at_s: float, worker: int, number: int, compute_s: float = 1.0) -> IterationFinished:
    return IterationFinished(at_s, worker, number, 0, at_s - compute_s, compute_s, 0.9, 2.0, 16, 0.0)


def landed(at_s: float, worker: int, number: int) -> ExchangeFinished:
    return ExchangeFinished(at_s, worker, number, 1, at_s - 0.5, at_s - 0.4, at_s - 0.3, at_s - 0.5, 100, 100)


# Two workers that were started at 10 and 10.5 s, one iteration each; the second one goes on.
LOG: list[Event] = [
    WorkerJoined(10.0, 0, 0, 0),
    released(10.0, 0),
    WorkerJoined(10.5, 1, 0, 0),
    released(10.5, 1),
    iteration(11.0, 0, 1),
    pushed(11.2, 0, 1),
    iteration(11.5, 1, 1),
    pushed(12.5, 1, 1),
    landed(12.8, 1, 1),
    released(12.9, 0),
]


def test_figures_count_from_the_first_release() -> None:
    found = live_vs_simulation.figures(LOG)
    assert found["makespan_s"] == pytest.approx(2.5)
    assert found["utilisation"] == pytest.approx(2.0 / (1.2 + 2.0))
    assert (found["num_iterations"], found["num_pushes"]) == (2, 2)


def test_delays_are_beyond_what_was_asked_for() -> None:
    setting = live_vs_simulation.Setting(num_workers=2, iterations=1, base_s=0.9, transfer_s=0.1)
    found = live_vs_simulation.delays(LOG, live_vs_simulation.spec_of(setting, "asp", seed=1))
    assert found["iteration"] == pytest.approx(100)
    assert found["up"] == pytest.approx(50)
    assert found["down"] == pytest.approx(250)
    assert found["first"] == pytest.approx(250), "0 and 0.5 s after the first release of all"


def test_a_simulation_of_the_spec_is_folded_like_a_log() -> None:
    setting = live_vs_simulation.Setting(num_workers=2, iterations=5, base_s=1.0, transfer_s=0.0)
    spec = live_vs_simulation.spec_of(setting, "bsp", seed=1)
    scenario = scenario_of(spec, live_vs_simulation.read_text)
    found = live_vs_simulation.figures(live_vs_simulation.simulated(scenario))
    assert found["num_iterations"] == 10
    slowest_s = [scenario.speeds[1].duration_s(number, 0.0) for number in range(5)]
    assert found["makespan_s"] == pytest.approx(sum(slowest_s)), "without transfers the slow worker is all that counts"


def row(policy: str, seed: int, makespans_s: Sequence[float]) -> dict[str, Any]:
    sides = zip(("live", "spec", "computed", "recorded"), makespans_s, strict=True)
    delays = {"iteration": 0.1, "up": 1.0, "down": 2.0, "first": 3.0}
    figures = {side: {"makespan_s": makespan_s, "utilisation": 0.5} for side, makespan_s in sides}
    return {"policy": policy, "seed": seed, "load": 0.1, "delays": delays, **figures}


ROWS = [row("bsp", 1, (10.4, 10.0, 10.1, 10.2)), row("bsp", 2, (10.8, 10.0, 10.1, 10.7)), row("asp", 1, (9, 9, 9, 9))]


def test_causes_add_up_to_the_difference() -> None:
    parts = live_vs_simulation.causes(ROWS[1])
    assert sum(parts.values()) == pytest.approx(10.8 / 10.0 - 1)
    assert parts["longer transfers"] == pytest.approx(0.06)


def test_a_policy_is_close_only_if_all_repetitions_are() -> None:
    bsp, asp = live_vs_simulation.summarise(ROWS)
    assert bsp["is_close"] == {"spec": False, "recorded": True}
    assert asp["is_close"] == {"spec": True, "recorded": True}
    assert bsp["makespan_s"]["per_spec"] == pytest.approx([1.04, 1.08])


def test_the_page_of_the_comparison_names_the_largest_difference() -> None:
    setting = {"num_workers": 4, "iterations": 40, "base_s": 0.15, "transfer_s": 0.1}
    text = live_vs_simulation.page({"runs": ROWS, "setting": setting, "command": "made up", "machine": "nowhere"})
    assert "| bsp | 10.60 | 10.00 | 1.060 (1.040 to 1.080) |" in text
    assert "| no / yes |" in text
    assert "Largest difference: bsp; its largest part: longer transfers (+3.5%)." in text


def test_cpu_counts_up_to_the_moment_in_proportion() -> None:
    gauges: list[Event] = [
        NodeStarted(0.3, "worker-0", 1, 0),
        NodeSampled(1.2, "worker-0", 0.5, 0, 0, 0),
        NodeSampled(2.2, "worker-0", 1.0, 0, 0, 0),
        NodeStarted(0.1, "evaluator", 2, 0),
        NodeSampled(2.1, "evaluator", 0.25, 0, 0, 0),
    ]
    assert cpu_s(gauges, 1.7) == pytest.approx({"worker-0": 0.5 * 1.0 + 1.0 * 0.5, "evaluator": 0.25 * 1.6})
    assert live_target.trained_with_s(gauges, 1.7) == pytest.approx(1.0), "the evaluator is left out"
    assert cpu_s(gauges, 10.0)["worker-0"] == pytest.approx(1.5), "nothing is known of what followed"


def test_figures_to_the_target_leave_out_what_came_later() -> None:
    found = live_target.until_target([*LOG, TargetReached(12.6, "test_loss", 0.2)], budget_s=60.0, startup_s=0.0)
    assert found["is_reached"]
    assert found["time_s"] == pytest.approx(2.6)
    assert found["busy_s"] == pytest.approx(2.0)
    assert found["bytes"] == 0, "nothing had landed, so the length of a message is not known"
    missed = live_target.until_target(LOG, budget_s=60.0, startup_s=0.0)
    assert not missed["is_reached"]
    assert missed["time_s"] == pytest.approx(50.0)
    assert missed["bytes"] == 100 + 2 * 100


def test_the_best_threshold_and_rate_win_over_all_tuning_seeds() -> None:
    """Threshold 8 at 0.7 is best in the mean, though threshold 2 is luckier on the first seed."""
    times_s = {(2, 101): 10.0, (2, 102): 40.0, (2, 103): 40.0, (8, 101): 20.0, (8, 102): 21.0, (8, 103): 19.0}

    def objective(params: PolicyParams, rates: Sequence[float], seed: int, until_s: float) -> list[Trial]:
        threshold = params.threshold  # type: ignore[attr-defined]
        found = [times_s.get((threshold, seed), 55.0) * (1 + abs(math.log(rate / 0.7))) for rate in rates]
        return [Trial(time_s if time_s <= until_s else math.inf, 0.5) for time_s in found]

    setting = live_target.Setting(target=0.2, budget_s=60.0)
    choice = live_target.tune(setting, live_target.grids(setting)["ssp"], objective)
    assert choice.params == POLICIES["ssp"](threshold=8)
    assert choice.learning_rate == 0.7
    assert choice.mean_s == pytest.approx(20.0)


def test_a_trial_stops_at_the_target_or_misses_it() -> None:
    setting = live_target.Setting(target=2.0, budget_s=3.0)
    spec = live_target.spec_of(setting, 0.05, {"name": "asp"}, 0.7, seed=101)
    assert 0 < live_target.trial(spec).time_s < 3.0
    hopeless = live_target.spec_of(live_target.Setting(0.0, 0.3), 0.05, {"name": "asp"}, 0.7, seed=101)
    missed = live_target.trial(hopeless)
    assert missed.time_s == math.inf
    assert 0 < missed.loss < math.inf


def run(policy: str, repetition: int, time_s: float, *, num_bytes: float = 1e6, is_reached: bool = True) -> Any:
    return {
        "transfer_s": 0.05,
        "repetition": repetition,
        "policy": policy,
        "load": 0.2,
        "virtual_s": time_s,
        "is_reached": is_reached,
        "time_s": time_s,
        "waiting_s": 1.0,
        "utilisation": 0.9,
        "num_iterations": 100,
        "busy_s": 10.0,
        "cpu_s": 2.0,
        "net_cpu_s": 0.0,
        "bytes": num_bytes,
    }


RUNS = [
    *(run("foresync", number, time_s) for number, time_s in ((1, 4.0), (2, 9.0))),
    *(run("ssp", number, time_s, num_bytes=1.1e6) for number, time_s in ((1, 16.0), (2, 9.0))),
    run("bsp", 1, 60.0, is_reached=False),
]


def test_ratios_pair_the_repetitions() -> None:
    ssp, bsp = live_target_page.ratios(RUNS)
    assert ssp["time_s"]["each"] == pytest.approx([0.25, 1.0])
    assert ssp["time_s"]["geomean"] == pytest.approx(0.5)
    assert ssp["net_cpu_s"] == {"each": [], "geomean": None}, "no ratio to what is below what can be measured"
    assert bsp["num_missed"] == {"foresync": 0, "bsp": 1}
    assert len(bsp["time_s"]["each"]) == 1, "the second repetition has no partner"


def test_the_page_says_which_targets_are_met_and_why_not() -> None:
    params = {"name": "ssp", "threshold": 8}
    choice = {"transfer_s": 0.05, "policy": "ssp", "params": params, "learning_rate": 0.7, "virtual_mean_s": 20.0}
    about = {"machine": "nowhere", "command": "made up", "startup_cpu_s": [1.0], "choices": [choice | {"num_runs": 9}]}
    text = live_target_page.page({**about, "setting": {"base_s": 0.1, "target": 0.2}, "runs": RUNS})
    assert "| 0.05 | ssp | threshold 8 | 0.7 | 20.0 | 9 |" in text
    assert "* Transfer 0.05 s, time: 0.50x, wanted <= 0.7x: met." in text
    assert "* Transfer 0.05 s, bytes: 0.91x, wanted <= 0.8x: **missed**. It took 1.00x the iterations" in text
    assert "| 0.05 | 1 | bsp | > 60.0 |" in text


def test_orders_rotate_and_tables_have_a_head() -> None:
    assert [rotated("abc", by) for by in (0, 1, 4)] == [["a", "b", "c"], ["b", "c", "a"], ["b", "c", "a"]]
    assert markdown(["x", "y"], [["1", "2"]]) == ["| x | y |", "| --- | --- |", "| 1 | 2 |"]
