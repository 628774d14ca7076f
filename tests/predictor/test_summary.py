"""The fold against the whole log, in any order of its streams, cut anywhere; and a small log worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import LogError
from predictor.events import (
    AggregateApplied,
    Contribution,
    Directive,
    EvaluationFinished,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    MessageLogged,
    NodeSampled,
    PushArrived,
    RunFinished,
    RunResumed,
    RunStarted,
    SyncPlanned,
    TargetReached,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.summary import Summary
from tests.predictor import summary_checks
from tests.predictor.checks import of_the_house, policies, scenarios
from tests.predictor.summary_checks import folded

seeds = st.integers(0, 1000)


@of_the_house
@given(scenarios(max_iterations=6))
def test_the_fold_says_at_every_point_what_the_whole_log_says(scenario):
    summary_checks.check_equals_brute_force(scenario)


@of_the_house
@given(scenarios(has_deaths=False))
def test_the_fold_gives_the_figures_of_the_simulator(scenario):
    summary_checks.check_equals_simulation(scenario)


@of_the_house
@given(scenarios(max_iterations=6), seeds, st.floats(0, 1))
def test_a_fold_goes_on_from_its_data(scenario, seed, share):
    summary_checks.check_goes_on_from_its_data(scenario, seed, share)


@of_the_house
@given(scenarios(st.sampled_from(["foresync", "fsp"]).flatmap(policies), has_deaths=False), st.integers(21, 40))
def test_forecasts_are_held_against_what_happened(scenario, iterations):
    summary_checks.check_forecasts(replace(scenario, iterations=iterations))


@of_the_house
@given(scenarios(max_iterations=6), seeds)
def test_the_order_of_the_streams_does_not_matter(scenario, seed):
    summary_checks.check_order_of_streams(scenario, seed)


@of_the_house
@given(scenarios(max_iterations=6), seeds)
def test_shares_are_sane_at_every_point(scenario, seed):
    summary_checks.check_sane(scenario, seed)


# ---- by hand ---------------------------------------------------------------------------------------------------

GO = Directive(1, 0, 0.0)


def step(at_s, worker, iteration, compute_s, loss=1.0, target_s=0.0, overlapped_s=0.0):
    started_s = at_s - compute_s
    return IterationFinished(at_s, worker, iteration, 0, started_s, compute_s, target_s, loss, 32, overlapped_s)


def push(at_s, worker, iteration, ended_at_s):
    return PushArrived(at_s, worker, iteration, 1, 1.0, ended_at_s, 0, True)


def released(at_s, worker, version):
    return WorkerReleased(at_s, worker, version, 0, GO, "because")


def applied(at_s, version, *staleness):
    return AggregateApplied(at_s, version, 0.5, tuple(Contribution(0, 1, 1, one) for one in staleness), "because")


START = [
    RunStarted(0.0, 1e9, "r", False, {}),
    WorkerJoined(1.0, 0, 0, 0),
    released(1.0, 0, 0),
    WorkerJoined(1.0, 1, 0, 0),
    released(1.0, 1, 0),
]


def test_a_log_worked_out_by_hand():
    report = folded(
        [
            *START,
            ExchangeFinished(1.1, 0, 0, 0, 0.2, 1.0, 1.0, 0.2, 0, 100),  # it waited for the others before it joined
            step(3.1, 0, 1, 2.0, target_s=1.9),
            push(3.2, 0, 1, 3.1),
            step(6.1, 1, 1, 5.0, target_s=2.0, overlapped_s=5.0),
            push(6.3, 1, 1, 6.1),
            applied(6.3, 1, 0, 2),
            released(6.3, 0, 1),
            released(6.3, 1, 1),
            ExchangeFinished(6.5, 0, 1, 1, 3.1, 3.2, 6.3, 3.1, 100, 100),
            EvaluationFinished(7.0, 6.9, 1, 0.8, 0.7, 100, False),
            EvaluationFinished(7.5, 7.4, 1, 0.9, 0.6, 100, False),
            TargetReached(7.4, "test_accuracy", 0.65),
            TargetReached(7.9, "test_accuracy", 0.65),
            MessageLogged(8.0, "server", "info", "hello"),
            NodeSampled(11.0, "worker-0", 0.5, 1, 1, 1),
        ]
    ).report()
    first, second = report["workers"]
    assert first["compute_s"] == pytest.approx(2.0)
    assert first["wait_s"] == pytest.approx(3.1)
    assert first["transfer_s"] == pytest.approx(0.1 + 0.1 + 0.2)
    assert first["wall_s"] == pytest.approx(10.0)
    assert first["utilisation"] == pytest.approx(0.2)
    assert (first["sent_bytes"], first["received_bytes"]) == (100, 200)
    assert first["mean_interval_s"] == pytest.approx(2.2)
    assert second["overlapped_s"] == second["compute_s"] == pytest.approx(5.0)
    assert report["utilisation"] == pytest.approx(7.0 / 20.0)
    assert report["wait_share"] == pytest.approx(3.1 / 20.0)
    assert report["iterations_per_s"] == pytest.approx(2 / 11.0)
    assert (report["num_events"], report["bytes"]) == (20, 300)
    assert (report["test_loss"], report["test_accuracy"], report["best_accuracy"]) == (0.9, 0.6, 0.7)
    assert (report["time_to_target_s"], report["target"]) == (7.4, {"metric": "test_accuracy", "value": 0.65})
    assert (report["num_missed_pads"], report["mean_staleness"], report["max_lead"]) == (1, 1.0, 1)
    assert (report["outcome"], report["final_accuracy"]) == (None, None)


def test_a_wait_without_an_end_counts_up_to_now_and_not_twice_when_it_ends():
    waiting = folded([*START, step(2.0, 0, 1, 1.0), push(2.0, 0, 1, 2.0), MessageLogged(9.0, "server", "info", "tick")])
    assert waiting.report()["workers"][0]["wait_s"] == pytest.approx(7.0)
    assert waiting.report()["workers"][0]["utilisation"] == pytest.approx(1.0 / 8.0)
    ended = folded([released(10.0, 0, 1), ExchangeFinished(10.5, 0, 1, 1, 2.0, 2.0, 10.0, 2.0, 0, 0)], waiting)
    row = ended.report()["workers"][0]
    assert (row["wait_s"], row["transfer_s"]) == (pytest.approx(8.0), pytest.approx(0.5))


def test_the_last_plan_before_a_synchronisation_is_the_one_that_is_judged():
    def plan(at_s, version, cut_at_s, half_s):
        return SyncPlanned(at_s, version, cut_at_s, cut_at_s - half_s, cut_at_s + half_s, 0.0, (), "because")

    windows = folded(
        [
            *START,
            plan(1.0, 1, 5.0, 10.0),
            plan(2.0, 1, 4.0, 0.5),  # this one counts, and misses
            applied(6.0, 1, 0),
            plan(6.0, 2, 9.0, 1.0),  # covers
            applied(9.5, 2, 0),
            plan(9.6, 2, 9.6, 1.0),  # too late
            plan(9.7, 3, 12.0, 1.0),  # never came true
            applied(11.0, 4, 0),  # was never planned
        ]
    ).report()["windows"]
    assert windows == {"num": 2, "num_covered": 1, "mean_error_s": pytest.approx((2.0 + 0.5) / 2)}


def forecast(worker, iteration, started_s, expected_s, half_s):
    ends_s = started_s + expected_s, started_s + expected_s - half_s, started_s + expected_s + half_s
    return ForecastUpdated(started_s, worker, iteration, started_s, *ends_s)


def reported(worker, iteration, ended_at_s):
    return IterationReported(ended_at_s + 0.1, worker, iteration, 1.0, ended_at_s, False)


def test_a_forecast_is_judged_by_the_end_of_its_iteration_once_the_worker_is_known():
    report = folded(
        [
            *START,
            forecast(0, 20, 10.0, 9.0, 0.1),
            reported(0, 20, 11.0),  # still too early to be judged
            forecast(0, 21, 11.0, 1.0, 0.25),
            push(12.3, 0, 21, 12.25),  # took 1.25 s, at the edge of the window
            forecast(0, 22, 12.25, 1.0, 0.5),
            reported(0, 22, 14.25),  # took 2 s, outside
            forecast(0, 23, 14.25, 1.0, 0.5),
            reported(0, 24, 15.25),  # of another iteration
            reported(0, 25, 16.25),  # nothing was forecast
            forecast(1, 30, 10.0, 4.0, 1.0),
            reported(1, 30, 14.0),  # just as it was forecast
            forecast(1, 31, 14.0, 4.0, 1.0),
            WorkerLeft(15.0, 1, "died"),
            WorkerJoined(16.0, 1, 1, 30),
            reported(1, 31, 20.0),  # of another life
            forecast(1, 50, 40.0, 9.0, 0.1),
            reported(1, 50, 41.0),  # its forecaster began anew at 30
            forecast(1, 51, 41.0, 1.0, 0.5),
        ]
    ).report()
    assert report["forecasts"] == {
        "num": 3,
        "coverage": pytest.approx(2 / 3),
        "mean_error_share": pytest.approx((0.2 + 0.5 + 0.0) / 3),
        "mean_width_share": pytest.approx((0.4 + 0.5 + 0.5) / 3),
    }


def test_without_forecasts_nothing_is_judged():
    assert folded([*START, reported(0, 21, 12.0), reported(0, 22, 13.0)]).report()["forecasts"] is None


def test_many_plans_that_never_come_true_do_not_pile_up():
    summary = folded([SyncPlanned(1.0, version, 1.0, 1.0, 1.0, 0.0, (), "r") for version in range(1, 1000)])
    assert len(summary.to_data()["totals"]["plans"]) <= 64


def test_a_resumed_run_goes_on_and_its_dead_time_is_nobodys():
    before = [
        *START,
        step(3.0, 0, 1, 2.0),
        push(3.0, 0, 1, 3.0),
        SyncPlanned(3.0, 1, 4.0, 3.0, 5.0, 0.0, (), "because"),
        EvaluationFinished(3.5, 3.4, 0, 2.0, 0.3, 100, True),
        RunFinished(4.0, "failed", "the coordinator died"),
    ]
    assert folded(before).report()["outcome"] == "failed"
    report = folded(
        [
            *before,
            RunStarted(100.0, 2e9, "r", False, {}),
            RunResumed(100.0, 5, 40, {"0": 40, "1": 41}),
            WorkerJoined(101.0, 0, 1, 40),
            released(101.0, 0, 40),
            WorkerJoined(101.0, 1, 1, 41),
            released(101.0, 1, 40),
            step(103.0, 0, 41, 2.0),
            push(103.0, 0, 41, 103.0),
            applied(103.0, 41, 0),
        ]
    ).report()
    first, second = report["workers"]
    assert first["wall_s"] == pytest.approx(2.5 + 2.0)  # 1.0 to 3.5, the newest before the end; 101 to 103
    assert first["compute_s"] == pytest.approx(4.0)
    assert first["wait_s"] == pytest.approx(0.5)  # 3.0 to 3.5 of the first life; the second has begun to wait now
    assert second["wall_s"] == pytest.approx(4.5)
    assert (first["lead"], second["lead"], report["version"]) == (0, 0, 41)
    assert (report["outcome"], report["reason"], report["final_accuracy"]) == (None, None, None)
    assert report["windows"]["num"] == 0  # the plan died with its gate
    assert report["num_workers_lost"] == 0


def test_what_is_told_after_a_leaving_still_counts():
    early = [*START, WorkerLeft(3.0, 0, "stopped"), step(3.4, 0, 1, 2.4)]
    row = folded(early).report()["workers"][0]
    assert (row["compute_s"], row["wall_s"], row["utilisation"]) == (pytest.approx(2.4), pytest.approx(2.4), 1.0)


def test_overlapping_windows_count_once():
    row = folded(
        [
            *START,
            ExchangeFinished(5.0, 0, 1, 1, 2.0, 2.0, 5.0, 2.0, 0, 0),
            ExchangeFinished(6.0, 0, 1, 2, 2.0, 2.0, 6.0, 2.0, 0, 0),
            step(8.0, 1, 1, 5.0),
            step(9.0, 1, 2, 5.0),
        ]
    ).report()["workers"]
    assert (row[0]["wait_s"], row[1]["compute_s"]) == (pytest.approx(4.0), pytest.approx(6.0))


def test_final_figures_and_losses():
    report = folded(
        [
            *START,
            *(step(2.0 + i, 0, i + 1, 0.5, loss=4.0 if i == 0 else 2.0) for i in range(200)),
            EvaluationFinished(300.0, 300.0, 9, 0.4, 0.9, 100, True),
            WorkerLeft(300.0, 0, "died"),
            RunFinished(300.5, "completed", "the target was reached"),
        ]
    ).report()
    assert report["train_loss"] == pytest.approx(2.0, abs=0.01)
    assert (report["final_loss"], report["final_accuracy"], report["num_workers_lost"]) == (0.4, 0.9, 1)
    assert (report["outcome"], report["reason"]) == ("completed", "the target was reached")


def test_a_loss_that_is_no_number_is_none_and_recovers():
    diverged = folded([*START, step(2.0, 0, 1, 0.5, loss=3.0), step(3.0, 0, 2, 0.5, loss=float("nan"))])
    assert diverged.report()["train_loss"] is None
    evaluated = folded([EvaluationFinished(4.0, 4.0, 1, float("inf"), 0.1, 10, True)], diverged)
    assert (evaluated.report()["test_loss"], evaluated.report()["final_loss"]) == (None, None)
    assert folded([step(4.0, 0, 3, 0.5, loss=3.5)], evaluated).report()["train_loss"] == 3.5


def test_an_empty_log_has_figures_too():
    report = Summary().report()
    assert (report["duration_s"], report["num_iterations"], report["utilisation"], report["workers"]) == (
        0,
        0,
        None,
        [],
    )


def test_the_state_of_another_version_is_refused():
    with pytest.raises(LogError, match="format 2, got 0"):
        Summary.from_data({**Summary().to_data(), "format": 0})
