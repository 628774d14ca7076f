"""Settings that are changed while a run trains: what it trains with now, what was changed, and the request itself.

The request is a line of `control.jsonl`; it has become true when its `Retuned` stands in the log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.runs.rundir import RunDirectory
from backend.store import events, figures, progress, runs
from backend.store.records import RunRecord
from predictor import log
from predictor.errors import SpecError
from predictor.events import Retuned
from predictor.retuning import Retuning, changed_settings, has_forecaster, retune, retuned_spec
from predictor.spec import RunSpec, read_run, to_data

logger = logging.getLogger(__name__)

MAX_CHANGES = 10_000  # a person makes a handful; a script that makes more has its first ones listed

_NOT_NOW = {
    "queued": "The run waits in the queue: it can be retuned once it trains.",
    "starting": "The run is starting: it can be retuned once it trains.",
    "stopping": "The run is stopping, so it can no longer be retuned.",
}
_ENDED = "The run has ended, so it cannot be retuned; clone it with other settings."
_VIRTUAL = (
    "A run in virtual time cannot be retuned, since the same spec must give the same times; "
    "clone it with other settings, it is done in seconds."
)


@dataclass(frozen=True, slots=True)
class Change:
    """One `Retuned` of the log; settings by dotted path with the value before and after."""

    seq: int
    at_s: float
    settings: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """What can be said of a run's settings at this moment."""

    now: RunSpec
    changes: tuple[Change, ...]
    last_seq: int  # of the run, when this was read
    obstacle: str  # why nothing can be changed now; empty: it can


def read(session: Session, run_id: str) -> Tuning:
    """Read the settings that a run trains with, and how it came to them.

    Raises:
        NotFound: no such run.
        SpecError: its log holds a change that is none of this run.
    """
    run = runs.get(session, run_id)
    spec = read_run(run.spec)
    changes = []
    for seq, event in _retunings(session, run_id):
        after = retune(spec, event.params, event.forecaster).spec if event.params or event.forecaster else spec
        changes.append(Change(seq, event.at_s, _differences(spec, after)))
        spec = after
    return Tuning(spec, tuple(changes), run.last_seq, _obstacle(run, spec))


def keep_settings(session: Session, run_id: str, retunings: Sequence[Retuned]) -> dict[str, Any]:
    """Keep the settings that a run has after further changes, and give the columns of its row that say so.

    A change that fits no run of this kind is passed over: the log has been written, and the run goes on.

    Raises:
        NotFound: no such run.
    """
    run = runs.get(session, run_id)
    before = spec = read_run(run.spec_in_force)
    for one in retunings:
        try:
            spec = retuned_spec(spec, [one])
        except SpecError as error:
            logger.warning("A change of the settings of run %s makes no sense: %s", run_id, error)
    if spec == before:  # as after a resume, which repeats what held
        return {}
    data = to_data(spec)
    figures.keep_settings(session, [data])
    return {"settings_id": figures.settings_id(data), "start_settings_id": figures.settings_id(run.spec)}


def check(tuning: Tuning, policy: Mapping[str, Any], forecaster: Mapping[str, Any]) -> Retuning:
    """Check a change against what the run trains with.

    Raises:
        Conflict: the run does not train, or cannot be retuned.
        SpecError: names the setting that is wrong, its value and the wish.
    """
    if tuning.obstacle:
        raise Conflict(tuning.obstacle)
    return retune(tuning.now, policy, forecaster)


def send(session: Session, directory: RunDirectory, change: Retuning) -> None:
    """Hand a change to the run's coordinator.

    Raises:
        NotFound: no such run.
        Conflict: it ended in the meantime.
        OSError: the request could not be written.
    """
    state = progress.lock(session, directory.run_id).state  # so that it does not end unseen before the line is written
    if state != "running":
        raise Conflict(_NOT_NOW.get(state, _ENDED))
    directory.send({"command": "retune", "params": change.policy, "forecaster": change.forecaster})


def _retunings(session: Session, run_id: str) -> list[tuple[int, Retuned]]:
    page = events.read(session, run_id, 0, MAX_CHANGES, ["Retuned"])
    found = []
    for fields in json.loads(page.to_json()):
        event = log.from_fields(fields)
        assert isinstance(event, Retuned), "no other kind was asked for"
        found.append((fields["seq"], event))
    return found


def _differences(before: RunSpec, after: RunSpec) -> tuple[tuple[str, Any, Any], ...]:
    old = to_data(before)
    rows = []
    for path, value in changed_settings(before, after).items():
        part, _, key = path.partition(".")
        rows.append((path, old[part].get(key), value))
    return tuple(rows)


def _obstacle(run: RunRecord, spec: RunSpec) -> str:
    if run.is_simulated or spec.cluster.launcher == "virtual":
        return _VIRTUAL
    if run.state != "running":
        return _NOT_NOW.get(run.state, _ENDED)
    if len(to_data(spec)["policy"]) == 1 and not has_forecaster(spec):  # its name is all
        return f"The policy {spec.policy.name} has no setting that could be changed."
    return ""
