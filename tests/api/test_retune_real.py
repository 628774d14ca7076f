"""A real run that is retuned from the API while it trains: it decides otherwise, and its log replays."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from backend.client import Client
from predictor import log
from predictor.events import ForecastUpdated, Retuned, RunResumed, WorkerHeld, WorkerReleased
from predictor.replay import replay
from predictor.spec import read_run
from tests.api.server import TOKEN, Server, serving
from tests.backend.checks import wait_for

RUN: dict[str, Any] = {
    "cluster": {"num_workers": 2},
    "speed": {"kind": "lognormal", "base_s": 0.01, "factors": [1, 6]},
    "stop": {"iterations": 4000, "seconds": 120},
}


@pytest.fixture(scope="module")
def training_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("retuning") / "home"
    command = (sys.executable, "-m", "workers")
    with serving(home, f"sqlite:///{home / 'foresync.db'}", worker_command=command, concurrency=1) as served:
        yield served


def has(client: Client, run_id: str, kind: type[Any], words: str = "") -> bool:
    found = client.events(run_id, kinds=[kind.__name__])
    return any(words in getattr(event, "reason", "") for _, event in found)


def replayed(server: Server, run_id: str) -> None:
    lines = (server.home / "runs" / run_id / "events.jsonl").read_bytes().splitlines()
    report = replay((log.decode(line) for line in lines), read_run(server.get(f"/runs/{run_id}")["spec"]))
    assert report.is_same, report.difference


def test_a_threshold_is_changed_while_the_run_trains_and_outlives_a_resume(training_server: Server) -> None:
    server = training_server
    run_id = server.submit_run(**RUN, policy={"name": "ssp", "threshold": 1})
    with Client(server.url, TOKEN) as client:
        wait_for(lambda: has(client, run_id, WorkerHeld, "threshold 1"), "a worker is held at the first threshold")
        change = client.retune(run_id, {"threshold": 5}, timeout_s=30)
        assert change is not None
        assert [(one.path, one.before, one.after) for one in change.settings] == [("policy.threshold", 1, 5)]
        wait_for(lambda: has(client, run_id, WorkerReleased, "leads by 5, threshold 5"), "the new one is acted on")
        client.stop(run_id)
        server.wait_for_state(run_id, "stopped")
        client.resume(run_id)
        wait_for(lambda: has(client, run_id, RunResumed), "the run goes on")
        wait_for(lambda: len(client.tuning(run_id).changes) == 2, "the resumed run is told again")
        tuning = client.tuning(run_id)
        assert tuning.policy["threshold"] == 5
        assert tuning.changes[1].settings == []  # a repetition, which changes nothing
        client.stop(run_id)
        server.wait_for_state(run_id, "stopped")
    replayed(server, run_id)


def test_a_forecaster_is_exchanged_while_the_run_trains(training_server: Server) -> None:
    server = training_server
    run_id = server.submit_run(**RUN, policy={"name": "predictive"})
    with Client(server.url, TOKEN) as client:
        wait_for(lambda: has(client, run_id, ForecastUpdated), "there are forecasts")
        change = client.retune(run_id, {"alpha": 0.25}, {"name": "median", "window": 3}, timeout_s=30)
        assert change is not None
        after = {one.path: one.after for one in change.settings}
        assert after == {"policy.alpha": 0.25, "forecaster.name": "median", "forecaster.window": 3}
        wait_for(
            lambda: any(seq > change.seq for seq, _ in client.events(run_id, kinds=["ForecastUpdated"])),
            "the new forecaster is asked",
        )
        client.stop(run_id)
        server.wait_for_state(run_id, "stopped")
        events = [event for _, event in client.events(run_id, kinds=["Retuned"]) if isinstance(event, Retuned)]
        assert [event.forecaster for event in events] == [{"name": "median", "window": 3}]
    replayed(server, run_id)
