"""Draw the pictures of docs/method.md from logs of the simulator: `python -m docs.images.make_method`.

Written beside this file: `timelines.svg`, `exchange.svg`, `waiting.svg`, `timing.svg`. The same code gives the same
pictures: all times are virtual, all draws are seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from docs.images.picture import (
    COMPUTE,
    INK,
    LINE,
    LOCAL,
    QUIET,
    STALL,
    SUNKEN,
    SURFACE,
    TRANSFER,
    TRANSFERS,
    WAIT,
    WAIT_INK,
    WAITS,
    Axis,
    Picture,
    short,
)
from docs.images.simulated import FACTORS, bars_of, iterations_of, landings_of, pushes_of, run
from predictor.events import AggregateApplied, Event, ExchangeFinished, IterationFinished, WorkerReleased
from predictor.forecasters.timing import cheapest_s

HERE = Path(__file__).resolve().parent
FROM_S, TO_S = 24.0, 36.0  # when everything has settled
DRAWN: Sequence[tuple[str, dict[str, Any], str]] = (
    ("bsp", {}, "after every iteration all wait for the slowest"),
    ("ssp", {"threshold": 2}, "threshold 2: who leads the slowest by more waits; each answer is waited for"),
    ("asp", {}, "nobody waits for others, but each waits for its own answer"),
    ("cocod", {"local_iterations": 2}, "2 local iterations, the mean travels during the next 2; then all wait"),
    ("predictive", {}, "rounds are cut where the forecast idle share is least; training goes on meanwhile"),
    ("foresync", {}, "no rounds: weights are sent so that they land just before the next boundary"),
)
PANEL, LANE, HEAD = 116, 13, 70  # heights: a policy, a worker, what stands above them


# ---- the same seconds under six policies -----------------------------------------------------------------


def timelines() -> None:
    """Draw four workers, one of which is slow, under six policies."""
    bottom = HEAD + PANEL * len(DRAWN)
    title = "The same 12 s of four workers, the last one 2.5 times slower; push + pull take 0.5 s (simulated)"
    picture = Picture(
        bottom + 24, title, "Who computes, waits and transfers under " + ", ".join(row[0] for row in DRAWN)
    )
    states = (COMPUTE, "compute"), (LOCAL, "compute, a push is in flight"), (WAITS, "wait"), (TRANSFERS, "transfer")
    picture.legend((96, 50), states)
    picture.path("M602 50l3.5 -8l3.5 8Z", width=0, fill=INK)
    picture.text((615, 50), "push leaves", QUIET)
    picture.path("M700 42h7l-3.5 8Z", fill=SURFACE)
    picture.text((713, 50), "weights land", QUIET)
    picture.path("M804 42v9", STALL, width=1.5)
    picture.text((812, 50), "applied", QUIET)
    at = Axis(FROM_S, TO_S, 96, 884)
    for number, (policy, keys, words) in enumerate(DRAWN):
        events, y = run(policy, 0.5, **keys), HEAD + PANEL * number
        picture.text((16, y + 12), policy, weight="600")
        picture.text((96, y + 12), words, QUIET)
        picture.text((86, y + 31), "server", QUIET, "end")
        applied = [one.at_s for one in events if isinstance(one, AggregateApplied) and FROM_S <= one.at_s <= TO_S]
        picture.path("".join(f"M{short(at(one))} {y + 22}v10" for one in applied), STALL, width=1.5)
        for worker in range(len(FACTORS)):
            top = y + 38 + worker * (LANE + 4)
            picture.text((86, top + 10), f"worker {worker}", QUIET, "end")
            _lane(picture, top, at, events, worker)
    for second in range(0, int(TO_S - FROM_S) + 1, 2):
        x, is_last = at(FROM_S + second), FROM_S + second == TO_S
        picture.line(((x, bottom - 2), (x, bottom + 3)), QUIET)
        picture.text((x, bottom + 16), f"{second} s", QUIET, "end" if is_last else "middle")
    picture.write(HERE / "timelines.svg")


def _lane(picture: Picture, y: int, at: Axis, events: Sequence[Event], worker: int) -> None:
    """Draw one worker's bars, the ends of its iterations, its pushes and landings."""
    picture.box((96, y), (788, LANE), SURFACE)
    by_fill: dict[str, list[str]] = {}
    for bar in bars_of(events, worker):
        if bar.end_s > FROM_S and bar.start_s < TO_S:
            x, end = short(at(bar.start_s)), short(at(bar.end_s))
            by_fill.setdefault(bar.fill, []).append(f"M{x} {y}H{end}v{LANE}H{x}Z")
    for fill, paths in by_fill.items():
        picture.path("".join(paths), width=0, fill=fill)
    ends = [at(one.at_s) for one in iterations_of(events, worker) if FROM_S < one.at_s < TO_S]
    picture.path("".join(f"M{short(x)} {y}v{LANE}" for x in ends), SURFACE)
    pushes = [at(one.ended_at_s) for one in pushes_of(events, worker) if FROM_S <= one.ended_at_s <= TO_S]
    picture.path("".join(f"M{short(x - 3)} {y + 5}l3 -7l3 7Z" for x in pushes), SURFACE, width=0.6, fill=INK)
    landings = [at(one.at_s) for one in landings_of(events, worker) if FROM_S <= one.at_s <= TO_S]
    marks = "".join(f"M{short(x - 3)} {y + LANE - 5}h6l-3 7Z" for x in landings)
    picture.path(marks, width=0.8, fill=SURFACE)


