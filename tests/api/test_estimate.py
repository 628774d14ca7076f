"""Predicted durations: against the simulation, and honest where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from backend import estimate
from backend.api import schemas
from backend.estimate import LOG_S, MAX_COST, MAX_ITERATIONS, SLACK, START_HIGH_S, START_LOW_S
from predictor.simulator import Scenario
from predictor.spec import RunSpec, read_run
from tests.api import player
from tests.api.server import Server, check_model

FIXED = {"kind": "lognormal", "base_s": 0.1, "factors": [1, 1, 1, 4], "cv": 0}


def catalogue(data_dir: str | None = None, *, is_fresh: bool = False) -> dict[str, Any]:
    return player.CATALOGUE


def run(**parts: Any) -> RunSpec:
    return read_run({"speed": FIXED, "policy": {"name": "bsp"}, **parts})


def predicted(*specs: RunSpec, concurrency: int = 1) -> dict[str, Any]:
    made = estimate.estimate(specs, catalogue, concurrency)
    check_model(schemas.Estimate, made)
    return made


def test_iterations_take_as_long_as_the_slowest_worker() -> None:
    made = predicted(run(stop={"iterations": 50, "seconds": None}))
    took_s = 50 * 0.4
    assert made["runs"][0]["low_s"] == pytest.approx(took_s + START_LOW_S)
    assert made["runs"][0]["high_s"] == pytest.approx(took_s * SLACK + START_HIGH_S)
    assert made["basis"].startswith("predicted")


def test_many_iterations_are_extrapolated() -> None:
    made = predicted(run(stop={"iterations": 100 * MAX_ITERATIONS, "seconds": None}))
    assert made["runs"][0]["low_s"] == pytest.approx(100 * MAX_ITERATIONS * 0.4 + START_LOW_S)
    assert "extrapolated" in made["runs"][0]["basis"]


def test_a_run_ends_at_its_first_stop() -> None:
    made = predicted(run(stop={"iterations": 50, "seconds": 7}))["runs"][0]
    assert (made["low_s"], made["high_s"]) == (7 + START_LOW_S, 7 + START_HIGH_S)


def test_a_target_is_a_range_up_to_the_limit() -> None:
    made = predicted(run(stop={"seconds": 60, "target": {"value": 0.9}}))["runs"][0]
    assert (made["low_s"], made["high_s"]) == (START_LOW_S, 60 + START_HIGH_S)
    assert "not predicted" in made["basis"]
    endless = predicted(run(stop={"seconds": None, "target": {"value": 0.9}}))
    assert endless["runs"][0]["high_s"] is endless["total_high_s"] is None


def test_the_machines_own_speed_is_taken_from_the_measured_step() -> None:
    native = run(speed={"kind": "native"}, stop={"iterations": 1_000, "seconds": None}, task={"batch_size": 320})
    made = predicted(native)["runs"][0]
    assert made["low_s"] >= 1_000 * 0.001 + START_LOW_S  # ten times 32 samples at 0.1 ms
    unknown = run(speed={"kind": "native"}, stop={"iterations": 10, "seconds": None}, task={"dataset": "other"})
    assert predicted(unknown)["runs"][0]["high_s"] is None
    assert "not measured" in predicted(unknown)["runs"][0]["basis"]


def test_virtual_time_takes_as_long_as_its_steps_on_one_core() -> None:
    cluster = {"launcher": "virtual"}
    hour = predicted(run(cluster=cluster, stop={"seconds": 3600}))["runs"][0]
    assert "36,051 iterations of all workers on one core, 3,600 s of virtual time" in hour["basis"]  # about 4 / 0.4 s
    assert hour["low_s"] < 36_000 * (0.0001 + LOG_S) < hour["high_s"] < 3600
    same = predicted(run(cluster=cluster, stop={"iterations": 9_000, "seconds": None}))["runs"][0]
    assert same["high_s"] == pytest.approx(hour["high_s"], rel=0.01)
    goal = {"seconds": 3600, "target": {"value": 0.9}}
    assert predicted(run(cluster=cluster, stop=goal))["runs"][0]["low_s"] == START_LOW_S
    unknown = run(cluster=cluster, task={"dataset": "other"}, stop={"seconds": 10})
    assert predicted(unknown)["runs"][0]["high_s"] is None
    endless = run(cluster=cluster, stop={"seconds": None, "target": {"value": 0.9}})
    assert predicted(endless)["total_high_s"] is None


def test_runs_share_the_places_of_the_queue() -> None:
    specs = [run(stop={"seconds": seconds}) for seconds in (10, 20, 30)]
    assert predicted(*specs)["total_low_s"] == pytest.approx(60 + 3 * START_LOW_S)
    assert predicted(*specs, concurrency=2)["total_low_s"] == pytest.approx(40 + 2 * START_LOW_S)
    assert predicted(*specs, concurrency=9)["total_low_s"] == pytest.approx(30 + START_LOW_S)


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[Scenario]:
    """What is simulated."""
    scenarios: list[Scenario] = []
    estimate._predict.cache_clear()  # what an earlier test asked for is remembered
    real = estimate.simulate
    monkeypatch.setattr(estimate, "simulate", lambda scenario: scenarios.append(scenario) or real(scenario))
    return scenarios


def test_seeds_and_learning_rates_are_simulated_once(simulated: list[Scenario]) -> None:
    stop = {"iterations": 10}
    predicted(*(run(stop=stop, seed=seed, task={"learning_rate": 0.1 * seed}) for seed in range(1, 200)))
    assert len(simulated) == 1
    predicted(run(stop=stop), run(stop=stop, policy={"name": "asp"}))
    assert len(simulated) == 2  # the first of them is remembered


def test_a_large_grid_costs_no_more_than_a_small_one(simulated: list[Scenario]) -> None:
    predicted(*(run(stop={"iterations": 10_000}, policy={"name": "ssp", "threshold": n}) for n in range(100)))
    assert len(simulated) == 100
    assert sum((one.iterations or 0) * len(one.speeds) ** 2 for one in simulated) <= MAX_COST


@pytest.mark.parametrize(
    "parts",
    [
        {"stop": {"iterations": 2**62, "seconds": None}},
        {"stop": {"iterations": 2**62, "seconds": None}, "cluster": {"launcher": "virtual"}},
        {"stop": {"seconds": 1e9}, "speed": FIXED | {"base_s": 1e-300}, "cluster": {"launcher": "virtual"}},
    ],
)
def test_more_iterations_than_can_be_counted_are_none(parts: dict[str, Any]) -> None:
    assert predicted(*[run(**parts)] * 3)["total_iterations"] is None


def test_a_network_is_not_trained_to_predict_a_duration(simulated: list[Scenario]) -> None:
    made = predicted(run(stop={"iterations": 20}, policy={"name": "foresync"}, forecaster={"name": "gru"}))
    assert made["total_iterations"] == 80
    assert [one.forecaster.name for one in simulated] == ["timing"]


def test_an_estimate_over_http(quiet_server: Server) -> None:
    spec = {"name": "estimated", "run": {"stop": {"seconds": 5}}, "seeds": [1, 2, 3]}
    answer = quiet_server.http.post("/experiments/estimate", json=spec)
    made = check_model(schemas.Estimate, answer.json())
    assert (made["num_runs"], made["concurrency"]) == (3, 2)
    assert made["total_low_s"] == pytest.approx(2 * (5 + START_LOW_S))
