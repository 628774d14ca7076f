"""The accounting of small logs that were worked out by hand."""

from __future__ import annotations

import json

import pytest

from predictor import log
from predictor.accounting import PARTS, WAIT_LABELS, Account, answer, kind_of
from predictor.accounting.counts import MOST_BARS, Counts
from predictor.accounting.slices import MOST, Slices
from predictor.accounting.words import duration, percent
from predictor.events import (
    AggregateApplied,
    Contribution,
    DeadlinePassed,
    Directive,
    EvaluationFinished,
    Event,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    NodeSampled,
    PushArrived,
    PushDiscarded,
    RunFinished,
    RunResumed,
    RunStarted,
    SyncPlanned,
    TargetReached,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from tests.predictor.accounting_checks import account_of, check_adds_up

GO = Directive(1, 0, 0.0)
BARRIER = "waits at the barrier for somebody"


def started(at_s: float = 0.0) -> RunStarted:
    return RunStarted(at_s, 1.8e9, "r", False, {})


def joined(worker: int, at_s: float = 0.0, incarnation: int = 0) -> list[Event]:
    """Join and get the first weights at once."""
    return [
        WorkerJoined(at_s, worker, incarnation, 0),
        WorkerReleased(at_s, worker, 0, 0, GO, "joined: gets the first weights"),
        ExchangeFinished(at_s, worker, 0, 0, at_s, at_s, at_s, at_s, 0, 100),
    ]


def iterated(worker: int, start_s: float, end_s: float, target_s: float = 0.0, overlapped_s: float = 0.0) -> Event:
    return IterationFinished(end_s, worker, 1, 0, start_s, end_s - start_s, target_s, 1.0, 32, overlapped_s)


def pushed(worker: int, ended_s: float, at_s: float, iteration: int = 1, compute_s: float = 1.0) -> PushArrived:
    return PushArrived(at_s, worker, iteration, 1, compute_s, ended_s, 0, True)


def landed(worker: int, ended_s: float, arrived_s: float, released_s: float, at_s: float) -> ExchangeFinished:
    return ExchangeFinished(at_s, worker, 1, 1, ended_s, arrived_s, released_s, ended_s, 100, 100)


def held(worker: int, at_s: float, *waits_for: int, why: str = BARRIER) -> WorkerHeld:
    return WorkerHeld(at_s, worker, waits_for, why)


def released(worker: int, at_s: float, why: str = "the barrier is complete") -> WorkerReleased:
    return WorkerReleased(at_s, worker, 1, 1, GO, why)


def parts_of(report: dict, worker: int) -> dict[str, float]:
    """Give the parts that took any time, and what is unaccounted."""
    row = next(row for row in report["workers"] if row["worker"] == worker)
    parts = {key: seconds for key, seconds in row["parts"].items() if seconds}
    return parts | ({"unaccounted": row["unaccounted_s"]} if row["unaccounted_s"] else {})


def waited(report: dict) -> dict[tuple[int, int], float]:
    matrix = report["waits_for"]
    pairs = {}
    for waiter, row in zip(matrix["workers"], matrix["seconds"], strict=True):
        pairs |= {(waiter, culprit): s for culprit, s in zip(matrix["workers"], row, strict=True) if s}
    return pairs


def test_a_round_of_two_is_divided_at_its_stamps():
    report = account_of(
        [
            started(), *joined(0), *joined(1),
            iterated(0, 0, 1), pushed(0, 1, 1.25), held(0, 1.25, 1),
            iterated(1, 0, 3), pushed(1, 3, 3.5), released(0, 3.5), released(1, 3.5),
            landed(0, 1, 1.25, 3.5, 4.5), landed(1, 3, 3.5, 3.5, 4),
            WorkerLeft(4.5, 0, "stopped"), WorkerLeft(4.5, 1, "stopped"), RunFinished(5, "stopped", ""),
        ]
    )  # fmt: skip
    assert parts_of(report, 0) == {"compute": 1, "up": 0.25, "wait": 2.25, "down": 1}
    assert parts_of(report, 1) == {"compute": 3, "up": 0.5, "down": 0.5, "unfinished": 0.5}
    assert waited(report) == {(0, 1): 2.25}
    assert report["total"]["wall_s"] == 9
    assert report["total"]["wait_kinds"] == {"barrier": 2.25}
    assert report["sentences"]["top"] == [{"sentence": BARRIER, "kind": "barrier", "seconds": 2.25, "num": 1}]
    check_adds_up(report)


def three(*between: Event, end: list[Event]) -> dict:
    """Give the account of worker 0, which waits from 1 to 5 while something happens to the others."""
    start = [started(), *joined(0), *joined(1), *joined(2), iterated(0, 0, 1), pushed(0, 1, 1)]
    return account_of([*start, held(0, 1, 1, 2), *between, *end])


def test_of_several_the_last_one_to_arrive_is_charged():
    report = three(pushed(2, 1.5, 1.5), pushed(1, 5, 5), end=[released(0, 5), landed(0, 1, 1, 5, 5)])
    assert waited(report) == {(0, 1): 4}


def test_the_first_sentence_counts_for_whoever_was_last_also_after_a_second_sentence():
    report = three(
        pushed(1, 2, 2), held(0, 2, 2, why=BARRIER + "else"), pushed(2, 5, 5),
        end=[released(0, 5), landed(0, 1, 1, 5, 5)],
    )  # fmt: skip
    assert waited(report) == {(0, 2): 4}
    assert [(one["seconds"], one["num"]) for one in report["sentences"]["top"] if one["sentence"]] == [(3, 1), (1, 1)]


def test_a_deadline_charges_those_who_have_not_come():
    report = three(DeadlinePassed(5, 1), end=[released(0, 5), landed(0, 1, 1, 5, 5)])
    assert waited(report) == {(0, 1): 2, (0, 2): 2}
    report = three(pushed(1, 2, 2), DeadlinePassed(5, 1), end=[released(0, 5), landed(0, 1, 1, 5, 5)])
    assert waited(report) == {(0, 2): 4}


def test_whoever_lets_the_gate_release_is_charged_also_where_another_one_never_comes():
    report = three(pushed(1, 5, 5), end=[released(0, 5), landed(0, 1, 1, 5, 5)])
    assert waited(report) == {(0, 1): 4}


def test_a_death_that_lets_the_others_go_on_is_an_arrival():
    report = three(pushed(1, 2, 2), WorkerLeft(5, 2, "died"), end=[released(0, 5), landed(0, 1, 1, 5, 5)])
    assert waited(report) == {(0, 2): 4}


def test_an_open_wait_is_charged_to_those_who_have_not_come_yet():
    report = three(pushed(2, 3, 3), NodeSampled(4, "worker-1", 1.0, 1, 0, 0), end=[])
    assert waited(report) == {(0, 1): 3}
    assert parts_of(report, 0) == {"compute": 1, "wait": 3}
    assert not report["is_finished"]


def test_what_is_answered_at_once_is_the_servers_time_and_nobodys_fault():
    way = [pushed(0, 1, 1.25), released(0, 1.25), landed(0, 1, 1.25, 1.5, 2)]
    report = account_of([started(), *joined(0), iterated(0, 0, 1), *way, RunFinished(2, "stopped", "")])
    assert parts_of(report, 0) == {"compute": 1, "up": 0.25, "server": 0.25, "down": 0.5}


def test_overlap_and_stall_are_cut_from_the_iteration():
    report = account_of([started(), *joined(0), iterated(0, 0, 2, target_s=1.5, overlapped_s=0.5)])
    assert parts_of(report, 0) == {"overlap": 0.5, "compute": 1, "stall": 0.5}
    report = account_of([started(), *joined(0), iterated(0, 0, 1.6, target_s=1.5)])
    assert parts_of(report, 0) == {"compute": 1.6}, "less than a tenth longer"


def test_a_gap_between_stamps_is_unaccounted():
    report = account_of([started(), *joined(0), iterated(0, 0, 1), iterated(0, 3, 4)])
    assert parts_of(report, 0) == {"compute": 2, "unaccounted": 2}
    check_adds_up(report)
    assert "log says nothing" in " ".join(answer({**report, "wait_labels": WAIT_LABELS}))


def test_a_worker_that_dies_and_comes_back_was_lost_and_the_run_stopped():
    report = account_of(
        [
            started(), *joined(0), *joined(1), iterated(0, 0, 1), iterated(1, 0, 1),
            AggregateApplied(1, 1, 1.0, (Contribution(0, 3, 3, 0), Contribution(1, 2, 2, 1)), ""),
            WorkerLeft(2, 0, "died"), WorkerLeft(6, 1, "stopped"), RunFinished(6, "stopped", ""),
            started(7), RunResumed(7.5, 3, 1, {"0": 1, "1": 2}), *joined(0, 8, 1), *joined(1, 8, 1), iterated(0, 8, 9),
        ]
    )  # fmt: skip
    assert parts_of(report, 0) == {"compute": 2, "unfinished": 1, "lost": 5, "stopped": 1}
    assert parts_of(report, 1) == {"compute": 1, "unfinished": 6, "stopped": 2}
    assert [row["num_lives"] for row in report["workers"]] == [2, 2]
    assert report["work"]["num_rolled_back"] == 2
    check_adds_up(report)


def test_a_wait_that_is_told_before_its_reason_is_explained_later():
    start = [started(), *joined(0), *joined(1), iterated(0, 0, 1)]
    gate = [pushed(0, 1, 1), held(0, 1, 1), pushed(1, 3, 3), released(0, 3), pushed(1, 4, 4, 2)]
    account = Account()
    for seq, event in enumerate([*start, landed(0, 1, 1, 3, 3)], 1):
        account.update(json.loads(log.with_seq(log.encode(event), seq)))
    assert waited(account.report()) == {}
    assert account.report()["waits_for"]["nobody_s"] == [2, 0]
    for event in gate:
        account.update(json.loads(log.with_seq(log.encode(event), 1)))
    assert waited(account.report()) == {(0, 1): 2}


# ---- work, bytes, predictions ----------------------------------------------------------------------------------


def test_iterations_are_sorted_by_what_became_of_them():
    applied = AggregateApplied(1, 1, 1.0, (Contribution(0, 1, 1, 2),), "")
    events = [
        started(), *joined(0), *joined(1),
        pushed(0, 1, 1, 1, compute_s=0.5), applied,
        pushed(0, 2, 2, 2, compute_s=0.25), PushDiscarded(2, 0, 2, "too old"), pushed(1, 3, 3, 1, compute_s=4.0),
    ]  # fmt: skip
    work = account_of(events)["work"]
    assert work["applied"] == {"num_iterations": 1, "seconds": 0.5}
    assert work["discarded"] == {"num_iterations": 1, "seconds": 0.25}
    assert work["pending"] == {"num_iterations": 1, "seconds": 4.0}
    work = account_of([*events, RunFinished(4, "stopped", "")])["work"]
    assert (work["pending"]["num_iterations"], work["dropped"]["seconds"]) == (0, 4.0)


def test_work_after_the_target_counts_from_its_moment():
    events: list[Event] = [started(), *joined(0)]
    events += [iterated(0, at, at + 1) for at in range(4)]
    seen = EvaluationFinished(4.5, 1.5, 1, 0.1, 0.9, 10, False)
    report = account_of([*events, seen, TargetReached(1.5, "test_accuracy", 0.9), iterated(0, 4, 5)])
    assert report["work"]["target_at_s"] == 1.5
    assert report["work"]["after_target"] == {"num_iterations": 4, "seconds": 3.5}


def test_gauges_go_on_over_the_lives_of_a_process():
    samples = [NodeSampled(1, "server", 0, 1, 100, 10), NodeSampled(2, "server", 0, 1, 200, 20)]
    report = account_of([started(), *samples, started(3), NodeSampled(4, "server", 0, 1, 7, 5), *joined(0, 4)])
    assert report["bytes"] == [
        {"node": "server", "sent_bytes": 207, "received_bytes": 25, "known_by": "gauge"},
        {"node": "worker-0", "sent_bytes": 0, "received_bytes": 100, "known_by": "exchanges"},
    ]


def test_the_first_and_the_last_prediction_of_an_update_are_judged():
    def plan(at_s: float, cut_s: float) -> SyncPlanned:
        return SyncPlanned(at_s, 1, cut_s, cut_s - 0.5, cut_s + 0.5, 0.0, (), "")

    events = [started(), plan(1, 7), plan(2, 4.75), AggregateApplied(5, 1, 1.0, (), "")]
    predictions = account_of(events)["predictions"]
    first, last = predictions["first_plans"], predictions["last_plans"]
    assert (first["coverage"], first["bias_s"], first["mean_error_s"]) == (0, -2, 2)
    assert (last["coverage"], last["bias_s"], last["mean_width_s"], last["num"]) == (1, 0.25, 1, 1)


def test_forecasts_of_iterations_are_judged_after_the_warm_up():
    events: list[Event] = [started(), *joined(0)]
    for number in range(1, 31):
        at = float(number)
        events += [ForecastUpdated(at, 0, number, at, at + 0.9, at + 0.8, at + 0.95), pushed(0, at + 1, at + 1, number)]
    score = account_of(events)["workers"][0]["forecasts"]
    assert (score["num"], score["coverage"]) == (10, 0)
    assert score["bias_s"] == pytest.approx(0.1)
    assert score["bias_share"] == pytest.approx(0.1)


# ---- small parts -----------------------------------------------------------------------------------------------


def test_slices_keep_their_sum_and_their_number():
    slices = Slices()
    for place in range(1000):
        slices.add(place % 3, place * 0.7, place * 0.7 + 0.5)
    assert sum(map(sum, slices.rows.values())) == pytest.approx(500)
    assert max(map(len, slices.rows.values())) <= MOST
    assert slices.length_s * MOST >= 700


def test_bars_hold_every_value_and_are_few():
    counts = Counts()
    for value in range(-5, 995):
        counts.add(value)
    report = counts.report()
    assert (len(report["bars"]) <= MOST_BARS, sum(report["bars"]), report["max"], report["first"]) == (
        True,
        1000,
        994,
        -5,
    )
    assert (report["mean"], report["median"], report["p95"]) == (494.5, 494, 944)
    assert Counts().report()["mean"] is None


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("waits at the barrier for worker 3", "barrier"),
        ("waits for workers 1 and 2: leads by 4, threshold 3", "threshold"),
        ("waits for worker 1: leads by 4, lower threshold 3, no grant is left", "threshold"),
        ("waits for the push of 5 workers: 4 iterations past its own, the limit", "cap"),
        ("lands just before its next boundary", "newest"),
        ("joined: gets the first weights", "first"),
        ("the deadline, 1.000 s after the round's start, has passed", "deadline"),
        ("", "unsaid"),
    ],
)
def test_the_gates_sentences_have_a_kind(sentence, kind):
    assert kind_of(sentence) == kind
    assert kind in WAIT_LABELS