# ---- one exchange ----------------------------------------------------------------------------------------


def exchange() -> None:
    """Draw one exchange of one worker under foresync."""
    events = run("foresync", 0.5)
    before, one, landing = _timed(events)
    boundary_s, next_s, released_s = before.at_s, one.at_s, landing.released_at_s
    arrived_s = next(push.at_s for push in pushes_of(events, 0) if push.ended_at_s == boundary_s)
    title = "One exchange of worker 0 under foresync (from a simulated log, 0.25 s each way)"
    picture = Picture(
        330, title, "A push, the timer at the server, the landing before the boundary, the age of weights."
    )
    at = Axis(boundary_s - 0.2, next_s + 0.28, 150, 884)
    server, worker = 92.0, 218.0
    picture.text((16, server + 4), "server", QUIET)
    picture.text((16, worker + 18), "worker 0", QUIET)
    picture.line(((150, server), (884, server)), QUIET, width=1.5)
    for bar in bars_of(events, 0):
        if bar.end_s > at.low and bar.start_s < at.high:
            x = at(bar.start_s)
            picture.box((x, worker), (at(bar.end_s) - x, 28), bar.fill)
    for end_s in (boundary_s, next_s):
        picture.line(((at(end_s), worker), (at(end_s), worker + 28)), SURFACE, width=2)
    words = f"iteration {one.iteration}: {one.compute_s:.2f} s"
    picture.text(((at(boundary_s) + at(next_s)) / 2 - 30, worker + 18), words, SURFACE, "middle")
    for end_s, name, depth in ((boundary_s, "boundary", 36), (next_s, "next boundary: merge", 92)):
        picture.line(((at(end_s), 62), (at(end_s), worker + depth)), INK, dash="2 3")
        picture.text((at(end_s), 56), name, INK, "middle")
    picture.arrow((at(boundary_s), worker), (at(arrived_s), server + 2), COMPUTE)
    picture.text(((at(boundary_s) + at(arrived_s)) / 2 - 10, server + 60), "push", COMPUTE, "end")
    picture.arrow((at(released_s), server), (at(landing.at_s), worker - 1), TRANSFER)
    picture.text(((at(released_s) + at(landing.at_s)) / 2 + 12, server + 60), "weights", TRANSFER)
    picture.box((at(arrived_s), server - 7), (at(released_s) - at(arrived_s), 14), SURFACE, QUIET)
    middle = (at(arrived_s) + at(released_s)) / 2
    picture.text((middle, server + 4), "the answer is held: timer", QUIET, "middle")
    picture.text((at(arrived_s) - 4, server - 14), "delta is added", COMPUTE, "middle")
    picture.arrow((at(arrived_s), server + 8), (at(arrived_s + 0.25), worker - 1), QUIET, "4 4")
    picture.text((at(arrived_s) + 84, server + 64), "if answered at once", QUIET)
    margin = f"lands {1000 * (next_s - landing.at_s):.0f} ms early"
    picture.measure((at(landing.at_s), worker + 44), at(next_s), margin, STALL)
    picture.measure((at(released_s), worker + 66), at(next_s), f"age: {next_s - released_s:.2f} s", TRANSFER)
    at_once = f"answered at once: {next_s - arrived_s:.2f} s"
    picture.measure((at(arrived_s), worker + 88), at(next_s), at_once, QUIET)
    picture.write(HERE / "exchange.svg")


