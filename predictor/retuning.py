"""Settings that are changed while a run trains: what may be changed, and what the run trains with afterwards.

A change names keys of the running policy, and keys of its forecaster. The policy itself stays; the forecaster may
become another one, which starts from its own defaults and learns from what was seen of each worker
(`Gate`). `Retuned` is the stimulus by which a change reaches the gate, and stands in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from predictor.errors import Complaint, SpecError
from predictor.events import Retuned
from predictor.spec import RunSpec, read_run, to_data


@dataclass(frozen=True, slots=True)
class Retuning:
    """A change that was checked."""

    spec: RunSpec  # what the run trains with afterwards
    policy: dict[str, Any]  # as they stand in `Retuned`
    forecaster: dict[str, Any]


def has_forecaster(spec: RunSpec) -> bool:
    """Tell whether the run's policy acts on forecasts."""
    return spec.policy.build().forecasts


def lay_on(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a part of a spec with changes; another `name` leaves nothing of the old ones."""
    is_other = "name" in changes and changes["name"] != settings.get("name")
    return {**({} if is_other else settings), **changes}


def retune(spec: RunSpec, policy: Mapping[str, Any], forecaster: Mapping[str, Any]) -> Retuning:
    """Check a change of a run that trains.

    Args:
        spec: what the run trains with now.
        policy: changed parameters of its policy.
        forecaster: changed parameters of its forecaster, or the `name` of another one with some of its own.

    Raises:
        SpecError: names the field, its value and the wish.
    """
    data = to_data(spec)
    name = data["policy"]["name"]
    if not policy and not forecaster:
        raise SpecError([Complaint("policy", {}, "needs at least one setting to change")])
    if policy.get("name", name) != name:
        wish = f"must stay {name}: a run that trains cannot change its policy; clone it"
        raise SpecError([Complaint("policy.name", policy["name"], wish)])
    if forecaster and not has_forecaster(spec):
        raise SpecError([Complaint("forecaster", dict(forecaster), f"is not used by the policy {name}")])
    data["policy"] = lay_on(data["policy"], policy)
    data["forecaster"] = lay_on(data["forecaster"], forecaster)
    changed = read_run(data)
    is_other = changed.forecaster.name != spec.forecaster.name
    complete = to_data(changed)["forecaster"]
    return Retuning(
        changed,
        {key: getattr(changed.policy, key) for key in policy if key != "name"},
        complete if is_other else {key: complete[key] for key in forecaster if key != "name"},
    )


def retuned_spec(spec: RunSpec, retunings: Iterable[Retuned]) -> RunSpec:
    """Give what a run trains with after the changes of its log, in their order.

    Raises:
        SpecError: a change is none of this run.
    """
    for one in retunings:
        if one.params or one.forecaster:
            spec = retune(spec, one.params, one.forecaster).spec
    return spec


def changed_settings(before: RunSpec, after: RunSpec) -> dict[str, Any]:
    """Give the settings of policy and forecaster that differ, by dotted path, as they are in `after`."""
    changes: dict[str, Any] = {}
    for part in ("policy", "forecaster"):
        old, new = (to_data(spec)[part] for spec in (before, after))
        changes |= {f"{part}.{key}": value for key, value in new.items() if key not in old or old[key] != value}
    return changes
