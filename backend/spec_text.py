"""An experiment as the text of a file, YAML or JSON, and back: what the form exports, `foresync run` reads."""

from __future__ import annotations

import json
from typing import Any, Literal

import yaml

from predictor.errors import Complaint, SpecError
from predictor.spec import ExperimentSpec, read_experiment, to_data

Format = Literal["yaml", "json"]

MAX_TEXT_LENGTH = 64 * 1024
MAX_DEPTH = 32  # of nested objects and lists
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first one is written in C, and much faster
EXPERIMENT_KEYS = frozenset({"run", "grid", "seeds"})  # one of them makes it an experiment, else it is one run


def read_text(text: str) -> ExperimentSpec:
    """Read a file: an experiment, a preset, or the spec of one run, which becomes an experiment of one run.

    Raises:
        SpecError: it is too long, no YAML or JSON, or a setting is wrong.
    """
    data = load_text(text)
    if isinstance(data.get("experiment"), dict):  # a preset
        data = data["experiment"]
    if not EXPERIMENT_KEYS & set(data):
        data = one_run(data)
    return read_experiment({"name": "Experiment", **data})


def one_run(data: dict[str, Any]) -> dict[str, Any]:
    """Give the experiment that stands for one run's spec."""
    run = {key: value for key, value in data.items() if key not in ("name", "seed")}
    return {"name": data.get("name", "Experiment"), "run": run, "seeds": [data.get("seed", 1)]}


def load_text(text: str) -> dict[str, Any]:
    """Read YAML, of which JSON is a part.

    Raises:
        SpecError: it is too long, no YAML, or no object of settings.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise SpecError([Complaint("text", len(text), f"may have at most {MAX_TEXT_LENGTH} characters")])
    try:
        _look_through(text)
        data = yaml.load(text, LOADER)  # noqa: S506 (a safe one)
    except SpecError:
        raise
    except yaml.YAMLError as error:
        raise SpecError([Complaint("text", None, f"must be YAML or JSON: {_in_words(error)}")]) from error
    except (RecursionError, ValueError) as error:  # nested too deep; a date that is none
        raise SpecError([Complaint("text", None, "must be YAML or JSON that can be read")]) from error
    if not isinstance(data, dict):
        what = "nothing" if data is None else type(data).__name__
        raise SpecError([Complaint("text", what, "must be an object of settings, such as `policy: {name: ssp}`")])
    return data


def _look_through(text: str) -> None:
    """Refuse what could stand for much more than its text: aliases, and nesting that nobody writes."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise SpecError([Complaint("text", None, "must not use aliases (*name)")])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise SpecError([Complaint("text", None, f"may be nested {MAX_DEPTH} deep at most")])


def write_text(spec: ExperimentSpec, form: Format) -> str:
    """Write an experiment; one that stands for a single run is written as that run's spec."""
    data = to_data(spec)
    if not spec.grid and len(spec.seeds) == 1:
        data = {"name": spec.name, **{k: v for k, v in spec.run.items() if k != "name"}, "seed": spec.seeds[0]}
    if form == "json":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump(_plain(data), sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)


def _plain(value: Any) -> Any:
    """Give lists for tuples, which YAML would mark as Python's own."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _in_words(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = "" if mark is None else f" in line {mark.line + 1}"
    return f"{getattr(error, 'problem', None) or 'it cannot be read'}{place}"
