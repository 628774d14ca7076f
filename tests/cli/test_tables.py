"""How forecasts held stands in the tables of runs, where something was forecast."""

from __future__ import annotations

from pathlib import Path

from backend.client import Client
from tests.cli.here import Here
from tests.cli.program import LIMIT_S, serving

RUN = {
    "cluster": {"num_workers": 2, "launcher": "virtual"},
    "speed": {"kind": "lognormal", "base_s": 0.1},
    "stop": {"iterations": 60, "seconds": None},
}
COLUMN, ROW = "forecasts held", "iterations in their forecast 5-95% window"


def test_runs_and_compare_say_how_forecasts_held_and_nothing_where_none_were_made(here: Here, tmp_path: Path) -> None:
    with serving(tmp_path) as (_, url), Client(url) as client:
        base = url.partition("?")[0]
        plain = client.submit({"name": "plain", "run": {**RUN, "policy": {"name": "asp"}}})
        client.wait(plain.id, timeout_s=LIMIT_S)
        assert COLUMN not in here(tmp_path, "runs", "--url", base).out
        assert ROW not in here(tmp_path, "compare", *plain.run_ids, "--url", base).out

        forecast = client.submit({"name": "forecast", "run": {**RUN, "policy": {"name": "foresync"}}})
        client.wait(forecast.id, timeout_s=LIMIT_S)
        found = client.run(forecast.run_ids[0]).summary.forecasts
        assert found is not None
        held = f"{100 * found.coverage:.1f} %"
        head, *lines = here(tmp_path, "runs", "--url", base).out.splitlines()
        assert COLUMN in head
        end = head.index(COLUMN) + len(COLUMN)
        shown = {line.split()[1]: line[:end].split()[-1] for line in lines if line.strip()}
        assert shown == {"forecast": "%", "plain": "-"}
        assert any(held in line for line in lines)
        compared = here(tmp_path, "compare", *plain.run_ids, *forecast.run_ids, "--url", base).out
        [row] = [line for line in compared.splitlines() if ROW in line]
        assert held in row
