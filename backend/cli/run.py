"""`foresync run`: one run, or those of an experiment one after the other, without a server."""

from __future__ import annotations

import argparse
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.live import Live

from backend.cli.errors import CliError
from backend.cli.server import signals_to
from backend.cli.spec_files import read_file
from backend.cli.tables import console, seconds, share
from backend.runs.executor import worker_environment
from backend.runs.logreader import read_batch
from backend.runs.rundir import RunDirectory
from backend.settings import Settings, read_settings
from backend.store.ids import new_id
from predictor.events import Event, RunFinished
from predictor.spec import RunSpec, to_data
from predictor.summary import Summary

LOOK_S = 0.25  # pause between two looks at the log
LINE_S = 5.0  # pause between two lines of progress where nobody watches


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "run", parents=[common], help="train without a server, and write the directory of each run"
    )
    parser.add_argument(
        "spec", metavar="SPEC", type=Path, help="YAML or JSON file: the settings of one run, or an experiment"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="changes",
        help="change a setting; may be repeated",
    )
    parser.add_argument(
        "--home", metavar="DIR", type=Path, help="folder that gets runs/ID (default: FORESYNC_HOME, else ~/.foresync)"
    )
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Train in the foreground; Ctrl-C stops, a run of real processes with a checkpoint, and what would follow.

    Exit codes of `python -m workers run`.
    """
    specs = read_file(arguments.spec, arguments.changes)
    settings = read_settings(home=arguments.home)
    for number, spec in enumerate(specs, 1):
        if len(specs) > 1:
            print(f"\nrun {number} of {len(specs)}, seed {spec.seed}", flush=True)
        code, is_stopped = _run(settings, spec)
        if code or is_stopped:
            return code
    return 0


def _run(settings: Settings, spec: RunSpec) -> tuple[int, bool]:
    """Train once; give the exit code, and whether somebody stopped it."""
    directory = RunDirectory(settings.runs_dir, new_id())
    directory.prepare(to_data(spec))
    kind = ", simulated (virtual time)" if _is_virtual(spec) else ""
    print(f"{spec.name}: {spec.policy.name}, {spec.cluster.num_workers} workers{kind}, in {directory.path}", flush=True)
    return _train(settings, spec, directory)


def _train(settings: Settings, spec: RunSpec, directory: RunDirectory) -> tuple[int, bool]:
    with directory.log.open("ab") as printed:
        process = subprocess.Popen(
            [*settings.worker_command, "run", str(directory.path)],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=worker_environment(),
            start_new_session=True,  # Ctrl-C reaches only us, and we pass it on once
        )
    with signals_to(process.terminate):
        finished = _follow(process, directory.events, Progress(spec))
        code = process.wait()
    if finished is None or finished.outcome == "failed":
        died = directory.last_words() or f"its coordinator ended with exit code {code}"
        raise CliError(f"The run has failed: {finished.reason if finished else died}", code or 1)
    print(f"{finished.outcome}: {finished.reason}")
    return code, finished.outcome == "stopped"


def _follow(process: subprocess.Popen[bytes], path: Path, progress: Progress) -> RunFinished | None:
    """Show the events until the process has ended and all were read; give the closing one."""
    finished = None
    pause = threading.Event()
    with Live(console=console(), refresh_per_second=4, transient=True) as live:
        for events in _batches(process, path, pause):
            for event in events:
                progress.update(event)
                finished = event if isinstance(event, RunFinished) else finished
            if live.console.is_terminal:
                live.update(progress.line())
            elif progress.is_line_due():
                live.console.print(progress.line())
    print(progress.line())
    return finished


def _batches(process: subprocess.Popen[bytes], path: Path, pause: threading.Event) -> Iterator[list[Event]]:
    """Give the new events after each pause; the last batch comes after the process has ended.

    Raises:
        CliError: the log is damaged.
    """
    offset, last_seq, is_over = 0, 0, False
    while not is_over:
        is_over = process.poll() is not None
        is_full = True
        while is_full:
            batch = read_batch(path, offset, last_seq)
            if batch.damage:
                raise CliError(f"The run's log cannot be read further: {batch.damage}")
            offset, last_seq, is_full = offset + batch.num_bytes, last_seq + len(batch.events), batch.is_full
            yield batch.events
        if not is_over:
            pause.wait(LOOK_S)


def _is_virtual(spec: RunSpec) -> bool:
    return spec.cluster.launcher == "virtual"


class Progress:
    """The state of a run in one line."""

    def __init__(self, spec: RunSpec) -> None:
        self._spec = spec
        self._summary = Summary()
        self._last_line_s = self._now_s()

    def update(self, event: Event) -> None:
        self._summary.update(event)

    def is_line_due(self) -> bool:
        """Tell whether the run has gone on for a while since the last line."""
        now_s = self._now_s()
        if now_s - self._last_line_s < LINE_S:
            return False
        self._last_line_s = now_s
        return True

    def _now_s(self) -> float:
        """Give the run's time; of a simulated run real time, since its own flies."""
        return time.monotonic() if _is_virtual(self._spec) else float(self._summary.report()["duration_s"])

    def line(self) -> str:
        """Say how far the run is."""
        now = self._summary.report()
        target = self._spec.stop.target
        wish = f" (target: {target.metric} {target.value:g})" if target else ""
        loss = "-" if now["test_loss"] is None else f"{now['test_loss']:.3f}"
        return (
            f"{seconds(now['duration_s'])}{' of virtual time' if _is_virtual(self._spec) else ''}, "
            f"{now['num_iterations']} iterations, "
            f"accuracy {share(now['test_accuracy'])}, loss {loss}{wish}, "
            f"utilisation {share(now['utilisation'])}, waiting {share(now['wait_share'])}"
        )
