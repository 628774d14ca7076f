"""`foresync demo`: the demonstration experiment on a server of its own, from start to comparison."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from backend.api.schemas import Experiment, Run
from backend.cli.errors import CliError
from backend.cli.serve import add_settings
from backend.cli.server import Server, serving
from backend.cli.tables import compare_runs, console, seconds, share
from backend.client import Client
from backend.presets import preset
from backend.settings import Settings, read_settings

PORT = 8000  # the usual one, or any free one where it is in use
LOOK_S = 0.5
LINE_S = 5.0  # between two lines about a run where nobody watches
FINAL = ("completed", "stopped", "failed")


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo", parents=[common], help="serve, run the demonstration experiment and compare its runs"
    )
    add_settings(parser)
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Run the demonstration; at a terminal go on serving afterwards. Exit code 1 when a run has failed."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    server = _server(arguments)
    with serving(server) as stopping:
        with Client(server.url) as client:
            code = _demonstrate(client, server, stopping)
        if sys.stdin.isatty() and sys.stdout.isatty() and not stopping.is_set():
            print("Serving until Ctrl-C.", flush=True)
            while not stopping.wait(LOOK_S):
                server.check()
    return code


def _server(arguments: argparse.Namespace) -> Server:
    def settings(port: int) -> Settings:
        return read_settings(
            home=arguments.home, database_url=arguments.database_url, port=port, concurrency=arguments.concurrency
        )

    try:
        return Server(settings(PORT))
    except CliError:
        return Server(settings(0))


def _demonstrate(client: Client, server: Server, stopping: threading.Event) -> int:
    """Run the experiment and print what came of it."""
    chosen = preset("demonstration")
    experiment = client.submit(chosen.experiment)
    print(f"{chosen.title}. {chosen.description}\nWatch it live: {server.url}\n", flush=True)
    terminal = console()
    experiment = _follow(client, experiment, terminal, stopping)
    if stopping.is_set():
        print("Stopped before the end.", flush=True)
        return 130
    terminal.print(compare_runs(experiment.runs, [run.spec.policy.name for run in experiment.runs]))
    failed = [run for run in experiment.runs if run.state == "failed"]
    for run in failed:
        print(f"{run.name} has failed: {run.reason}", file=sys.stderr)
    print(f"\nThe dashboard: {server.url}", flush=True)
    return 1 if failed else 0


def _follow(client: Client, experiment: Experiment, terminal: Console, stopping: threading.Event) -> Experiment:
    """Show the runs until all are done, or until we are asked to stop."""
    said: dict[str, tuple[str, int]] = {}
    with Live(console=terminal, refresh_per_second=4, auto_refresh=terminal.is_terminal, transient=True) as live:
        while not stopping.wait(LOOK_S):
            experiment = client.experiment(experiment.id)
            if terminal.is_terminal:
                live.update(_progress(experiment))
            else:
                _say_news(experiment, said)
            if all(run.state in FINAL for run in experiment.runs):
                return experiment
    return experiment


def _progress(experiment: Experiment) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("run", "state", "time", "iterations", "accuracy", "utilisation", "waiting"):
        table.add_column(head, justify="left" if head in ("run", "state") else "right")
    for run in experiment.runs:
        now = run.summary
        target = run.spec.stop.target
        wish = f", target {share(target.value)}" if target and target.metric == "test_accuracy" else ""
        table.add_row(
            run.spec.policy.name,
            run.state,
            seconds(now.duration_s),
            f"{now.num_iterations}",
            share(now.test_accuracy) + wish,
            share(now.utilisation),
            share(now.wait_share),
        )
    return table


def _say_news(experiment: Experiment, said: dict[str, tuple[str, int]]) -> None:
    """Print a line for each run whose state has changed, or that has trained on for a while since its last line."""
    for run in experiment.runs:
        news = (run.state, int(run.summary.duration_s / LINE_S))
        if said.get(run.id) != news:
            said[run.id] = news
            print(_news(run), flush=True)


def _news(run: Run) -> str:
    now = run.summary
    if run.state in FINAL:
        return f"{run.spec.policy.name}: {run.state} after {seconds(now.duration_s)}: {run.reason}"
    if not now.num_iterations:
        return f"{run.spec.policy.name}: {run.state}"
    return (
        f"{run.spec.policy.name}: {run.state}, {seconds(now.duration_s)}, {now.num_iterations} iterations, "
        f"accuracy {share(now.test_accuracy)}, waiting {share(now.wait_share)}"
    )
