"""`foresync simulate`: a trace of iteration times under a policy, in virtual time."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import TypeAdapter
from rich import box
from rich.table import Table

from backend.cli.errors import CliError
from backend.cli.tables import console, share
from predictor.decoding import decode
from predictor.errors import Complaint, SpecError
from predictor.forecasters import FORECASTERS, AnyForecasterParams, EwmaParams
from predictor.params import STRICT, param
from predictor.policies import POLICIES, AnyPolicyParams
from predictor.simulator import Scenario, SimulationResult, simulate
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace, parse_trace


@dataclass(frozen=True)
class _Asked:
    """What the options say, beside the trace."""

    __pydantic_config__ = STRICT

    policy: AnyPolicyParams
    forecaster: AnyForecasterParams = field(default_factory=EwmaParams)
    base_s: Annotated[float, param("Seconds of a 1 in the trace.", unit="s", gt=0, allow_inf_nan=False)] = 1.0
    transfer_s: Annotated[float, param("Push and pull together.", unit="s", ge=0, allow_inf_nan=False)] = 0.0
    iterations: Annotated[int | None, param("Iterations of each worker; absent: all rows.", ge=1)] = None


_ASKED: TypeAdapter[Any] = TypeAdapter(_Asked)


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "simulate", parents=[common], help="run a trace of iteration times under a policy, in virtual time"
    )
    parser.add_argument(
        "--trace", metavar="FILE", type=Path, required=True, help="CSV file: iteration, then one column for each worker"
    )
    parser.add_argument("--policy", metavar="NAME", required=True, help=f"one of {', '.join(POLICIES)}")
    add_set_option(parser, "change a parameter of the policy; may be repeated")
    parser.add_argument("--base-s", metavar="S", default="1.0", help="seconds of a 1 in the trace (default: 1)")
    parser.add_argument(
        "--transfer-s", metavar="S", default="0.0", help="push and pull together, half up and half down (default: 0)"
    )
    parser.add_argument("--iterations", metavar="K", help="of each worker (default: as many as the trace has rows)")
    parser.add_argument(
        "--forecaster", metavar="NAME", default="ewma", help=f"one of {', '.join(FORECASTERS)} (default: ewma)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Simulate and print the figures of METHOD section 8 (docs/simulate-and-replay.md)."""
    data = {
        "policy": {"name": arguments.policy, **read_changes(arguments.changes)},
        "forecaster": {"name": arguments.forecaster},
        "base_s": arguments.base_s,
        "transfer_s": arguments.transfer_s,
        "iterations": arguments.iterations,
    }
    asked: _Asked = decode(_ASKED, data)
    result = simulate(_scenario(asked, _read_trace(arguments.trace)))
    if arguments.json:
        print(json.dumps(_figures(result)))
    else:
        terminal = console()
        terminal.print(_table(result))
        terminal.print(
            f"{asked.policy.name}: makespan {result.makespan_s:.3f} s, utilisation {share(result.utilisation)}, "
            f"{result.num_pushes} pushes, largest lead {result.max_lead} (simulated)"
        )
    return 0


def add_set_option(parser: argparse.ArgumentParser, help: str) -> None:
    """Let the user change parameters of a policy; `read_changes` reads them."""
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], dest="changes", help=help)


def read_changes(changes: Sequence[str]) -> dict[str, Any]:
    """Read what `--set` was given: names of parameters, and values as YAML.

    Raises:
        CliError: not KEY=VALUE, or the value is not YAML.
    """
    values: dict[str, Any] = {}
    for change in changes:
        key, separator, text = change.partition("=")
        if not separator or not key or key == "name":  # the name is that of the policy
            raise CliError(
                f"--set takes KEY=VALUE with a parameter of the policy, such as threshold=5, got {change!r}.", 2
            )
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise CliError(f"The value of --set {change!r} is not YAML: {' '.join(str(error).split())}.", 2) from error
    return values


def _read_trace(path: Path) -> list[list[float]]:
    """Give the rows of a trace, one value for each worker.

    Raises:
        CliError: the file cannot be read.
        SpecError: it is not a trace.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"The trace {str(path)!r} cannot be read: {error.strerror}.", 2) from error
    except UnicodeDecodeError as error:
        raise CliError(f"The trace {str(path)!r} is not text: {error}.", 2) from error
    try:
        return parse_trace(text, str(path))
    except SpecError as error:
        raise SpecError([Complaint("trace", one.value, one.wish) for one in error.complaints]) from error


def _scenario(asked: _Asked, rows: Sequence[Sequence[float]]) -> Scenario:
    columns = list(zip(*rows, strict=True))
    return Scenario(
        policy=asked.policy,
        forecaster=asked.forecaster,
        speeds=[Trace([asked.base_s * value for value in column]) for column in columns],
        transfers=[Transfer(asked.transfer_s, 0.0, worker, 0) for worker in range(len(columns))],
        iterations=asked.iterations or len(rows),
    )


def _figures(result: SimulationResult) -> dict[str, Any]:
    return {
        "makespan_s": result.makespan_s,
        "utilisation": result.utilisation,
        "workers": [
            {
                "worker": one.worker,
                "compute_s": one.compute_s,
                "wait_s": one.wait_s,
                "transfer_s": one.transfer_s,
            }
            for one in result.workers
        ],
        "num_pushes": result.num_pushes,
        "max_lead": result.max_lead,
    }


def _table(result: SimulationResult) -> Table:
    """Give one line for each worker."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("worker", "iterations", "compute s", "wait s", "transfer s", "last push s", "utilisation"):
        table.add_column(head, justify="right")
    for one in result.workers:
        times = (f"{value:.3f}" for value in (one.compute_s, one.wait_s, one.transfer_s, one.wall_s))
        used = share(one.compute_s / one.wall_s if one.wall_s > 0 else None)
        table.add_row(str(one.worker), str(one.num_iterations), *times, used)
    return table
