"""Parts that the report of one run and the comparison share: the header, the figures, the settings."""

from __future__ import annotations

from typing import Any

import orjson

from backend.export import words
from backend.export.page import Mark, Section, escape, table
from backend.version import VERSION

_STATES = {
    "completed": "completed",
    "stopped": "was stopped",
    "failed": "failed",
    "running": "still ran",
    "starting": "was starting",
    "stopping": "was stopping",
    "queued": "was waiting in the queue",
}

TIMES_SIMULATED = "All times are virtual: simulated, exact and repeatable, but not measured."
TIMES_MEASURED = "All times were measured on the machine that trained."


def mark(text: str) -> str:
    return f"<span class=mark>{escape(text)}</span>"


def header(run: dict[str, Any], versions: dict[str, str]) -> str:
    """Say what the run is, how it ended, when, with which programs, and how its numbers came about."""
    spec, summary = run["spec"], run["summary"]
    what = f"{spec['task']['model']} on {spec['task']['dataset']}, {spec['cluster']['num_workers']} workers"
    reason = f": {run['reason']}" if run["reason"] else "."
    programs = ", ".join(f"{name} {version}" for name, version in versions.items())
    lines = [
        f"<p class=lead>{escape(words.setting(run['spec_in_force']['policy']))} "
        f"{mark('simulated' if run['is_simulated'] else 'measured')}</p>",
        f"<p class=quiet>{escape(what)}, seed {escape(spec['seed'])}. "
        f"Experiment {escape(run['experiment_name'] or 'none')}, run {escape(run['id'])}.</p>",
        f"<p class=quiet>Created {escape(words.instant(run['created_at']))}, ended "
        f"{escape(words.instant(run['finished_at']))}. It {escape(_STATES[run['state']])}{escape(reason)}</p>",
        f"<p class=quiet>{escape(TIMES_SIMULATED if run['is_simulated'] else TIMES_MEASURED)} "
        f"Report by Foresync {escape(VERSION)}{escape(f', run by {programs}' if programs else '')}.</p>",
    ]
    if run["tags"]:
        lines.append(f"<p>{' '.join(mark(tag) for tag in run['tags'])}</p>")
    if run["notes"]:
        lines.append(f"<div class=words>{escape(run['notes'])}</div>")
    return f"<header><h1>{escape(run['name'])}</h1>{''.join(lines)}{facts(run, summary)}</header>"


def facts(run: dict[str, Any], summary: dict[str, Any]) -> str:
    """Give the figures that a run is judged by."""
    goal = words.target(run["spec"])
    reached = summary["time_to_target_s"]
    missed = f"not within {words.seconds(summary['duration_s'])}" if goal and reached is None else ""
    forecasts, windows = summary.get("forecasts"), summary["windows"]
    rows = [
        (
            f"Time to {goal}" if goal else "Time to target",
            words.seconds(reached),
            missed if goal else "no target was set",
        ),
        ("Accuracy", words.percent(_first(summary["final_accuracy"], summary["test_accuracy"])), "held-back set, last"),
        ("Loss", words.number(_first(summary["final_loss"], summary["test_loss"])), "held-back set, last"),
        ("Utilisation", words.percent(summary["utilisation"]), "computing, share of the workers' time"),
        ("Waiting", words.percent(summary["wait_share"]), f"{words.seconds(summary['wait_s'])} of all workers"),
        ("Transfer", words.percent(summary["transfer_share"]), "share of the workers' time"),
        (
            "Iterations",
            words.count(summary["num_iterations"]),
            f"{words.number(summary['iterations_per_s'])} each second",
        ),
        ("Synchronisations", words.count(summary["version"]), "updates of the global weights"),
        ("Bytes", words.size(summary["bytes"]), "sent and received by the workers"),
        ("Staleness", words.number(summary["mean_staleness"]), "mean, in updates"),
        ("Largest lead", words.count(summary["max_lead"]), "iterations before the slowest"),
        ("Duration", words.seconds(summary["duration_s"]), "virtual" if run["is_simulated"] else ""),
    ]
    if forecasts:
        rows.append(
            (
                "Forecasts held",
                words.percent(forecasts["coverage"]),
                f"of {words.count(forecasts['num'])}; 90% is wanted",
            )
        )
    if windows["num"]:
        share = windows["num_covered"] / windows["num"]
        rows.append(("Planned windows held", words.percent(share), f"of {words.count(windows['num'])}; 90% is wanted"))
    if summary["num_workers_lost"]:
        rows.append(("Workers lost", words.count(summary["num_workers_lost"]), ""))
    cells = "".join(
        f"<div><dt>{escape(name)}<dd>{escape(value)}<small>{escape(note)}</small></div>" for name, value, note in rows
    )
    return f"<dl class=facts>{cells}</dl>"


def workers_section(run: dict[str, Any]) -> Section:
    rows = [
        (
            f"worker {one['worker']}",
            words.count(one["num_iterations"]),
            words.seconds(one["compute_s"]),
            words.seconds(one["wait_s"]),
            words.seconds(one["transfer_s"]),
            words.percent(one["utilisation"]),
            words.seconds(one["mean_interval_s"]),
            words.size(one["sent_bytes"]),
            words.size(one["received_bytes"]),
        )
        for one in run["summary"]["workers"]
    ]
    names = ("", "iterations", "computes", "waits", "transfer", "utilisation", "mean interval", "sent", "received")
    return Section("Workers", table("Where the time of each worker went", names, rows))


def settings_section(run: dict[str, Any]) -> Section:
    """Give the complete spec, as it can be started again, and what was changed while the run trained."""
    text = orjson.dumps(run["spec"], option=orjson.OPT_INDENT_2).decode()
    note = "Complete with defaults: `foresync run` takes it as a file."
    if run["is_retuned"]:
        changes = "; ".join(
            f"{one['path']} {words.setting(one['at_start'])} at the start, {words.setting(one['in_force'])} in force"
            for one in run["retuned"]
        )
        note += f" These are the settings of the start. Changed while it trained: {changes or 'and changed back'}."
    return Section(
        "Settings", f"<details open><summary>The whole spec</summary><pre>{escape(text)}</pre></details>", note
    )


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


__all__ = ["Mark", "facts", "header", "mark", "settings_section", "workers_section"]
