"""The figures of a run, computed from the whole log at once, and the properties of the fold that gives the same."""

from __future__ import annotations

import json
import math
from random import Random

from predictor.events import (
    AggregateApplied,
    Event,
    ExchangeFinished,
    ForecastUpdated,
    IterationFinished,
    IterationReported,
    PushArrived,
    RunFinished,
    SyncPlanned,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.simulator import Scenario
from predictor.summary import Summary
from tests.predictor.checks import of, record


def check_equals_brute_force(scenario: Scenario) -> None:
    """At every point of a log, the fold says what the whole log up to there says."""
    events, _ = record(scenario)
    summary = Summary()
    for num, event in enumerate(events, 1):
        summary.update(event)
        assert_alike(pick(summary.report()), brute_force(events[:num]), f"after {num} events")


def check_equals_simulation(scenario: Scenario) -> None:
    """The fold over a simulated log of a run in which nobody dies gives the simulator's own figures."""
    events, result = record(scenario)
    report = folded(events).report()
    assert report["max_lead"] == result.max_lead
    assert report["version"] == result.version
    for row, times in zip(report["workers"], result.workers, strict=True):
        for name in ("worker", "num_iterations", "compute_s", "wait_s", "transfer_s", "wall_s"):
            assert_alike(row[name], getattr(times, name), f"{name} of worker {times.worker}")
    assert_alike(report["utilisation"], result.utilisation, "utilisation")


def check_goes_on_from_its_data(scenario: Scenario, seed: int, share: float) -> None:
    """Written down and read again at any point, the fold goes on as if nothing had happened."""
    events = interleaved(record(scenario)[0], seed)
    cut = int(share * len(events))
    state = json.loads(json.dumps(folded(events[:cut]).to_data(), allow_nan=False))
    assert folded(events[cut:], Summary.from_data(state)).to_data() == folded(events).to_data()


def check_forecasts(scenario: Scenario) -> None:
    """The forecasts of iterations are held against their ends as the whole log says."""
    events, _ = record(scenario)
    assert_alike(folded(events).report()["forecasts"], forecasts(events), "forecasts")


def check_order_of_streams(scenario: Scenario, seed: int) -> None:
    """However the streams of the processes are interleaved, the closing figures are the same."""
    events, _ = record(scenario)
    assert_alike(folded(interleaved(events, seed)).report(), folded(events).report(), "interleaved")


def check_sane(scenario: Scenario, seed: int) -> None:
    """At every point, shares are between 0 and 1, nothing is negative, and all can be written as JSON."""
    summary = Summary()
    for event in interleaved(record(scenario)[0], seed):
        summary.update(event)
        report = summary.report()
        json.dumps(report, allow_nan=False)
        for row in (report, *report["workers"]):
            assert row["utilisation"] is None or 0 <= row["utilisation"] <= 1
        assert sum(report[name] or 0 for name in ("utilisation", "wait_share", "transfer_share")) <= 1 + 1e-9
        for row in report["workers"]:
            parts = (row["compute_s"], row["wait_s"], row["transfer_s"])
            assert min(parts) >= 0
            assert sum(parts) <= row["wall_s"] * (1 + 1e-9)


def interleaved(events: list[Event], seed: int) -> list[Event]:
    """Give the log as it would be had its streams (the gate's, each worker's) reached the writer otherwise."""
    streams: dict[object, list[Event]] = {}
    for event in events[1:-1]:
        is_measured = isinstance(event, IterationFinished | ExchangeFinished)
        streams.setdefault(event.worker if is_measured else "gate", []).append(event)
    waiting = [stream[::-1] for stream in streams.values()]
    order, random = [events[0]], Random(seed)
    while waiting:
        stream = random.choice(waiting)
        order.append(stream.pop())
        waiting = [stream for stream in waiting if stream]
    return [*order, events[-1]]


def folded(events: list[Event], summary: Summary | None = None) -> Summary:
    summary = summary or Summary()
    for event in events:
        summary.update(event)
    return summary


def assert_alike(found, expected, place: str) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for name in expected:
            assert_alike(found[name], expected[name], f"{place}: {name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for number, pair in enumerate(zip(found, expected, strict=True)):
            assert_alike(*pair, f"{place}: {number}")
    elif isinstance(expected, float) and isinstance(found, float | int):
        assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9), f"{place}: {found} is not {expected}"
    else:
        assert found == expected, f"{place}: {found} is not {expected}"


# ---- the same figures, from lists ----------------------------------------------------------------------------

_RUN = ("duration_s", "num_iterations", "version", "max_lead", "mean_staleness", "num_workers_lost", "windows", "bytes")
_WARM_UP = 20
_WORKER = ("worker", "num_iterations", "compute_s", "wait_s", "transfer_s", "wall_s", "mean_interval_s", "lead")


def pick(report: dict) -> dict:
    """Give the part of a report that `brute_force` computes."""
    rows = [{name: row[name] for name in _WORKER} for row in report["workers"]]
    return {**{name: report[name] for name in _RUN}, "workers": rows}


def brute_force(events: list[Event]) -> dict:
    """Compute the figures of a log of one run, whose workers live once."""
    workers = sorted({event.worker for event in events if hasattr(event, "worker")})
    staleness = [one.staleness for event in of(AggregateApplied, events) for one in event.contributions]
    exchanges = of(ExchangeFinished, events)
    return {
        "duration_s": max((event.at_s for event in events), default=0.0),
        "num_iterations": len(of(IterationFinished, events)),
        "version": max((event.version for event in of(AggregateApplied, events)), default=0),
        "max_lead": max((lead(events[: i + 1], e.worker) for i, e in enumerate(events) if is_push(e)), default=0),
        "mean_staleness": sum(staleness) / len(staleness) if staleness else None,
        "num_workers_lost": len([event for event in of(WorkerLeft, events) if event.reason == "died"]),
        "windows": windows(events),
        "bytes": sum(one.sent_bytes + one.received_bytes for one in exchanges),
        "workers": [figures(events, worker) for worker in workers],
    }


def is_push(event: Event) -> bool:
    return isinstance(event, PushArrived)


def lead(events: list[Event], worker: int) -> int:
    clocks = {}
    for event in events:
        if isinstance(event, WorkerJoined | PushArrived):
            clocks[event.worker] = event.iteration
        elif isinstance(event, WorkerLeft):
            del clocks[event.worker]
    return clocks[worker] - min(clocks.values()) if worker in clocks and not is_over(events) else 0


def is_over(events: list[Event]) -> bool:
    return any(isinstance(event, RunFinished) for event in events)


def windows(events: list[Event]) -> dict:
    errors, num_covered = [], 0
    for place, applied in enumerate(events):
        if not isinstance(applied, AggregateApplied):
            continue
        plans = [plan for plan in of(SyncPlanned, events[:place]) if plan.version == applied.version]
        if plans:
            errors.append(abs(applied.at_s - plans[-1].cut_at_s))
            num_covered += plans[-1].low_at_s <= applied.at_s <= plans[-1].high_at_s
    mean_error_s = sum(errors) / len(errors) if errors else None
    return {"num": len(errors), "num_covered": num_covered, "mean_error_s": mean_error_s}


def forecasts(events: list[Event]) -> dict | None:
    """Hold each forecast against the end of its iteration, for workers that live once."""
    ended_s = {
        (one.worker, one.iteration): one.ended_at_s
        for one in events
        if isinstance(one, PushArrived | IterationReported) and one.iteration > _WARM_UP
    }
    judged = [one for one in of(ForecastUpdated, events) if (one.worker, one.iteration) in ended_s]
    pairs = [(one, ended_s[one.worker, one.iteration]) for one in judged]
    if not pairs:
        return None
    return {
        "num": len(pairs),
        "coverage": sum(one.low_at_s <= end_s <= one.high_at_s for one, end_s in pairs) / len(pairs),
        "mean_error_share": sum(abs(end_s - one.expected_at_s) / (end_s - one.started_at_s) for one, end_s in pairs)
        / len(pairs),
        "mean_width_share": sum((one.high_at_s - one.low_at_s) / (end_s - one.started_at_s) for one, end_s in pairs)
        / len(pairs),
    }


def figures(events: list[Event], worker: int) -> dict:
    """Give one worker's row."""
    own = [event for event in events if getattr(event, "worker", None) == worker]
    newest_s = max(event.at_s for event in events)
    steps = of(IterationFinished, own)
    left = of(WorkerLeft, own)
    joined_at_s = of(WorkerJoined, own)[0].at_s
    left_at_s = left[0].at_s if left else newest_s
    transfers, waits = blocked_spans(own, newest_s)
    computed = [(step.at_s - step.compute_s, step.at_s) for step in steps]
    parts_s = [length(spans) for spans in (computed, waits, transfers)]
    return {
        "worker": worker,
        "num_iterations": len(steps),
        "compute_s": parts_s[0],
        "wait_s": parts_s[1],
        "transfer_s": parts_s[2],
        "wall_s": max(left_at_s - joined_at_s, sum(parts_s)),
        "mean_interval_s": mean_interval_s(own),
        "lead": lead(events, worker),
    }


def blocked_spans(own: list[Event], newest_s: float) -> tuple[list, list]:
    transfers, waits = [], []
    landed_s = 0.0
    for one in of(ExchangeFinished, own):
        if one.blocked_from_s is not None:
            landed_s = max(landed_s, one.at_s)
            waits_from_s = max(one.blocked_from_s, one.arrived_at_s)
            waits_until_s = max(waits_from_s, one.released_at_s)
            waits.append((waits_from_s, waits_until_s))
            transfers += [(one.blocked_from_s, waits_from_s), (waits_until_s, one.at_s)]
    left = of(WorkerLeft, own)
    boundaries = [event for event in own if isinstance(event, PushArrived | IterationReported)]
    if not boundaries:
        return transfers, waits
    last = boundaries[-1]
    if left and left[0].reason == "finished":
        transfers.append((last.ended_at_s, left[0].at_s))
    if isinstance(last, PushArrived):
        waits_from_s = last.at_s if last.is_blocking else None
    else:
        waits_from_s = last.ended_at_s if last.is_waiting else None
    if waits_from_s is not None and landed_s <= waits_from_s:  # its end was not told yet
        after = own[own.index(last) + 1 :]
        ends = [event.at_s for event in after if isinstance(event, WorkerReleased | WorkerLeft)]
        waits.append((waits_from_s, ends[0] if ends else newest_s))
    return transfers, waits


def mean_interval_s(own: list[Event]) -> float | None:
    intervals, released_s = [], None
    for event in own:
        if isinstance(event, WorkerReleased):
            released_s = event.at_s
        elif isinstance(event, PushArrived) and released_s is not None:
            intervals.append(event.at_s - released_s)
            released_s = None
    return sum(intervals) / len(intervals) if intervals else None


def length(spans: list[tuple[float, float]]) -> float:
    """Give the length of the union of time spans."""
    total_s, until_s = 0.0, -math.inf
    for start_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(start_s, until_s))
        until_s = max(until_s, end_s)
    return total_s
