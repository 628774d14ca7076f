"""Runs as tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from backend.api.schemas import Run, RunSummary

NONE = "-"


def console(width: int | None = None) -> Console:
    """Give the terminal; a pipe or file gets as many columns as the longest line needs."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=width or 160, soft_wrap=False)


def seconds(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} s"


def share(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f} %"


def size(num_bytes: float | None) -> str:
    """Give a size in the unit in which it has one to three digits before the point."""
    if num_bytes is None:
        return NONE
    for unit in ("B", "kB", "MB", "GB"):
        if num_bytes < 1000:
            return f"{num_bytes:.0f} B" if unit == "B" else f"{num_bytes:.1f} {unit}"
        num_bytes /= 1000
    return f"{num_bytes:.1f} TB"


def list_runs(runs: Sequence[Run]) -> Table:
    """Give one line for each run; how its forecasts held only where some run has any."""
    table = Table(box=None, pad_edge=False)
    has_forecasts = any(run.summary.forecasts for run in runs)
    figure_heads = ["to target", "accuracy", "utilisation", "waiting", *(["forecasts held"] if has_forecasts else [])]
    for head in ("id", "name", "policy", "state", *figure_heads, "created"):
        table.add_column(head, justify="right" if head in figure_heads else "left")
    for run in runs:
        figures = run.summary
        table.add_row(
            run.id,
            f"{run.name} (simulated)" if run.is_simulated else run.name,
            run.spec.policy.name,
            run.state,
            seconds(figures.time_to_target_s),
            share(figures.final_accuracy if figures.final_accuracy is not None else figures.test_accuracy),
            share(figures.utilisation),
            share(figures.wait_share),
            *([share(_coverage(figures))] if has_forecasts else []),
            run.created_at[:19].replace("T", " "),
        )
    return table


Figure = Callable[[RunSummary], float | None]


def compare_runs(runs: Sequence[Run], names: Sequence[str]) -> Table:
    """Give one line for each figure and one column for each run; of two runs also second / first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for run_name in names:
        table.add_column(run_name, justify="right")
    if len(runs) == 2:
        table.add_column(f"{names[1]} / {names[0]}", justify="right")
    table.add_row("state", *(run.state for run in runs))
    if any(run.is_simulated for run in runs):
        table.add_row("times", *("virtual, simulated" if run.is_simulated else "measured" for run in runs))
    for label, figure, shown in _figures(runs):
        values = [figure(run.summary) for run in runs]
        table.add_row(label, *map(shown, values), *([_ratio(values)] if len(runs) == 2 else []))
    return table


def _figures(runs: Sequence[Run]) -> list[tuple[str, Figure, Callable[[float | None], str]]]:
    targets = {_target(run) for run in runs if run.spec.stop.target}
    target = targets.pop() if len(targets) == 1 else "target"
    num_workers = max(len(run.summary.workers) for run in runs)
    has_forecasts = any(run.summary.forecasts for run in runs)
    forecasts: list[tuple[str, Figure, Callable[[float | None], str]]] = [
        ("iterations in their forecast 5-95% window", _coverage, share)
    ]
    return [
        (f"time to {target}", lambda s: s.time_to_target_s, seconds),
        ("final accuracy", lambda s: s.final_accuracy, share),
        ("utilisation", lambda s: s.utilisation, share),
        ("waiting, share of time", lambda s: s.wait_share, share),
        *((f"waiting of worker {worker}", _wait_of(worker), seconds) for worker in range(num_workers)),
        ("bytes sent and received", lambda s: float(s.bytes), size),
        ("duration", lambda s: s.duration_s, seconds),
        ("iterations", lambda s: float(s.num_iterations), _count),
        *(forecasts if has_forecasts else []),
    ]


def _coverage(summary: RunSummary) -> float | None:
    """Give the share of iterations that ended in their predicted 5-95% window; it should be 90%."""
    return summary.forecasts.coverage if summary.forecasts else None


def _target(run: Run) -> str:
    target = run.spec.stop.target
    assert target is not None
    return f"accuracy {share(target.value)}" if target.metric == "test_accuracy" else f"loss {target.value:g}"


def _wait_of(worker: int) -> Figure:
    def figure(summary: RunSummary) -> float | None:
        return next((one.wait_s for one in summary.workers if one.worker == worker), None)

    return figure


def _count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _ratio(values: Sequence[float | None]) -> str:
    first, second = values
    return f"{second / first:.2f}" if first and second is not None else NONE
