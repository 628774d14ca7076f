"""The account of real processes: nothing of their time is left over, whatever befalls them."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from predictor.accounting import Account
from tests.predictor.accounting_checks import check_adds_up
from tests.workers.live import LiveRun

MOST_UNACCOUNTED = 0.01  # of the wall time


def account_of(run: LiveRun) -> dict[str, Any]:
    account = Account()
    for line in (run.path / "events.jsonl").read_bytes().splitlines():
        account.update(json.loads(line))
    report = account.report()
    json.dumps(report, allow_nan=False)
    check_adds_up(report)
    total = report["total"]
    assert total["wall_s"] > 0
    assert total["unaccounted_s"] <= MOST_UNACCOUNTED * total["wall_s"]
    return report


@pytest.mark.parametrize("policy", ["bsp", "ssp", "asp", "foresync", "predictive"])
def test_the_time_of_live_workers_is_accounted_for(new_run: Callable[..., LiveRun], policy: str) -> None:
    run = new_run(policy={"name": policy}).start()
    run.finish()
    report = account_of(run)
    assert [row["num_iterations"] for row in report["workers"]] == [12, 12, 12]
    assert report["total"]["parts"]["compute"] + report["total"]["parts"]["overlap"] > 0
    if policy == "bsp":
        waited = report["waits_for"]
        assert math.fsum(row[2] for row in waited["seconds"]) > 0, "the others waited for the slow one"


def test_a_worker_that_is_killed_is_accounted_for_up_to_its_death(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "bsp"}, stop={"iterations": 30}).start()
    run.wait_for_training()
    os.kill(run.pid("worker-2"), signal.SIGKILL)
    run.finish()
    rows = account_of(run)["workers"]
    assert rows[2]["wall_s"] < rows[0]["wall_s"]
    assert not any(row["is_there"] for row in rows)


def test_a_run_that_is_stopped_and_resumed_is_accounted_for_over_both_lives(new_run: Callable[..., LiveRun]) -> None:
    run = new_run(policy={"name": "ssp"}, stop={"iterations": 40}).start()
    run.wait_for_training()
    run.command(command="stop", reason="enough")
    run.finish()
    run.start(is_resume=True)
    run.finish()
    rows = account_of(run)["workers"]
    assert [row["num_lives"] for row in rows] == [2, 2, 2]
    assert all(row["parts"]["stopped"] > 0 for row in rows)