def _timed(events: Sequence[Event]) -> tuple[IterationFinished, IterationFinished, ExchangeFinished]:
    """Find two iterations of worker 0, and weights that were held and landed a little before the second one's end."""
    held = {one.at_s for one in events if isinstance(one, WorkerReleased) and "just before" in one.reason}
    return next(
        (before, one, landing)
        for before, one in pairwise(iterations_of(events, 0))
        for landing in landings_of(events, 0)
        if before.at_s > FROM_S and landing.released_at_s in held
        if landing.at_s > before.at_s + 0.55 and 0.03 < one.at_s - landing.at_s < 0.12
    )


# ---- waiting or going on ---------------------------------------------------------------------------------


def waiting() -> None:
    """Draw what a boundary that comes before its weights leads to, and what both ways out cost."""
    title = "The boundary came before its weights (from simulated logs, 0.1 s each way)"
    picture = Picture(318, title, "Going on with old weights and waiting for new ones, and what both cost.")
    _strip(picture, 62, "never", "goes on with old weights")
    _strip(picture, 176, "if_short", "waits, since the way is short")
    states = (COMPUTE, "compute"), (LOCAL, "compute, a push is in flight"), (WAITS, "wait"), (TRANSFERS, "transfer")
    picture.legend((16, 300), states)
    at, cost = Axis(0, 1, 640, 880), Axis(0, 2, 252, 70)
    picture.box((at(0), cost(2)), (at(1) - at(0), cost(0) - cost(2)), SURFACE, LINE)
    corners = "L".join(f"{short(at(way))} {short(cost(one))}" for way, one in ((0, 0), (0.25, 1), (1, 1), (1, 0)))
    picture.path(f"M{corners}Z", width=0, fill=SUNKEN)
    picture.line(((at(0), cost(1)), (at(1), cost(1))), LOCAL, width=2)
    picture.line(((at(0), cost(0)), (at(0.5), cost(2))), WAIT, width=2)
    picture.line(((at(0.25), cost(1)), (at(0.25), cost(0))), QUIET, dash="2 3")
    picture.text((at(0) + 8, cost(1) - 6), "go on: 1", COMPUTE)
    picture.text((at(0.52), cost(1.75)), "wait: 4 x way", WAIT_INK)
    picture.text((at(0.23), cost(0.12)), "waits", QUIET, "end")
    picture.text((at(0.27), cost(0.12)), "goes on", QUIET)
    for way in (0.0, 0.5, 1.0):
        picture.text((at(way), 268), f"{way:g}", QUIET, "middle")
    for one in (0, 1, 2):
        picture.text((at(0) - 6, cost(one) + 4), str(one), QUIET, "end")
    picture.text((880, 286), "way there and back, in iterations", QUIET, "end")
    picture.text((626, 58), "cost, in iterations of age", QUIET)
    picture.write(HERE / "waiting.svg")


