"""The Python client: `from backend.client import Client`.

with Client("http://127.0.0.1:8000/?token=...") as client:
    experiment = client.submit({"name": "mine", "run": {}, "grid": {"policy": [{"name": "bsp"}, {"name": "asp"}]}})
    experiment = client.wait(experiment.id, on_progress=lambda now: print(now.num_done, "of", now.num_runs))
    for run in experiment.runs:
        print(run.name, run.summary.time_to_target_s)
"""

from __future__ import annotations

from backend.client.client import Client
from backend.client.errors import ClientError, Refused, Unreachable

__all__ = ["Client", "ClientError", "Refused", "Unreachable"]