def test_the_answer_claims_only_what_the_numbers_say():
    ends = [WorkerLeft(4.5, 0, "stopped"), WorkerLeft(4.5, 1, "stopped"), RunFinished(5, "stopped", "")]
    both = [started(), *joined(0), *joined(1)]
    waits = [pushed(0, 1, 1), held(0, 1, 1), pushed(1, 4, 4), released(0, 4), released(1, 4), landed(0, 1, 1, 4, 4)]
    report = account_of([*both, iterated(0, 0, 1), iterated(1, 0, 4), *waits, *ends])
    said = answer({**report, "wait_labels": WAIT_LABELS})
    assert said[0] == "Workers spent 33% of their time waiting, all of it for worker 1."
    assert said[1] == "That is 3 s of worker time, as long as 1 iteration of average length takes."
    assert said[2] == "All of the waiting was for a barrier at which all wait for all."
    quiet = account_of([*both, iterated(0, 0, 4.5), iterated(1, 0, 4.5), *ends])
    assert answer({**quiet, "wait_labels": WAIT_LABELS})[0] == "No worker waited for another."
    assert answer({**account_of([started()]), "wait_labels": WAIT_LABELS}) == ["No worker has joined yet."]


def test_shares_and_durations_are_told_with_digits_that_count():
    assert [percent(share) for share in (0, 0.0004, 0.05, 0.5, 0.997, 1.0)] == [
        "0.0%", "under 0.1%", "5.0%", "50%", "over 99%", "100%"
    ]  # fmt: skip
    assert [duration(seconds) for seconds in (0.0123, 1.5, 1234.0)] == ["12.3 ms", "1.5 s", "1,234 s"]


def test_every_part_says_what_it_means():
    assert all(part.meaning.endswith(".") and part.label for part in PARTS)