def _strip(picture: Picture, y: float, wait: str, words: str) -> None:
    """Draw two iterations of worker 0 around the latest landing after such a boundary; strips are aligned there."""
    events = run("foresync", 0.2, wait=wait)
    landings = landings_of(events, 0)
    missed = [
        (min(landing.at_s for landing in landings if landing.at_s > one.at_s) - one.at_s, one, following)
        for one, following in pairwise(iterations_of(events, 0)[:-1])
        if one.started_at_s > 12 and not any(one.started_at_s < landing.at_s <= one.at_s for landing in landings)
    ]
    _, one, following = max(missed, key=lambda row: row[0])
    at = Axis(one.at_s - 1.0, one.at_s + 1.42, 16, 596)
    picture.text((16, y + 10), words, weight="600")
    for bar in bars_of(events, 0):
        if bar.end_s > at.low and bar.start_s < at.high:
            picture.box((at(bar.start_s), y + 22), (at(bar.end_s) - at(bar.start_s), 24), bar.fill)
    for end_s in (one.at_s, following.at_s):
        picture.line(((at(end_s), y + 22), (at(end_s), y + 46)), SURFACE, width=2)
    for landing in landings:
        if at.low < landing.at_s < at.high:
            picture.path(f"M{short(at(landing.at_s) - 5)} {short(y + 14)}h10l-5 9Z", fill=SURFACE)
    picture.line(((at(one.at_s), y + 14), (at(one.at_s), y + 58)), INK, dash="2 3")
    picture.text((at(one.at_s), y + 10), "boundary", INK, "middle")
    used_s = max(landing.released_at_s for landing in landings if landing.at_s <= following.started_at_s)
    words = f"ends here: a gradient of weights {following.at_s - used_s:.2f} s old"
    picture.text((at(following.at_s), y + 70), words, STALL if wait == "never" else TRANSFER, "end")
    picture.line(((at(following.at_s), y + 46), (at(following.at_s), y + 58)), INK)


# ---- what to aim at --------------------------------------------------------------------------------------


def timing() -> None:
    """Draw the cost of each duration that one could aim at, over the eight of one worker."""
    durations = sorted(one.compute_s for one in iterations_of(run("foresync", 0.5), 0)[16:24])
    title = "Which of its last eight durations to aim at (worker 0, from a simulated log)"
    picture = Picture(290, title, "Mean cost of aiming at each duration, where being late costs much and where little.")
    at, cost = Axis(durations[0] - 0.03, durations[-1] + 0.03, 70, 640), Axis(0, 1.05, 236, 48)
    picture.box((at.first, cost.last), (at.last - at.first, cost.first - cost.last), SURFACE, LINE)
    mean_s = sum(durations) / len(durations)
    kinds = (0.4, WAIT_INK, "late: 4 x 0.1 s, it waits", "6 3"), (mean_s, COMPUTE, "late: a whole iteration", "")
    for late_s, stroke, words, dash in kinds:
        places = [(at(one), cost(cost_s(durations, one, late_s))) for one in durations]
        picture.line(places, stroke, width=2, dash=dash)
        picture.text((652, places[-1][1] + 4), words, stroke)
        aim = durations.index(cheapest_s(durations, late_s))
        for number, (x, y) in enumerate(places):
            radius, fill = (5, stroke) if number == aim else (3, SURFACE)
            circle = f"a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0 {-2 * radius} 0Z"
            picture.path(f"M{short(x - radius)} {short(y)}{circle}", stroke, fill=fill)
    picture.text((652, 130), "filled: what is aimed at", QUIET)
    picture.text((at.first + 8, cost.last + 18), "mean cost of an aim", QUIET)
    picture.text((at.first, 272), "duration that is aimed at", QUIET)
    for duration_s in (durations[0], durations[-1]):
        picture.text((at(duration_s), 252), f"{duration_s:.2f} s", QUIET, "middle")
    for mean_cost_s in (0.0, 0.5, 1.0):
        picture.text((at.first - 6, cost(mean_cost_s) + 4), f"{mean_cost_s:g} s", QUIET, "end")
    picture.write(HERE / "timing.svg")


def cost_s(durations: Sequence[float], aim_s: float, late_s: float) -> float:
    """Give the mean cost of an aim: early costs the time until the end, late costs `late_s`."""
    return sum(late_s if one < aim_s else one - aim_s for one in durations) / len(durations)


if __name__ == "__main__":
    timelines()
    exchange()
    waiting()
    timing()
