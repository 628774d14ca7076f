"""The report of several runs: results, each setting over its seeds, settings that differ, curves with bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast, get_args

from backend.comparison.bands import AXES, Axis, Quantity, band, thin
from backend.comparison.groups import Compared, Group, compare_groups
from backend.curves import KINDS, CurveFold
from backend.export import words
from backend.export.facts import mark
from backend.export.page import Mark, Section, escape, figure, table, write_page
from backend.export.source import Source, read_events
from backend.version import VERSION

Run = dict[str, Any]

_AXES = {"seconds": "seconds since the start", "iterations": "iterations of all workers"}


def write_comparison(sources: Sequence[Source], differences: Sequence[dict[str, Any]]) -> Iterator[bytes]:
    """Give the HTML file in pieces.

    Args:
        sources: the runs, in the order in which they are shown; the first is the baseline.
        differences: settings in which they differ: `path`, and `values` in the order of the runs.
    """
    runs = [source.run for source in sources]
    curves = [_evaluations(source) for source in sources]
    labels = _labels(runs, differences)
    is_finished = [run["state"] in ("completed", "stopped", "failed") for run in runs]
    compared = [
        Compared(run["id"], run["spec_in_force"], run["summary"], done, run["spec"] if run["is_retuned"] else None)
        for run, done in zip(runs, is_finished, strict=True)
    ]
    groups = compare_groups(compared, None)
    names = {run["id"]: label for run, label in zip(runs, labels, strict=True)}
    figures: dict[str, Any] = {}
    sections = [
        _results(runs, labels),
        _groups(groups, names, runs),
        _differences(labels, differences),
        _curves(runs, curves, labels, groups, figures),
    ]
    yield from write_page(f"Foresync: {len(runs)} runs", _header(runs), [one for one in sections if one], figures)


def _header(runs: Sequence[Run]) -> str:
    num_simulated = sum(run["is_simulated"] for run in runs)
    if num_simulated == len(runs):
        said = "All times are virtual: simulated, not measured."
    elif num_simulated:
        said = "Times of simulated runs are virtual, the others measured: they compare only as far as the model holds."
    else:
        said = "All times were measured on the machine that trained."
    targets = {words.target(run["spec"]) for run in runs}
    if len(targets) > 1:
        said += " The runs have different targets, so their times to target do not compare."
    said += f" Report by Foresync {VERSION}."
    return f"<header><h1>{len(runs)} runs compared</h1><p class=quiet>{escape(said)}</p></header>"


def _results(runs: Sequence[Run], labels: Sequence[str]) -> Section:
    rows = []
    for place, (run, label) in enumerate(zip(runs, labels, strict=True)):
        summary = run["summary"]
        simulated = f" {mark('simulated')}" if run["is_simulated"] else ""
        name = Mark(f'<span class=swatch data-colour="{place}"></span>{escape(label)}{simulated}')
        accuracy = summary["final_accuracy"] if summary["final_accuracy"] is not None else summary["test_accuracy"]
        rows.append(
            (
                name,
                run["state"],
                _time_to_target(run),
                words.percent(accuracy),
                words.percent(summary["utilisation"]),
                words.percent(summary["wait_share"]),
                words.number(summary["iterations_per_s"]),
                words.size(summary["bytes"]),
                words.seconds(summary["duration_s"]),
            )
        )
    targets = {words.target(run["spec"]) for run in runs} - {""}
    goal = f"time to {targets.pop()}" if len(targets) == 1 else "time to target"
    head = ("run", "state", goal, "accuracy", "utilisation", "waiting", "iterations/s", "bytes", "duration")
    return Section("Results", table("Results", head, rows, num_texts=2))


def _time_to_target(run: Run) -> str:
    summary = run["summary"]
    if summary["time_to_target_s"] is not None:
        return words.seconds(summary["time_to_target_s"])
    if run["spec"]["stop"].get("target") and summary["outcome"] in ("completed", "stopped"):
        return f"more than {words.seconds(summary['duration_s'])}"
    return words.UNKNOWN


def _groups(groups: Sequence[Group], names: dict[str, str], runs: Sequence[Run]) -> Section | None:
    if len(groups) == len(runs):
        note = "One run of each setting: a difference may be chance. More seeds tell how sure it is."
        return Section("Seeds", "", note) if len(runs) > 1 else None
    rows = []
    for group in groups:
        spread = group.metrics.get("time_to_target_s")
        against = group.against.get("time_to_target_s")
        reached = f"{spread.num} of {spread.num + spread.num_bounds}" if spread else words.UNKNOWN
        ratio = words.UNKNOWN
        if against and against.centre is not None:
            ratio = f"{words.number(against.centre)} times"
            if against.low is not None:
                ratio += f" ({words.number(against.low)} to {words.number(against.high)})"
        accuracy = group.metrics.get("final_accuracy")
        rows.append(
            (
                _group_name(group, names),
                ", ".join(map(str, group.seeds)),
                reached,
                words.seconds(spread.mean if spread else None),
                _range(spread.low, spread.high) if spread else words.UNKNOWN,
                ratio if group.against else "baseline",
                words.percent(accuracy.mean if accuracy else None),
            )
        )
    head = (
        "setting", "seeds", "reached the target", "time to target, mean", "95% interval", "against the first setting",
        "accuracy, mean",
    )  # fmt: skip
    note = (
        "Means are of the runs that reached the target. Intervals by Student's t over the seeds; ratios in pairs of "
        "runs with the same seed, as geometric means with their 95% interval."
    )
    return Section("Each setting over its seeds", table("Settings", head, rows, num_texts=2), note)


def _range(low: float | None, high: float | None) -> str:
    return words.UNKNOWN if low is None else f"{words.seconds(low)} to {words.seconds(high)}"


def _group_name(group: Group, names: dict[str, str]) -> str:
    name = names[group.run_ids[0]]
    return name.rpartition(", seed ")[0] or name


def _differences(labels: Sequence[str], differences: Sequence[dict[str, Any]]) -> Section | None:
    if not differences:
        return None
    rows = [
        (label, *("" if one["values"][place] is None else words.setting(one["values"][place]) for one in differences))
        for place, label in enumerate(labels)
    ]
    names = ("run", *(one["path"] for one in differences))
    return Section("Settings that differ", table("Settings that differ", names, rows, len(names)))


def _curves(
    runs: Sequence[Run],
    curves: Sequence[dict[str, list[Any]]],
    labels: Sequence[str],
    groups: Sequence[Group],
    figures: dict[str, Any],
) -> Section:
    place_of = {run["id"]: place for place, run in enumerate(runs)}
    drawn = list(zip(labels, curves, strict=True))
    targets = [run["spec"]["stop"].get("target") for run in runs]
    target = targets[0] if targets[0] and all(one == targets[0] for one in targets) else None
    parts = []
    for quantity in get_args(Quantity):
        for axis in get_args(Axis):
            traces = [
                trace
                for group in groups
                for trace in _traces([place_of[run_id] for run_id in group.run_ids], drawn, quantity, axis)
            ]
            if not any(trace["x"] for trace in traces):
                continue
            key = f"{quantity}-{axis}"
            is_goal = target is not None and target["metric"] == f"test_{quantity}"
            figures[key] = {
                "kind": "lines",
                "traces": traces,
                "x_title": _AXES[axis],
                "y_title": "",
                "y_percent": quantity == "accuracy",
                "target": target["value"] if target and is_goal else None,
            }
            parts.append(figure(key, f"{quantity.capitalize()} on the held-back set", height=320))
    note = "A band is the 95% interval of the mean over the seeds of a setting; it ends where its first run ends."
    return Section("Curves", f"<div class=plots>{''.join(parts)}</div>", note)


def _traces(
    places: Sequence[int], drawn: Sequence[tuple[str, dict[str, list[Any]]]], quantity: Quantity, axis: Axis
) -> Iterator[dict[str, Any]]:
    """Give the mean of a setting with its band, or, where there is none, the curve of each of its runs."""
    made = band([drawn[place][1] for place in places], quantity, axis)
    if made:
        name = drawn[places[0]][0]
        said = f"{name.rpartition(', seed ')[0] or name}, mean of {len(places)} runs"
        lines = {"x": made["x"], "y": made["mean"], "low": made["low"], "high": made["high"]}
        yield {"name": said, "colour": places[0], **lines}
        return
    for place in places:
        label, curve = drawn[place]
        one = thin(curve, len(drawn))
        yield {"name": label, "x": one[AXES[axis]], "y": one[quantity], "colour": place}


def _evaluations(source: Source) -> dict[str, list[Any]]:
    fold = CurveFold()
    for event in read_events(source, KINDS):
        fold.update(event)
    return cast("dict[str, list[Any]]", fold.to_data()["evaluations"])


def _labels(runs: Sequence[Run], differences: Sequence[dict[str, Any]]) -> list[str]:
    """Name each run by what differs: its own name, its policy, with settings where those differ, its seed."""
    names = [run["name"] for run in runs]
    if len(set(names)) == len(runs):
        return names
    paths = [one["path"] for one in differences]
    policies = [_policy_label(run["spec_in_force"]["policy"], runs) for run in runs]
    labels = []
    for run, policy in zip(runs, policies, strict=True):
        parts = [run["name"]] if len(set(names)) > 1 else []
        parts += [policy] if any(path.startswith("policy") for path in paths) else []
        others = [path for path in paths if not path.startswith("policy") and path != "seed"][:3]
        parts += [
            f"{path.rpartition('.')[2].replace('_', ' ')} {words.setting(_at(run['spec_in_force'], path))}"
            for path in others
        ]
        parts += [f"seed {run['spec']['seed']}"] if "seed" in paths else []
        labels.append(", ".join(parts) or run["name"])
    return labels


def _policy_label(policy: dict[str, Any], runs: Sequence[Run]) -> str:
    policies = [run["spec_in_force"]["policy"] for run in runs]
    same = [one for one in policies if one["name"] == policy["name"]]
    differing = {name: value for name, value in policy.items() if any(one.get(name) != value for one in same)}
    return words.setting({"name": policy["name"], **differing})


def _at(spec: dict[str, Any], path: str) -> Any:
    here: Any = spec
    for part in path.split("."):
        here = here.get(part) if isinstance(here, dict) else None
    return here
