"""Interactive figures of runs, for notebooks and files: `curves(client, run_ids).write_html("curves.html")`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import plotly.graph_objects as go

from backend.client.client import Client

Metric = Literal["accuracy", "loss"]
Axis = Literal["seconds", "iterations"]

DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # tell runs apart without colour


def curves(client: Client, run_ids: Sequence[str], metric: Metric = "accuracy", over: Axis = "seconds") -> go.Figure:
    """Draw a metric of the held-back set for several runs.

    Args:
        client: of the server that has the runs.
        run_ids: which runs, in the order of the legend.
        metric: accuracy (share in [0, 1]) or loss.
        over: seconds since the start of each run (virtual ones of a simulated run), or iterations of all its workers.

    Raises:
        Refused: a run is unknown.
    """
    figure = go.Figure()
    for index, run_id in enumerate(run_ids):
        run, points = client.run(run_id), client.curves(run_id).evaluations
        figure.add_scatter(
            x=points.at_s if over == "seconds" else points.iterations,
            y=getattr(points, metric),
            name=f"{run.name}: {run.spec.policy.name}, seed {run.spec.seed}{', simulated' if run.is_simulated else ''}",
            mode="lines+markers",
            line={"dash": DASHES[index % len(DASHES)]},
        )
    unit = "seconds" if over == "seconds" else "iterations of all workers"
    figure.update_layout(xaxis_title=unit, yaxis_title=f"{metric} on the held-back set", template="plotly_white")
    return figure
