"""The report of one run: what it was, how it went, node by node, and whether its forecasts held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from backend.export import words
from backend.export.digest import KINDS, NUM_FIRST, NUM_LAST, NUM_PARTS, Digest
from backend.export.facts import header, settings_section, workers_section
from backend.export.lanes import MAX_SPANS
from backend.export.page import Mark, Section, escape, figure, table, write_page
from backend.export.source import Source, read_events

LANE_HEIGHT, AXIS_HEIGHT = 34, 110
MAX_LANES_HEIGHT = 900
MAX_BARS = 40


def write_report(source: Source) -> Iterator[bytes]:
    """Give the HTML file in pieces: what the run is at once, the figures after one pass over its log."""
    run, digest = source.run, Digest()
    events = read_events(source, KINDS)
    for event in events:
        digest.update(event)
        if event["kind"] == "RunStarted":  # the first event: it names the programs that the header tells
            break
    figures: dict[str, Any] = {}
    sections = _sections(run, digest, events, figures)
    yield from write_page(f"{run['name']}: report", header(run, digest.versions), sections, figures)


def _sections(
    run: dict[str, Any], digest: Digest, rest: Iterator[dict[str, Any]], figures: dict[str, Any]
) -> Iterator[Section]:
    """Read the rest of the log, then give the parts of the page; their figures go into `figures`."""
    for event in rest:
        digest.update(event)
    made = (
        _timeline(run, digest, figures),
        _curves(run, digest, figures),
        workers_section(run),
        _order(digest, figures),
        _forecasts(digest, figures),
        _synchronisations(digest),
        _warnings(digest),
        settings_section(run),
    )
    yield from filter(None, made)


def _timeline(run: dict[str, Any], digest: Digest, figures: dict[str, Any]) -> Section | None:
    data = digest.lanes.to_data()
    if not data["lanes"]:
        return Section("Timeline", "<p class=quiet>No worker had finished an iteration.</p>")
    clock = "virtual seconds since the start" if run["is_simulated"] else "seconds since the start"
    figures["timeline"] = {"kind": "timeline", "x_title": clock, "y_title": "", **data}
    height = min(MAX_LANES_HEIGHT, AXIS_HEIGHT + LANE_HEIGHT * len(data["lanes"]))
    if data["is_exact"]:
        note = f"Every one of the {data['num_spans']:,} spans is drawn. Drag to see a part, double click to go back."
    else:
        note = (
            f"Down-sampled: the run has {data['num_spans']:,} spans, more than {MAX_SPANS:,}, so each column stands "
            f"for {words.seconds(data['column_s'])} divided by the shares of that time; what is empty is neither."
        )
    return Section("Timeline", figure("timeline", "What each worker did", note, height))


def _curves(run: dict[str, Any], digest: Digest, figures: dict[str, Any]) -> Section:
    data = digest.curves.to_data()
    evaluations, training, waiting = data["evaluations"], data["training"], data["waiting"]
    clock = "virtual seconds" if run["is_simulated"] else "seconds"
    target = run["spec"]["stop"].get("target") or {}
    parts: list[str] = []

    def add(key: str, caption: str, traces: list[dict[str, Any]], **more: Any) -> None:
        if any(trace["x"] for trace in traces):
            figures[key] = {"kind": "lines", "x_title": clock, "y_title": "", "traces": traces, **more}
            parts.append(figure(key, caption))

    goal = target.get("value")
    accuracy = [_trace("accuracy", evaluations["at_s"], evaluations["accuracy"], "ink")]
    is_accuracy = target.get("metric") == "test_accuracy"
    add("accuracy", "Accuracy on the held-back set", accuracy, y_percent=True, target=goal if is_accuracy else None)
    losses = [
        _trace("training, mean of minibatches", training["at_s"], training["loss"], "predicted"),
        _trace("held-back set", evaluations["at_s"], evaluations["loss"], "ink"),
    ]
    shown = [one for one in losses if one["x"]]
    add("loss", "Loss", shown, target=goal if target.get("metric") == "test_loss" else None)
    shares = [_trace("waiting", waiting["at_s"], waiting["share"], "wait")]
    add("waiting", "Waiting, share of the workers' time", shares, y_percent=True, y_from_zero=True)
    note = _left_out(digest, data, run["summary"]["num_iterations"])
    return Section("Curves", f"<div class=plots>{''.join(parts)}</div>", note)


def _left_out(digest: Digest, curves: dict[str, Any], num_iterations: int) -> str:
    """Say what the curves do not show one by one."""
    num_shown, num_evaluations = len(curves["evaluations"]["at_s"]), digest.curves.num_evaluations
    num_means = len(curves["training"]["at_s"])
    if num_shown == 0:
        return "Nothing was trained, so there is neither loss nor accuracy."
    said = []
    if num_evaluations > num_shown:
        said.append(f"{num_shown:,} of {num_evaluations:,} evaluations are drawn, at even distances, the last one too.")
    if num_iterations > num_means > 0:
        said.append(f"The training loss of {num_iterations:,} iterations is drawn as {num_means:,} means.")
    return " ".join(said)


def _trace(name: str, x: list[Any], y: list[Any], colour: str | int) -> dict[str, Any]:
    return {"name": name, "x": x, "y": y, "colour": colour}


def _order(digest: Digest, figures: dict[str, Any]) -> Section | None:
    parts: list[str] = []
    for key, caption, counts, unit in (
        ("staleness", "Staleness of applied pushes", digest.staleness, "updates between pull and push"),
        ("lead", "Lead at the arrival of pushes", digest.lead, "iterations before the slowest worker"),
    ):
        if counts:
            x, y, is_named = _bars(counts)
            common = {"kind": "bars", "x_title": unit, "y_title": "pushes", "x_whole": True, "colour": "ink"}
            figures[key] = {**common, "x": x, "y": y, "is_named": is_named}
            parts.append(figure(key, caption))
    return Section("Order of the pushes", f"<div class=plots>{''.join(parts)}</div>") if parts else None


def _bars(counts: Counter[int]) -> tuple[list[Any], list[int], bool]:
    """Give a bar for each value, or, where they are too many, for ranges of equally many values."""
    low, high = min(counts), max(counts)
    width = -(-(high - low + 1) // MAX_BARS)
    sums: Counter[int] = Counter()
    for value, num in counts.items():
        sums[(value - low) // width] += num
    places = range(max(sums) + 1)
    starts = [low + place * width for place in places]
    x = starts if width == 1 else [f"{start} to {start + width - 1}" for start in starts]
    return list(x), [sums[place] for place in places], width > 1


def _forecasts(digest: Digest, figures: dict[str, Any]) -> Section | None:
    if not digest.coverage:
        return None
    num = sum(judged for judged, _ in digest.coverage.values())
    parts = [f"{100 * place // NUM_PARTS} to {100 * (place + 1) // NUM_PARTS}%" for place in range(NUM_PARTS)]
    figures["places"] = {
        "kind": "bars",
        "x": ["before it", *parts, "after it"],
        "y": [digest.places[place] for place in range(-1, NUM_PARTS + 1)],
        "x_title": "place in the predicted window",
        "y_title": "iterations",
        "colour": "predicted",
        "is_named": True,
    }
    workers = sorted(digest.coverage)
    rows = [
        (f"worker {worker}", words.count(judged), words.count(covered), words.percent(covered / judged))
        for worker in workers
        for judged, covered in [digest.coverage[worker]]
    ]
    names = ("", "judged", "inside the window", "share; 90% is wanted")
    body = figure("places", "Where iterations ended in their predicted 5-95% window")
    note = (
        f"Predicted at the start of each iteration, judged at its end: {num:,} iterations, without the first 20 of "
        "each worker. Well-made windows leave one in twenty on each side."
    )
    return Section("Forecasts", f"<div class=plots>{body}<div>{table('Coverage', names, rows)}</div></div>", note)


def _synchronisations(digest: Digest) -> Section | None:
    num = digest.num_synchronisations
    if num == 0:
        return None
    has_plans = any(row["plan"] for row in (*digest.first, *digest.last))
    rows = [_row(row["event"], row["plan"], has_plans) for row in digest.first]
    num_left_out = num - len(digest.first) - len(digest.last)
    if num_left_out > 0:
        rows.append(("...", *[""] * (4 if has_plans else 2), f"{num_left_out:,} more"))
    rows += [_row(row["event"], row["plan"], has_plans) for row in digest.last]
    planned = ("planned for (predicted)", "later than planned") if has_plans else ()
    names = ("version", "at", *planned, "workers", "reason")
    note = f"The first {NUM_FIRST} and the last {NUM_LAST} of {num:,}." if num_left_out > 0 else f"All {num:,}."
    if not has_plans:
        note += " The policy does not predict them."
    return Section("Synchronisations", table("Synchronisations", names, rows, len(names), is_tall=True), note)


def _row(event: dict[str, Any], plan: dict[str, Any] | None, has_plans: bool) -> tuple[object, ...]:
    planned: tuple[str, ...] = (words.UNKNOWN, words.UNKNOWN) if has_plans else ()
    if plan:
        window = f"{plan['cut_at_s']:.3f} s ({plan['low_at_s']:.3f} to {plan['high_at_s']:.3f})"
        planned = (window, words.seconds(event["at_s"] - plan["cut_at_s"]))
    workers = ", ".join(str(part["worker"]) for part in event["contributions"])
    reason = Mark(f'<span class=reason title="{escape(event["reason"])}">{escape(event["reason"])}</span>')
    return (event["version"], f"{event['at_s']:.3f} s", *planned, workers, reason)


def _warnings(digest: Digest) -> Section | None:
    if not digest.warnings:
        return None
    items = "".join(f"<p class=fault>{escape(text)}</p>" for text in digest.warnings)
    num_left_out = digest.num_warnings - len(digest.warnings)
    note = f"The last {len(digest.warnings)} of {digest.num_warnings:,}." if num_left_out > 0 else ""
    return Section("Warnings of the run", items, note)
