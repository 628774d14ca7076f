"""Writes many runs into a scratch database, with the sizes that real ones have. Their figures are invented."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from backend.store import figures
from backend.store.database import Database
from backend.store.tables import Experiment, Run, RunTag
from backend.store.tags import repeat
from predictor.spec import read_run, to_data
from predictor.summary import Summary

RUNS_PER_EXPERIMENT = 100
RUNS_AT_ONCE = 1_000
POLICIES: list[dict[str, Any]] = [
    {"name": "foresync"},
    {"name": "predictive"},
    {"name": "bsp"},
    {"name": "asp"},
    *({"name": "ssp", "threshold": threshold} for threshold in (1, 2, 3, 4, 6, 8, 12, 16)),
    *({"name": "dssp", "threshold_low": low, "threshold_high": low + 12} for low in (1, 3)),
]
TASKS = [{"model": "mlp", "dataset": "digits"}, {"model": "lenet5", "dataset": "fashion-mnist"}]
RATES = [0.01, 0.03, 0.1, 0.3]
WORKERS = [2, 4, 8, 16]
TAGS = ["baseline", "paper", "old", "thesis chapter 3", "to repeat", "wrong data"]
STATES = ["completed"] * 17 + ["failed", "stopped", "stopped"]


def fill(database: Database, num_runs: int, seed: int = 1) -> None:
    """Write the runs, 100 to an experiment, spread over a year."""
    source = random.Random(seed)
    settings = [
        to_data(read_run({"task": {**task, "learning_rate": rate}, "cluster": cluster, "policy": policy, "stop": STOP}))
        for task, rate, cluster, policy in itertools.product(TASKS, RATES, _clusters(), POLICIES)
    ]
    with database.write() as session:
        figures.keep_settings(session, settings)
    now = datetime.now(UTC)
    for first in range(0, num_runs, RUNS_AT_ONCE):
        rows = [
            _row(source, settings, index, num_runs, now) for index in range(first, min(num_runs, first + RUNS_AT_ONCE))
        ]
        named = {row["experiment_id"]: row["created_at"] for row in reversed(rows)}
        experiments = [
            {
                "id": id_,
                "name": f"grid {int(id_[1:])}",
                "spec": {"name": id_, "run": {}, "grid": {}, "seeds": [1]},
                "created_at": at,
            }
            for id_, at in named.items()
        ]
        tags = [
            {"run_id": row["id"], "tag": tag}
            for row in rows
            for tag in source.sample(TAGS, source.choice([0, 0, 0, 1, 1, 2]))
        ]
        with database.write() as session:
            session.execute(insert(Experiment), experiments)
            session.execute(insert(Run), rows)
            if tags:
                session.execute(insert(RunTag), tags)
                repeat(session, {row["run_id"] for row in tags})


STOP = {"seconds": 120.0, "target": {"metric": "test_accuracy", "value": 0.9}}


def _clusters() -> list[dict[str, Any]]:
    return [{"num_workers": num, "launcher": launcher} for num in WORKERS for launcher in ("virtual", "processes")]


def _row(
    source: random.Random, settings: list[dict[str, Any]], index: int, num_runs: int, now: datetime
) -> dict[str, Any]:
    created = now - timedelta(days=365) * (1 - index / num_runs)
    experiment = index // RUNS_PER_EXPERIMENT
    spec = {**settings[(experiment * 7 + index // 5) % len(settings)], "name": f"run {index}", "seed": index % 5 + 1}
    report = _report(source, spec)
    return {
        "id": f"{index:016d}",
        "experiment_id": f"e{experiment:015d}",
        "parent_id": None,
        "name": spec["name"],
        "notes": "Repeated with another rate.\n" * source.choice([0, 0, 0, 3]),
        "spec": spec,
        **figures.of_spec(spec),
        "state": source.choice(STATES),
        "reason": "All ends were reached.",
        "is_resume": False,
        "created_at": created,
        "started_at": created + timedelta(seconds=1),
        "finished_at": created + timedelta(seconds=1 + report["duration_s"]),
        "last_seq": report["num_events"],
        "log_offset": 200 * report["num_events"],
        "summary": report,
        **figures.of_summary(report),
        "is_archived": source.random() < 0.03,
        "deleted_at": now if source.random() < 0.01 else None,
    }


def _report(source: random.Random, spec: dict[str, Any]) -> dict[str, Any]:
    duration_s = source.uniform(10, 120)
    workers = [
        {
            "worker": worker,
            "num_iterations": source.randrange(100, 2_000),
            "compute_s": source.uniform(5, 100),
            "overlapped_s": source.uniform(0, 5),
            "wait_s": source.uniform(0, 20),
            "transfer_s": source.uniform(0, 3),
            "wall_s": duration_s,
            "utilisation": source.random(),
            "sent_bytes": source.randrange(10**8),
            "received_bytes": source.randrange(10**8),
            "mean_interval_s": source.uniform(0.01, 0.2),
            "lead": source.randrange(5),
        }
        for worker in range(spec["cluster"]["num_workers"])
    ]
    accuracy = source.uniform(0.7, 0.99)
    return {
        **Summary().report(),
        "duration_s": duration_s,
        "num_events": source.randrange(1_000, 50_000),
        "iterations_per_s": source.uniform(10, 400),
        "utilisation": source.uniform(0.3, 1),
        "wait_share": source.uniform(0, 0.5),
        "bytes": source.randrange(10**9),
        "test_accuracy": accuracy,
        "best_accuracy": accuracy,
        "final_accuracy": accuracy,
        "final_loss": source.uniform(0.05, 1),
        "time_to_target_s": source.uniform(5, duration_s) if source.random() < 0.7 else None,
        "mean_staleness": source.uniform(0, 8),
        "forecasts": {"num": 500, "coverage": source.uniform(0.7, 1), "mean_error_share": 0.1, "mean_width_share": 0.4},
        "outcome": "completed",
        "workers": workers,
    }
