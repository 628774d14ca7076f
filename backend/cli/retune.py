"""`foresync retune`: change settings of a run that trains."""

from __future__ import annotations

import argparse
import json
from typing import Any

import yaml

from backend.api.control_models import RetuneChange, Tuning
from backend.cli import connect
from backend.cli.errors import CliError

PARTS = ("policy", "forecaster")


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "retune",
        parents=[common],
        help="change thresholds and forecaster of a run that trains",
        description="Change settings of the policy, or of its forecaster, of a run that trains. Without KEY=VALUE, "
        "print those that it trains with and what was changed so far.",
    )
    connect.add_options(parser)
    parser.add_argument("run", metavar="RUN", help="id of the run")
    parser.add_argument(
        "changes",
        metavar="KEY=VALUE",
        nargs="*",
        help="such as threshold=5, policy.alpha=0.25, forecaster.window=8 or forecaster.name=ewma",
    )
    parser.add_argument(
        "--timeout-s", metavar="S", type=float, default=10.0, help="how long to wait for its effect (default: 10)"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Ask for the change and wait until it stands in the log. Exit code 1 when it does not within the time."""
    policy, forecaster = read_changes(arguments.changes)
    with connect.connect(arguments) as client:
        if not arguments.changes:
            tuning = client.tuning(arguments.run)
            print(json.dumps(tuning.model_dump(mode="json"), indent=1) if arguments.json else describe(tuning))
            return 0
        change = client.retune(arguments.run, policy, forecaster, timeout_s=arguments.timeout_s)
    if change is None:
        raise CliError(
            f"The change was handed to the run, but did not take effect within {arguments.timeout_s:g} s: "
            "the run may be ending.",
            1,
        )
    if arguments.json:
        print(json.dumps(change.model_dump(mode="json"), indent=1))
    else:
        print(describe_change(change))
    return 0


def read_changes(texts: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read KEY=VALUE; a key without "policy." or "forecaster." in front is one of the policy.

    Raises:
        CliError: one cannot be read.
    """
    changes: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    for text in texts:
        key, separator, value = text.partition("=")
        part, dot, name = key.partition(".")
        if not dot:
            part, name = "policy", part
        if not separator or not name or "." in name or part not in PARTS:
            raise CliError(f"A change must look like threshold=5 or forecaster.window=8, got {text!r}.", 2)
        try:
            changes[part][name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise CliError(f"The value of {text!r} is not YAML: {' '.join(str(error).split())}.", 2) from error
    return changes["policy"], changes["forecaster"]


def describe(tuning: Tuning) -> str:
    """Give the settings as they are now, and the changes, a line each."""
    lines = [f"policy.{name}: {_text(value)}" for name, value in tuning.policy.items()]
    lines += [f"forecaster.{name}: {_text(value)}" for name, value in (tuning.forecaster or {}).items()]
    lines += [describe_change(change) for change in tuning.changes if change.settings]
    if tuning.reason:
        lines.append(tuning.reason)
    return "\n".join(lines)


def describe_change(change: RetuneChange) -> str:
    """Give a change in one line."""
    parts = [f"{one.path} {_text(one.after)} (was {_text(one.before)})" for one in change.settings]
    return f"at {change.at_s:.2f} s: {', '.join(parts) or 'no change: it trained with these settings already'}"


def _text(value: Any) -> str:
    return "none" if value is None else json.dumps(value) if not isinstance(value, str) else value
