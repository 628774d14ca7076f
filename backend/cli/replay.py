"""`foresync replay`: a recorded run, checked decision by decision, or simulated under another policy."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from backend.cli import connect
from backend.cli.errors import CliError
from backend.cli.recorded import read_log
from backend.cli.simulate import add_set_option, read_changes
from backend.cli.tables import NONE, console, seconds, share
from predictor.errors import LogError
from predictor.events import Event
from predictor.policies import POLICIES
from predictor.replay import replay
from predictor.spec import RunSpec, read_run, to_data
from predictor.what_if import ABOUT_LOSS, Figures, WhatIf, record, what_if

Events = Iterable[tuple[int, Event]]


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "replay", parents=[common], help="check the decisions of a recorded run, or predict it under another policy"
    )
    connect.add_options(parser)
    parser.add_argument("run", metavar="RUN", help="directory of a run, or id of a run of a server")
    parser.add_argument("--policy", metavar="NAME", help=f"predict it under one of {', '.join(POLICIES)}")
    add_set_option(parser, "change a parameter of that policy, or of the recorded one; may be repeated")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Replay exactly (1 where an instruction differs), or predict where a policy or a change is given."""
    changes = read_changes(arguments.changes)
    with _opened(arguments) as (spec, events):
        if arguments.policy is None and not changes:
            return _replay(spec, events, arguments.json)
        other = _under(spec, arguments.policy, changes)
        try:
            answer = what_if(record(events, spec), other.policy, other.forecaster)
        except LogError as error:
            raise CliError(f"The run {arguments.run!r} cannot be simulated: {error}.", 2) from error
    if arguments.json:
        policies = {"recorded": to_data(spec)["policy"], "predicted": to_data(other)["policy"]}
        print(json.dumps({"policies": policies, **answer.to_data()}, indent=1))
    else:
        terminal = console()
        terminal.print(_table(answer, spec, other))
        for note in (*answer.notes, ABOUT_LOSS):
            terminal.print(note, markup=False)
    return 0


def _replay(spec: RunSpec, events: Events, is_json: bool) -> int:
    """Ask a fresh gate the recorded questions; say whether it answers the same."""
    report = replay(events, spec)
    if report.num_stimuli == 0:
        raise CliError("The run's log holds nothing that a gate was asked, so there is nothing to replay.", 2)
    if is_json:
        figures = {"num_stimuli": report.num_stimuli, "num_instructions": report.num_instructions}
        print(json.dumps({"is_same": report.is_same, **figures, "seq": report.seq, "difference": report.difference}))
    elif report.is_same:
        told = f"{report.num_stimuli:,} recorded stimuli give a fresh {spec.policy.name} gate"
        print(f"The same: {told} exactly the {report.num_instructions:,} recorded instructions.")
    else:
        print(
            f"Different at seq {report.seq}, after {report.num_instructions:,} equal instructions: {report.difference}"
        )
    return 0 if report.is_same else 1


def _under(spec: RunSpec, policy: str | None, changes: dict[str, Any]) -> RunSpec:
    """Give the spec with another policy, or with the recorded one changed.

    Raises:
        SpecError: there is no such policy or parameter, or a value is wrong.
    """
    data = to_data(spec)
    base = data["policy"] if policy is None else {"name": policy}
    return read_run({**data, "policy": {**base, **changes}})


# ---- the recorded run --------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[tuple[RunSpec, Events]]:
    """Find the run: a folder of that name, or else a run of the server."""
    directory = Path(arguments.run)
    if directory.is_dir():
        yield _read_spec(directory), _read_events(directory / "events.jsonl")
    elif len(directory.parts) != 1:
        raise CliError(f"There is no directory of a run at {arguments.run!r}.", 2)
    else:
        with connect.connect(arguments) as client:
            yield client.run(arguments.run).spec, client.events(arguments.run)


def _read_spec(directory: Path) -> RunSpec:
    path = directory / "spec.json"
    try:
        return read_run(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CliError(f"{str(directory)!r} is not the directory of a run: spec.json: {error.strerror}.", 2) from error
    except RecursionError as error:
        raise CliError(f"The spec {str(path)!r} is not JSON: it is nested too deeply.", 2) from error
    except ValueError as error:  # not text, not JSON, or (SpecError) not a spec
        raise CliError(f"The spec {str(path)!r} cannot be used: {error}.", 2) from error


def _read_events(path: Path) -> Iterator[tuple[int, Event]]:
    """Give the events of a log with their seqs.

    Raises:
        CliError: it is missing or damaged.
    """
    return enumerate((event for batch in read_log(path) for event in batch.events), 1)


# ---- the table ---------------------------------------------------------------------------------------------


def _table(answer: WhatIf, spec: RunSpec, other: RunSpec) -> Table:
    """Give one line for each figure: the recorded run, and what is predicted."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column(f"{spec.policy.name} ({answer.label})", justify="right")
    table.add_column(f"{other.policy.name} (predicted)", justify="right")
    for (label, recorded), (_, predicted) in zip(_rows(answer.recorded), _rows(answer.predicted), strict=True):
        table.add_row(label, recorded, predicted)
    return table


def _rows(figures: Figures) -> list[tuple[str, str]]:
    mean = NONE if figures.mean_staleness is None else f"{figures.mean_staleness:.2f}"
    return [
        ("makespan", seconds(figures.makespan_s)),
        ("iterations of all workers", f"{figures.num_iterations:,}"),
        ("pushes", f"{figures.num_pushes:,}"),
        ("waiting of all workers", seconds(figures.wait_s)),
        ("waiting, share of time", share(figures.wait_share)),
        ("transfer of all workers", seconds(figures.transfer_s)),
        ("utilisation", share(figures.utilisation)),
        ("staleness, mean", mean),
        ("staleness, 95% quantile", _count(figures.p95_staleness)),
        ("staleness, largest", _count(figures.max_staleness)),
        ("lead, largest", _count(figures.max_lead)),
    ]


def _count(value: int | None) -> str:
    return NONE if value is None else f"{value:,}"
