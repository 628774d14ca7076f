"""Comparison over HTTP, on both databases: settings over seeds, curves and bands, and that curves are kept."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from backend.api import compare_models
from backend.curve_cache import CurveCache
from backend.curves import CurveFold
from backend.store.database import Database
from backend.store.tables import RunCurves
from predictor.events import EvaluationFinished, RunFinished, WorkerJoined
from tests.api.server import Server, check_model
from tests.backend.checks import wait_for

QUICK = {
    "stop": {"iterations": 3, "target": {"metric": "test_accuracy", "value": 0.5}},
    "speed": {"kind": "lognormal", "base_s": 0.01},
}
POLICIES = [{"name": "bsp"}, {"name": "ssp", "threshold": 2}]


def test_settings_are_compared_over_their_seeds(server: Server) -> None:
    done = server.wait_until_done(server.submit("seeds", run=QUICK, grid={"policy": POLICIES}, seeds=[1, 2, 3]))
    run_ids = done["run_ids"]
    answer = server.get("/compare", runs=",".join(run_ids), baseline=run_ids[-1])
    bsp, ssp = check_model(compare_models.Comparison, answer)["groups"]
    assert (bsp["run_ids"], bsp["seeds"], ssp["seeds"]) == (run_ids[:3], [1, 2, 3], [1, 2, 3])
    assert ssp["against"] == {}
    times = bsp["metrics"]["time_to_target_s"]
    assert times["num"] == 3
    assert times["low"] < times["mean"] < times["high"]
    pairs = bsp["against"]["time_to_target_s"]
    assert pairs["num_pairs"] == 3
    assert pairs["num_better"] + pairs["num_worse"] <= 3
    first = server.get("/compare", runs=",".join(run_ids), baseline="unknown")["groups"]
    assert first[0]["against"] == {}


def test_curves_of_many_runs_come_at_once_and_equal_those_of_each(server: Server) -> None:
    done = server.wait_until_done(server.submit("curves", run=QUICK, grid={"policy": POLICIES}, seeds=[1, 2]))
    run_ids = done["run_ids"]
    answer = server.get("/compare/curves", runs=",".join(run_ids))
    compared = check_model(compare_models.ComparedCurves, answer)
    assert [one["run_id"] for one in compared["runs"]] == run_ids
    for one in compared["runs"]:
        assert one["evaluations"] == server.get(f"/runs/{one['run_id']}/curves")["evaluations"]
    assert [one["run_ids"] for one in compared["groups"]] == [run_ids[:2], run_ids[2:]]


def test_two_seeds_have_a_band(server: Server) -> None:
    run_ids = [server.submit_run(seed=seed, name=f"run {seed}") for seed in (1, 2)]
    for run_id in run_ids:
        server.wait_for_state(run_id, "running")
        said = [EvaluationFinished(at_s + 0.1, at_s, 0, 1.0 / at_s, 0.5, 10, False) for at_s in (1.0, 2.0, 3.0)]
        server.say(run_id, WorkerJoined(0.0, 0, 0, 0), *said, RunFinished(4.0, "completed", "Done."))
        server.wait_for_state(run_id, "completed")
    (group,) = server.get("/compare/curves", runs=",".join(run_ids))["groups"]
    band = group["loss_over_seconds"]
    assert (band["x"][0], band["x"][-1]) == (1.0, 3.0)
    assert band["mean"] == pytest.approx(band["low"])
    assert (band["mean"][0], band["mean"][-1]) == pytest.approx((1.0, 1 / 3))


@pytest.mark.parametrize("path", ["/compare", "/compare/curves"])
def test_what_cannot_be_compared_is_refused(server: Server, path: str) -> None:
    assert server.http.get(path, params={"runs": ""}).status_code == 422
    assert server.http.get(path, params={"runs": ",".join(f"{n:016x}" for n in range(101))}).status_code == 422
    assert server.http.get(path, params={"runs": "0123456789abcdef"}).status_code == 404
    assert server.http.get(path, params={"runs": "../etc"}).status_code == 404


def test_curves_of_an_ended_run_are_kept_and_those_of_a_resumed_one_are_not_believed(
    server: Server, database: Database
) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    server.say(run_id, WorkerJoined(0.0, 0, 0, 0), EvaluationFinished(1.1, 1.0, 0, 1.0, 0.5, 10, False))
    wait_for(lambda: server.get(f"/runs/{run_id}")["last_seq"] == 3, "the events are stored")
    assert len(server.get(f"/runs/{run_id}/curves")["evaluations"]["loss"]) == 1
    assert _kept(database, run_id) is None  # it trains on
    server.http.post(f"/runs/{run_id}/stop")
    server.wait_for_state(run_id, "stopped")
    shown = server.get(f"/runs/{run_id}/curves")
    kept = _kept(database, run_id)
    assert kept == server.get(f"/runs/{run_id}")["last_seq"]
    assert CurveCache(database).read(run_id) == shown

    assert server.http.post(f"/runs/{run_id}/resume").status_code == 202
    server.wait_for_state(run_id, "running")
    server.say(run_id, EvaluationFinished(9.1, 9.0, 0, 0.5, 0.75, 10, False))
    wait_for(lambda: server.get(f"/runs/{run_id}/curves")["evaluations"]["loss"][-1] == 0.5, "the curve goes on")
    server.say(run_id, RunFinished(10.0, "completed", "Done."))
    server.wait_for_state(run_id, "completed")
    whole = CurveFold()
    for event in server.get(f"/runs/{run_id}/events")["events"]:
        whole.update(event)
    assert server.get(f"/runs/{run_id}/curves") == whole.to_data()
    assert _kept(database, run_id) == server.get(f"/runs/{run_id}")["last_seq"]
    assert CurveCache(database).read(run_id) == whole.to_data()


def test_curves_are_kept_at_the_end_of_a_run_without_being_asked_for(server: Server, database: Database) -> None:
    done = server.wait_until_done(server.submit("kept", run=QUICK, seeds=[1, 2]))
    for run_id in done["run_ids"]:
        wait_for(lambda one=run_id: _kept(database, one) is not None, "the curves are kept")
        assert _kept(database, run_id) == server.get(f"/runs/{run_id}")["last_seq"]


def _kept(database: Database, run_id: str) -> int | None:
    """Give the last event of the stored curves."""
    with database.read() as session:
        return session.scalar(select(RunCurves.last_seq).where(RunCurves.run_id == run_id))
