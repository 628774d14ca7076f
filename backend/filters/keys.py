"""The keys of a filter: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import InstrumentedAttribute

from backend.store.tables import Run

KeyKind = Literal["choice", "exact", "text", "tag", "experiment", "number", "share", "seconds", "time", "flag", "is"]

COMPARING = (":", "=", "!=", "<", "<=", ">", ">=")
MATCHING = (":", "=", "!=")

OPERATORS_OF: dict[KeyKind, tuple[str, ...]] = {
    "choice": MATCHING,
    "exact": MATCHING,
    "text": MATCHING,
    "tag": MATCHING,
    "experiment": MATCHING,
    "number": COMPARING,
    "share": COMPARING,
    "seconds": COMPARING,
    "time": COMPARING,
    "flag": MATCHING,
    "is": MATCHING,
}


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    kind: KeyKind
    help: str
    example: str
    column: InstrumentedAttribute[Any] | None = None
    aliases: tuple[str, ...] = ()


IS_VALUES = {
    "archived": "put away; without this word, a list leaves such runs out",
    "deleted": "in the bin; without this word, a list leaves such runs out",
    "active": "queued, starting, running or stopping",
    "finished": "completed, stopped or failed",
    "simulated": "in virtual time",
    "baseline": "the pinned run",
}

KEYS: tuple[Key, ...] = (
    Key("policy", "exact", "Policy of the run.", "policy:foresync,ssp", Run.policy),
    Key("state", "choice", "State of the run.", "state:completed,failed", Run.state),
    Key("dataset", "exact", "Data set that is learnt.", "dataset:digits", Run.dataset),
    Key("model", "exact", "Model that is trained.", "model:mlp", Run.model),
    Key("tag", "tag", "A tag of the run.", "tag:baseline", None, ("tags",)),
    Key("workers", "number", "Number of workers.", "workers>=8", Run.num_workers, ("num_workers",)),
    Key("seed", "number", "Seed of the run.", "seed:1,2", Run.seed),
    Key("simulated", "flag", "In virtual time: times are computed, not measured.", "simulated:yes", Run.is_simulated),
    Key("is", "is", "What else a run may be.", "is:archived"),
    Key("name", "text", "Text in the run's name; = for the whole name.", 'name:"grid 3"', Run.name),
    Key("experiment", "experiment", "Text in the experiment's name; = for the whole.", 'experiment:"thesis"'),
    Key("notes", "text", "Text in the notes.", "notes:plateau", Run.notes, ("note",)),
    Key("id", "exact", "Id of the run.", "id:0123456789abcdef", Run.id),
    Key("experiment_id", "exact", "Id of the experiment.", "experiment_id:0123456789abcdef", Run.experiment_id),
    Key("created", "time", "When it was made, in UTC; -7d is seven days ago.", "created>-7d", Run.created_at),
    Key("started", "time", "When it began to train.", "started>=2026-11-01", Run.started_at),
    Key("finished", "time", "When it ended.", "finished<today", Run.finished_at),
    Key("duration", "seconds", "Seconds from start to end, or so far.", "duration>2min", Run.duration_s),
    Key(
        "time_to_target", "seconds", "Seconds until the target.", "time_to_target<60", Run.time_to_target_s, ("target",)
    ),
    Key("accuracy", "share", "Accuracy at the end.", "accuracy>=0.9", Run.final_accuracy),
    Key("best_accuracy", "share", "Best accuracy of all evaluations.", "best_accuracy>95%", Run.best_accuracy),
    Key("loss", "number", "Loss at the end.", "loss<0.2", Run.final_loss),
    Key("utilisation", "share", "Compute time over wall time.", "utilisation>=0.95", Run.utilisation, ("utilization",)),
    Key("waiting", "share", "Share of the time spent waiting.", "waiting<5%", Run.wait_share, ("wait",)),
    Key("rate", "number", "Iterations per second.", "rate>100", Run.iterations_per_s, ("iterations_per_s",)),
    Key("staleness", "number", "Mean staleness of the updates.", "staleness<3", Run.mean_staleness),
    Key("bytes", "number", "Bytes sent and received.", "bytes<1e9", Run.traffic_bytes, ("traffic",)),
    Key("coverage", "share", "Forecasts that held.", "coverage>=0.85", Run.forecast_coverage),
)

_REST_NAMES = {
    "final_accuracy": "accuracy",
    "final_loss": "loss",
    "wait_share": "waiting",
    "duration_s": "duration",
    "time_to_target_s": "time_to_target",
    "created_at": "created",
    "started_at": "started",
    "finished_at": "finished",
    "mean_staleness": "staleness",
    "forecast_coverage": "coverage",
    "is_simulated": "simulated",
}

_BY_NAME = {name: key for key in KEYS for name in (key.name, *key.aliases)}
_BY_NAME |= {rest: _BY_NAME[name] for rest, name in _REST_NAMES.items()}


def names_of(key: str) -> list[str]:
    """Give the other names of a key."""
    return [name for name, found in _BY_NAME.items() if found.name == key and name != key]


def find_key(name: str) -> Key | None:
    """Give the key of a name, an alias or the name of the column in REST; case does not matter."""
    return _BY_NAME.get(name.lower())
