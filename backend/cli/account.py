"""`foresync account`: why the workers of a run waited, and where the rest of their time went."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from backend.account_cache import describe
from backend.api.account_models import Account as Answer
from backend.api.account_models import AccountScore
from backend.cli import connect
from backend.cli.errors import CliError
from backend.cli.recorded import read_log
from backend.cli.tables import NONE, console, share, size
from predictor.accounting import Account
from predictor.accounting.words import duration, percent

MAX_NAMED = 8  # workers that have a column in the table of who waited for whom


def add_parser(commands: Any, common: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        "account", parents=[common], help="say why the workers of a run waited, and where their time went"
    )
    connect.add_options(parser)
    parser.add_argument("run", metavar="RUN", help="directory of a run, or id of a run of a server")
    parser.add_argument("--json", action="store_true", help="print the whole account as JSON")
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Print the answer in sentences, then the tables behind it."""
    answer = _read(arguments)
    if arguments.json:
        print(answer.model_dump_json(indent=1))
        return 0
    terminal = console()
    for line in answer.answer:
        terminal.print(line, markup=False)
    if not answer.is_finished:
        terminal.print(f"The run has not ended: this is its account up to {answer.until_s:.1f} s.", markup=False)
    if answer.total.wall_s > 0:
        _print_tables(terminal, answer)
    return 0


def _read(arguments: argparse.Namespace) -> Answer:
    """Find the run: a folder of that name, or else a run of the server."""
    directory = Path(arguments.run)
    if directory.is_dir():
        account = Account()
        for batch in read_log(directory / "events.jsonl"):
            for line in batch.lines:
                account.update(orjson.loads(line))
        return Answer.model_validate(describe(directory.resolve().name, account))
    if len(directory.parts) != 1:
        raise CliError(f"There is no directory of a run at {arguments.run!r}.", 2)
    with connect.connect(arguments) as client:
        return client.account(arguments.run)


# ---- tables ------------------------------------------------------------------------------------------------


def _print_tables(terminal: Console, answer: Answer) -> None:
    terminal.print(f"\nWhere the time went ({answer.basis.times})", markup=False)
    terminal.print(_parts(answer))
    if answer.total.parts.wait > 0:
        terminal.print("Who waited for whom, and what the gate said", markup=False)
        terminal.print(_matrix(answer))
        terminal.print(_sentences(answer))
    terminal.print(_work(answer))
    terminal.print(_bytes(answer))
    predictions = answer.predictions
    scores = (
        ("updates, as first predicted", predictions.first_plans),
        ("updates, as last predicted", predictions.last_plans),
        ("ends of iterations", predictions.iterations),
    )
    if any(score for _, score in scores):
        terminal.print(_scores(scores))


def _table(*heads: str) -> Table:
    """Begin a table: text at the left, then figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    return table


def _parts(answer: Answer) -> Table:
    """Give a line for each part that took any time, a column for each worker."""
    rows = answer.workers[:MAX_NAMED]
    table = _table("", *(f"worker {row.worker}" for row in rows), "all", "share")
    total = answer.total
    for part in answer.part_words:
        if part.key == "unaccounted":
            cells, all_s = [row.unaccounted_s for row in rows], total.unaccounted_s
        else:
            cells, all_s = [getattr(row.parts, part.key) for row in rows], getattr(total.parts, part.key)
            if all_s == 0:
                continue
        table.add_row(part.label, *map(_seconds, cells), _seconds(all_s), share(all_s / total.wall_s))
    table.add_row("wall time", *(_seconds(row.wall_s) for row in rows), _seconds(total.wall_s), share(1.0))
    return table


def _matrix(answer: Answer) -> Table:
    """Give a line for each worker, a column for each of those that were waited for most."""
    caused = sorted(answer.workers, key=lambda row: (-row.caused_s, row.worker))
    named = [row.worker for row in caused if row.caused_s > 0][:MAX_NAMED]
    table = _table("", *(f"for worker {worker}" for worker in named), "for nobody named", "in all")
    matrix = answer.waits_for
    columns = [matrix.workers.index(worker) for worker in named]
    for place, worker in enumerate(matrix.workers):
        row = matrix.seconds[place]
        cells = [row[column] for column in columns]
        all_s = sum(row) + matrix.nobody_s[place]
        table.add_row(f"worker {worker} waited", *map(_seconds, [*cells, matrix.nobody_s[place], all_s]))
    return table


def _sentences(answer: Answer) -> Table:
    table = _table("sentence", "waits", "time", "share")
    whole_s = answer.total.parts.wait
    for one in answer.sentences.top[:MAX_NAMED]:
        said = one.sentence or "(nothing was said)"
        table.add_row(said, f"{one.num:,}", _seconds(one.seconds), share(one.seconds / whole_s))
    return table


def _work(answer: Answer) -> Table:
    """Give what the iterations were good for."""
    work = answer.work
    table = _table("iterations", "number", "computing")
    rows = [
        ("applied", work.applied),
        ("not applied yet", work.pending),
        ("discarded by the policy", work.discarded),
        ("sent, the run ended before", work.dropped),
        ("never sent, their worker left", work.unsent),
    ]
    if work.after_target:
        rows.append(("of all of these, after the target", work.after_target))
    for label, amount in rows:
        if amount.num_iterations:
            table.add_row(label, f"{amount.num_iterations:,}", _seconds(amount.seconds))
    return table


def _bytes(answer: Answer) -> Table:
    table = _table(f"payload ({answer.basis.bytes})", "sent", "received")
    for one in answer.bytes:
        table.add_row(one.node.replace("-", " "), size(one.sent_bytes), size(one.received_bytes))
    return table


def _scores(scores: tuple[tuple[str, AccountScore | None], ...]) -> Table:
    table = _table("predicted against actual", "number", "inside 5-95%", "error", "bias", "window")
    for label, score in scores:
        if score:
            errors = (score.mean_error_s, score.bias_s, score.mean_width_s)
            table.add_row(label, f"{score.num:,}", percent(score.coverage), *map(_seconds, errors))
    return table


def _seconds(value: float) -> str:
    return NONE if value == 0 else f"-{duration(-value)}" if value < 0 else duration(value)
