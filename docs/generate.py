"""Write the reference pages from the code that they describe: `python -m docs.generate` (or `make docs`).

A house test fails when a page of docs/reference/ is not what this program writes.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from backend.app import documented_app
from backend.openapi import build
from predictor import events, spec

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make docs` from the code; change the code. -->\n\n"
ELSEWHERE = ("Spec", "Params", "Input", "Partition", "Directive", "Contribution", "PlannedPush")  # on another page
METHODS = ("get", "post", "patch", "put", "delete")


def pages() -> dict[str, str]:
    """Give the text of every page by its file name."""
    return {"events.md": _events(), "settings.md": _settings(), "rest.md": _rest()}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines) + "\n"


# ---- events ----------------------------------------------------------------------------------------------


def _events() -> str:
    groups = (
        (
            "Stimuli",
            events.STIMULI,
            "What happened: the only input of the gate, in the order in which it handled them.",
        ),
        ("Instructions", events.INSTRUCTIONS, "What the gate said must be done, each with its reason in words."),
        ("Observations", events.OBSERVATIONS, "What the processes measured; the gate never sees them."),
    )
    nested = (events.Directive, events.Contribution, events.PlannedPush)
    text = f"""# Events

{NOTE}A run's log, `events.jsonl`, holds one JSON object a line: `seq` (its place, from 1, without gaps), `kind` (one of
the names below), `at_s` (seconds since the start of the run on the host's monotonic clock, going on over a
resume) and the fields of its kind. `*_at_s` are such times, other `*_s` are durations, `*_bytes` are sizes.
[The run directory](../run-directory.md) says who writes the log and when an event exists.

"""
    for title, kinds, meaning in groups:
        text += f"## {title}\n\n{meaning}\n\n" + "".join(_one_event(kind) for kind in kinds)
    text += "## Parts of events\n\n" + "".join(_one_event(kind) for kind in nested)
    return text.rstrip() + "\n"


def _one_event(kind: type[Any]) -> str:
    said = inspect.cleandoc(kind.__doc__ or "")
    is_described = not said.startswith(f"{kind.__name__}(")  # a dataclass without a docstring gets its signature
    comments = _comments(kind)
    fields = [field for field in dataclasses.fields(kind) if field.name != "at_s"]
    rows = [(f"`{f.name}`", f"`{_annotation(str(f.type))}`", comments.get(f.name, "")) for f in fields]
    table = _table(("field", "type", "meaning"), rows) if rows else ""
    return f"### {kind.__name__}\n\n" + (f"{said}\n\n" if is_described else "") + table


def _annotation(written: str) -> str:
    """Say what an alias of a few words stands for."""
    words = typing.get_args(getattr(events, written, None))
    return " | ".join(json.dumps(word) for word in words) or written


def _comments(kind: type[Any]) -> dict[str, str]:
    """Give the comments behind the fields in the source."""
    found = {}
    for base in reversed(kind.__mro__[:-1]):
        for line in inspect.getsource(base).splitlines():
            match = re.fullmatch(r"    (\w+): .*?  # (.*)", line)
            if match:
                found[match[1]] = match[2]
    return found


# ---- settings --------------------------------------------------------------------------------------------


def _settings() -> str:
    schema = spec.run_schema()
    definitions = schema["$defs"]
    text = f"""# Settings of a run

{NOTE}A run's spec is one object of these settings, as `spec.json`, as the body of a request, or as a YAML file for
`foresync run`. What is absent takes its default; an unknown key is an error. A dotted path such as
`policy.threshold` names a setting in `--set`, in the grid of an experiment and in "clone with changes".

