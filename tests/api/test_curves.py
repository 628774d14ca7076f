"""Curves: what the points mean, that their number is bounded, and that reading in pieces gives the same."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from typing import Any

import pytest

from backend import curves
from backend.api import schemas
from backend.curves import CurveFold
from backend.store.codec import finite
from predictor import log
from predictor.events import (
    AggregateApplied,
    Contribution,
    EvaluationFinished,
    Event,
    ExchangeFinished,
    IterationFinished,
    RunFinished,
    RunResumed,
    WorkerJoined,
    WorkerLeft,
)
from tests.api.server import Server, check_model
from tests.backend.checks import wait_for

NAN = float("nan")


def iterated(at_s: float, loss: float, worker: int = 0) -> IterationFinished:
    return IterationFinished(at_s, worker, 1, 0, at_s - 0.1, 0.1, 0.1, loss, 32, 0.0)


def exchanged(arrived_s: float, released_s: float, at_s: float, blocked_from_s: float | None) -> ExchangeFinished:
    return ExchangeFinished(at_s, 0, 1, 1, arrived_s - 0.1, arrived_s, released_s, blocked_from_s, 1, 1)


def applied(version: int, *num_iterations: int) -> AggregateApplied:
    parts = tuple(Contribution(worker, 1, num, 0) for worker, num in enumerate(num_iterations))
    return AggregateApplied(float(version), version, 1.0, parts, "")


def evaluated(at_s: float, version: int, accuracy: float = 0.5, loss: float = 1.0) -> EvaluationFinished:
    return EvaluationFinished(at_s + 0.2, at_s, version, loss, accuracy, 100, False)


def fold(*events: Event) -> dict[str, Any]:
    made = CurveFold()
    for event in events:
        made.update(json.loads(finite(log.encode(event))))  # as it is stored
    data = made.to_data()
    check_model(schemas.Curves, data)
    return data


def test_an_evaluation_counts_the_iterations_of_its_version() -> None:
    data = fold(applied(1, 1, 1), applied(2, 3), evaluated(2.5, 1), applied(3, 1), evaluated(3.5, 3, 0.75))
    assert data["evaluations"] == {
        "at_s": [2.5, 3.5], "version": [1, 3], "iterations": [2, 6], "loss": [1.0, 1.0], "accuracy": [0.5, 0.75]
    }  # fmt: skip


def test_after_a_resume_the_counts_are_those_of_the_checkpoint() -> None:
    resumed = RunResumed(4.0, 10, 1, {"0": 1, "1": 1})
    data = fold(applied(1, 1, 1), applied(2, 5), evaluated(2.5, 2), resumed, applied(2, 2), evaluated(5.0, 2))
    assert data["evaluations"]["iterations"] == [7, 4]


def test_losses_that_are_not_finite_are_shown_as_gaps() -> None:
    data = fold(iterated(1.0, 2.0), iterated(2.0, NAN), iterated(3.0, float("inf")), evaluated(3.0, 0, loss=NAN))
    assert data["training"] == {"at_s": [1.0, 2.0, 3.0], "iterations": [1, 2, 3], "loss": [2.0, None, None]}
    assert data["evaluations"]["loss"] == [None]


def test_simulated_iterations_have_no_loss() -> None:
    assert fold(dataclasses.replace(iterated(1.0, 0.0), num_samples=0))["training"]["loss"] == []


@pytest.mark.parametrize("num", [1, 999, 1_000, 1_001, 12_345])
def test_training_points_are_means_and_bounded(num: int) -> None:
    data = fold(*(iterated(float(n), float(n)) for n in range(1, num + 1)))["training"]
    assert min(num, curves.MAX_TRAINING_POINTS // 2) <= len(data["loss"]) <= curves.MAX_TRAINING_POINTS
    assert data["iterations"][-1] == num
    edges = [0, *data["iterations"]]
    means = [(low + 1 + high) / 2 for low, high in pairwise(edges)]
    assert data["loss"] == pytest.approx(means)
    assert data["at_s"] == [float(edge) for edge in edges[1:]]


def test_evaluations_are_bounded_and_the_newest_is_there() -> None:
    events = [evaluated(float(n), n, accuracy=n / 5_000) for n in range(1, 5_000)]
    made = fold(*events)["evaluations"]
    assert 250 <= len(made["at_s"]) <= curves.MAX_EVALUATION_POINTS
    assert (made["at_s"][-1], made["version"][-1]) == (4999.0, 4999)
    assert made["at_s"] == sorted(set(made["at_s"]))


def test_waiting_is_the_share_between_arrival_and_release() -> None:
    data = fold(
        WorkerJoined(0.0, 0, 0, 0),
        WorkerJoined(0.0, 1, 0, 0),
        exchanged(arrived_s=0.25, released_s=0.5, at_s=0.75, blocked_from_s=0.125),  # 0.25 s of waiting
        exchanged(arrived_s=0.80, released_s=0.9, at_s=1.0, blocked_from_s=None),  # it went on computing
        WorkerLeft(1.0, 0, "finished"),
        WorkerLeft(1.0, 1, "finished"),
        RunFinished(5.0, "completed", ""),
    )["waiting"]
    assert data == {"at_s": [0.25, 0.5, 0.75, 1.0], "share": [0.0, 0.5, 0.0, 0.0]}


def test_waiting_is_spread_over_long_runs_and_bounded() -> None:
    events: list[Event] = [WorkerJoined(0.0, 0, 0, 0)]
    events += [exchanged(n + 0.25, n + 0.75, n + 1.0, n + 0.25) for n in range(10_000)]
    data = fold(*events, RunFinished(10_000.0, "completed", ""))["waiting"]
    assert curves.MAX_WAITING_POINTS // 2 <= len(data["at_s"]) <= curves.MAX_WAITING_POINTS
    assert data["share"][:-1] == pytest.approx([0.5] * (len(data["share"]) - 1))
    assert data["at_s"][-1] == 10_000.0


def test_curves_of_a_run_go_on_while_it_trains(server: Server) -> None:
    run_id = server.submit_run()
    server.wait_for_state(run_id, "running")
    assert check_model(schemas.Curves, server.get(f"/runs/{run_id}/curves"))["training"]["loss"] == []
    server.say(run_id, WorkerJoined(0.0, 0, 0, 0))
    for number in range(1, 6):
        server.say(run_id, applied(number, 1), evaluated(float(number), number), iterated(float(number), 1 / number))
        wait_for(lambda num=number: server.get(f"/runs/{run_id}")["last_seq"] == 2 + 3 * num, "the events are stored")
        assert len(server.get(f"/runs/{run_id}/curves")["training"]["loss"]) == number
    server.say(run_id, RunFinished(6.0, "completed", "Done."))
    server.wait_for_state(run_id, "completed")
    shown = server.get(f"/runs/{run_id}/curves")
    assert shown == server.get(f"/runs/{run_id}/curves")
    whole = CurveFold()
    for event in server.get(f"/runs/{run_id}/events")["events"]:
        whole.update(event)
    assert shown == whole.to_data()
    assert shown["training"]["loss"] == [1 / number for number in range(1, 6)]
