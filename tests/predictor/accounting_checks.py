"""Properties of the accounting, over any log of any policy."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from predictor import log
from predictor.accounting import WAIT_LABELS, Account, answer, from_data, to_data
from predictor.accounting.parts import PART_KEYS, UNSAID, kind_of
from predictor.events import Event, IterationFinished, WorkerHeld
from predictor.simulator import Scenario
from predictor.summary import Summary
from tests.predictor.checks import of, record
from tests.predictor.summary_checks import interleaved

TOLERANCE_S = 1e-6


def lines(events: list[Event]) -> list[dict[str, Any]]:
    """Give events as they stand in a log."""
    return [json.loads(log.with_seq(log.encode(event), seq)) for seq, event in enumerate(events, 1)]


def account_of(events: list[Event]) -> dict[str, Any]:
    account = Account()
    for line in lines(events):
        account.update(line)
    return account.report()


def check_adds_up(report: dict[str, Any]) -> None:
    """All parts are there once, none is negative, and every way to divide the waiting gives the same sum."""
    for row in report["workers"]:
        assert set(row["parts"]) == set(PART_KEYS)
        assert min(row["parts"].values()) >= 0
        assert row["unaccounted_s"] >= 0
        booked_s = math.fsum(row["parts"].values()) + row["unaccounted_s"]
        assert booked_s == pytest.approx(row["wall_s"], abs=TOLERANCE_S), row
    matrix = report["waits_for"]
    for place, worker in enumerate(matrix["workers"]):
        waited_s = math.fsum(matrix["seconds"][place]) + matrix["nobody_s"][place]
        row = next((one for one in report["workers"] if one["worker"] == worker), None)
        assert row is not None
        assert waited_s == pytest.approx(row["parts"]["wait"], abs=TOLERANCE_S)
        assert math.fsum(row["wait_kinds"].values()) == pytest.approx(waited_s, abs=TOLERANCE_S)
        assert matrix["seconds"][place][place] == 0, "nobody waits for itself"
        caused_s = math.fsum(line[place] for line in matrix["seconds"])
        assert row["caused_s"] == pytest.approx(caused_s, abs=TOLERANCE_S)
    waited_s = report["total"]["parts"]["wait"]
    sentences, critical = report["sentences"], report["critical"]
    told_s = math.fsum(one["seconds"] for one in sentences["top"]) + sentences["others_s"]
    assert told_s == pytest.approx(waited_s, abs=TOLERANCE_S)
    assert math.fsum(critical["waited_s"]) == pytest.approx(waited_s, abs=TOLERANCE_S)
    for worst_s, all_s in zip(critical["seconds"], critical["waited_s"], strict=True):
        assert 0 <= worst_s <= all_s + TOLERANCE_S
    json.dumps(report, allow_nan=False)
    assert all(answer({**report, "wait_labels": WAIT_LABELS}))


def check_any_log(scenario: Scenario) -> None:
    """At every point of a simulated log it adds up, and at its end nothing is unaccounted."""
    events, _ = record(scenario)
    account = Account()
    for line in lines(events):
        account.update(line)
        check_adds_up(account.report())
    total = account.report()["total"]
    assert total["unaccounted_s"] < TOLERANCE_S


def check_any_order_of_streams(scenario: Scenario, seed: int) -> None:
    """However the streams of the processes reach the log: it adds up on the way, and the end is the same.

    Somewhere on the way it is written down, and what was written is gone on from.
    """
    events, _ = record(scenario)
    account = Account()
    for place, line in enumerate(lines(interleaved(events, seed))):
        account.update(line)
        check_adds_up(account.report())
        if place == seed % len(events):
            kept = from_data(json.loads(json.dumps(to_data(account))))
            assert kept.report() == account.report()
            account = kept
    found, expected = account.report(), account_of(events)
    assert _rounded(found) == _rounded(expected)


def check_equals_summary(scenario: Scenario) -> None:
    """The summary, which is folded by other code, knows the same compute, waiting, transfer and wall time."""
    events, _ = record(scenario)
    summary = Summary()
    for event in events:
        summary.update(event)
    for row, other in zip(account_of(events)["workers"], summary.report()["workers"], strict=True):
        parts = row["parts"]
        computed_s = parts["compute"] + parts["overlap"] + parts["stall"]
        assert computed_s == pytest.approx(other["compute_s"], abs=TOLERANCE_S)
        assert parts["overlap"] == pytest.approx(other["overlapped_s"], abs=TOLERANCE_S)
        assert parts["wait"] + parts["server"] == pytest.approx(other["wait_s"], abs=TOLERANCE_S)
        moved_s = parts["up"] + parts["down"] + parts["startup"]
        assert moved_s == pytest.approx(other["transfer_s"], abs=TOLERANCE_S)
        assert row["wall_s"] == pytest.approx(other["wall_s"], abs=TOLERANCE_S)
        assert row["num_iterations"] == other["num_iterations"]


def check_work_is_counted_once(scenario: Scenario) -> None:
    """Every iteration is applied, discarded, dropped or never sent."""
    events, _ = record(scenario)
    work = account_of(events)["work"]
    ends = [work[name] for name in ("applied", "pending", "discarded", "dropped", "unsent")]
    steps = of(IterationFinished, events)
    # An iteration whose message is on its way when its worker dies is told by the worker alone.
    assert sum(one["num_iterations"] for one in ends) <= len(steps)
    assert math.fsum(one["seconds"] for one in ends) <= math.fsum(one.compute_s for one in steps) + TOLERANCE_S
    if not scenario.deaths and scenario.until_s is None:
        assert sum(one["num_iterations"] for one in ends) == len(steps)
        assert math.fsum(one["seconds"] for one in ends) == pytest.approx(math.fsum(one.compute_s for one in steps))


def check_every_sentence_has_a_kind(scenario: Scenario) -> None:
    for held in of(WorkerHeld, record(scenario)[0]):
        assert kind_of(held.reason) != UNSAID, held.reason


def _rounded(data: Any) -> Any:
    """Give the data without the noise of sums in another order, and without what depends on ties."""
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items() if key != "critical"}
    if isinstance(data, list):
        return [_rounded(one) for one in data]
    return round(data, 6) + 0.0 if isinstance(data, float) else data