"""
    choices: list[tuple[str, str]] = []
    text += _table(("setting", "type", "default", "meaning"), _rows(schema, definitions, "", choices))
    for path, name in choices:
        definition = definitions[name]
        tag = next(key for key, field in definition["properties"].items() if "const" in field)
        text += f"## `{path}.{tag}: {definition['properties'][tag]['const']}`\n\n{definition['description']}\n\n"
        rows = [row for row in _rows(definition, definitions, f"{path}.", []) if row[0] != f"`{path}.{tag}`"]
        text += _table(("setting", "type", "default", "meaning"), rows) if rows else "It has no settings.\n\n"
    experiment = dataclasses.fields(spec.ExperimentSpec)
    text += "## An experiment\n\n" + inspect.cleandoc(spec.ExperimentSpec.__doc__ or "") + "\n\n"
    hints = inspect.get_annotations(spec.ExperimentSpec, eval_str=True)
    rows = [(f"`{f.name}`", hints[f.name].__metadata__[0].description) for f in experiment]
    text += _table(("setting", "meaning"), rows)
    return text.rstrip() + "\n"


def _rows(schema: Any, definitions: Any, prefix: str, choices: list[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Give a row for each leaf; the alternatives of a union that has sections of its own are added to `choices`."""
    for name, field in schema["properties"].items():
        path = f"{prefix}{name}"
        if "discriminator" in field:
            tags = field["discriminator"]["mapping"]
            choices += [(path, _name(reference)) for reference in tags.values()]
            tag_path = f"{path}.{field['discriminator']['propertyName']}"
            default = spec.to_data(spec.RunSpec())[path][field["discriminator"]["propertyName"]]
            yield f"`{tag_path}`", " or ".join(f"`{tag}`" for tag in tags), _shown(default), "See the sections below."
            continue
        parts = [field, *field.get("anyOf", [])]
        nested = [definitions[_name(part["$ref"])] for part in parts if "$ref" in part]
        if nested and "anyOf" not in field:
            yield from _rows(nested[0], definitions, f"{path}.", choices)
            continue
        meaning = field.get("description", "") + (" (advanced)" if field.get("advanced") else "")
        yield f"`{path}`", _type(field, definitions), _shown(field.get("default", "")), meaning
        for one in nested:
            yield from _rows(one, definitions, f"{path}.", choices)


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _shown(value: Any) -> str:
    return "" if value == "" else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _type(field: Any, definitions: Any) -> str:
    """Say type, limits and unit, as in "integer, 1 to 64 workers"."""
    if "$ref" in field:
        return "object" if _name(field["$ref"]) in definitions else f"`{_name(field['$ref'])}`"
    if "anyOf" in field:
        return " or ".join(_type(one, definitions) for one in field["anyOf"])
    if "enum" in field or "const" in field:
        return " or ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {_type(field.get('items', {}), definitions)}"
    limits = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    said = [f"{sign} {field[key]}" for key, sign in limits.items() if key in field]
    unit = f" {field['unit']}" if field.get("unit") else ""
    return f"{kind}{', ' if said else ''}{', '.join(said)}{unit}"


# ---- REST ------------------------------------------------------------------------------------------------


def _rest() -> str:
    document = build(documented_app())
    text = f"""# REST

{NOTE}{document["info"]["description"]}

The machine-readable form of this page is OpenAPI {document["openapi"]}, served at `/api/v1/openapi.json`; the same
document lies in the repository as `frontend/openapi.json`. [The live stream](../live-stream.md) has a page of
its own.

"""
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                text += _operation(method, path, operations[method])
    text += "## Shapes\n\nEvents have [a page](events.md) of their own, and so have [specs](settings.md).\n\n"
    for name, shape in document["components"]["schemas"].items():
        if shape.get("properties") and name not in events.EVENTS and not name.endswith(ELSEWHERE):
            text += _shape(name, shape)
    return text.rstrip() + "\n"


def _shape(name: str, shape: Any) -> str:
    rows = [(f"`{key}`", _type(one, {}), one.get("description", "")) for key, one in shape["properties"].items()]
    text = f"### {name}\n\n" + (f"{shape['description']}\n\n" if "description" in shape else "")
    return text + _table(("field", "type", "meaning"), rows)


def _operation(method: str, path: str, operation: Any) -> str:
    text = f"## `{method.upper()} {path}`\n\n{operation.get('description', operation.get('summary', ''))}\n\n"
    rows = [
        (f"`{one['name']}`", one["in"], _type(one["schema"], {}), one.get("description", ""))
        for one in operation.get("parameters", [])
    ]
    text += _table(("parameter", "in", "type", "meaning"), rows) if rows else ""
    bodies = [f"`{_name(one['schema']['$ref'])}`" for one in _contents(operation.get("requestBody", {}))]
    text += f"Body: {', '.join(bodies)}.\n\n" if bodies else ""
    answers = []
    for status, answer in operation["responses"].items():
        shapes = [f"`{_name(one['schema']['$ref'])}`" for one in _contents(answer)]
        answers.append(f"{status} {', '.join(shapes)}".strip())
    return text + f"Answers: {'; '.join(answers)}.\n\n"


def _contents(message: Any) -> list[Any]:
    return [one for one in message.get("content", {}).values() if "$ref" in one.get("schema", {})]


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)
