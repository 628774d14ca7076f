"""The frames and messages of the live stream, for the document of the API and for the types of the front end."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backend.api.schemas import Model, Run, RunState


class SubscribedFrame(Model):
    """The first frame of a subscription: what came of this run before belongs to an earlier one."""

    type: Literal["subscribed"]
    run_id: str | None = Field(description="null for the list of runs.")
    after: int | None = Field(description="The cursor that was asked for; null for the list of runs.")
    ticket: int | None = Field(description="As the message said it.")
    topic: Literal["runs"] | None = Field(description="The list of runs; null for a run.")


class StateFrame(Model):
    """The run's state, summary, name, tags, notes or settings have changed."""

    type: Literal["state"]
    run_id: str
    run: Run


class EndFrame(Model):
    """The run has finished and everything was sent; the subscription is over."""

    type: Literal["end"]
    run_id: str


class GoneFrame(Model):
    """There is no such run, or none any more; the subscription is over."""

    type: Literal["gone"]
    run_id: str


class ChangedRun(Model):
    id: str
    state: RunState | None = Field(description="null: the run is gone, and so are its name and tags.")
    name: str | None = Field(description="As it is now; a run may have been renamed.")
    tags: list[str] | None = Field(description="As they are now.")


class RunsFrame(Model):
    """Runs whose state, summary, name, tags or settings have changed since the last such frame."""

    type: Literal["runs"]
    runs: list[ChangedRun]
    is_complete: bool = Field(description="false: too many have changed to name them; read the list anew.")


class BeatFrame(Model):
    """The connection is alive; sent after 5 s of silence."""

    type: Literal["beat"]


class SubscribeMessage(Model):
    """Begin to follow a run, or begin again from another place."""

    type: Literal["subscribe"]
    run_id: str
    after: int = Field(default=0, description="The last seq that arrived; 0 for the whole run.")
    ticket: int | None = Field(default=None, description="A number of your own, which the first frame repeats.")


class UnsubscribeMessage(Model):
    """Follow a run no longer."""

    type: Literal["unsubscribe"]
    run_id: str


class ListMessage(Model):
    """Begin to be told which runs have changed, or end it."""

    type: Literal["subscribe", "unsubscribe"]
    topic: Literal["runs"]


FRAMES: dict[str, type[Model]] = {
    "subscribed": SubscribedFrame,
    "state": StateFrame,
    "end": EndFrame,
    "gone": GoneFrame,
    "runs": RunsFrame,
    "beat": BeatFrame,
}
MESSAGES: tuple[type[Model], ...] = (SubscribeMessage, UnsubscribeMessage, ListMessage)


def document(ref_template: str, events_fields: dict[str, Any]) -> dict[str, Any]:
    """Give the schemas of all frames and messages, with LiveFrame and LiveMessage over them."""
    names = {"events": "EventsFrame", **{kind: model.__name__ for kind, model in FRAMES.items()}}
    mapping = {kind: ref_template.format(model=name) for kind, name in names.items()}
    components: dict[str, Any] = {
        "EventsFrame": {
            "type": "object",
            "title": "EventsFrame",
            "properties": {
                "type": {"type": "string", "const": "events"},
                "run_id": {"type": "string"},
                **events_fields,
            },
            "required": ["type", "run_id", "events", "last_seq"],
        },
        "LiveFrame": {
            "title": "LiveFrame",
            "oneOf": [{"$ref": one} for one in mapping.values()],
            "discriminator": {"propertyName": "type", "mapping": mapping},
        },
        "LiveMessage": {
            "title": "LiveMessage",
            "anyOf": [{"$ref": ref_template.format(model=model.__name__)} for model in MESSAGES],
        },
    }
    for model in (*FRAMES.values(), *MESSAGES):
        schema = model.model_json_schema(ref_template=ref_template)
        own = schema.pop("$defs", {})
        components |= {name: one for name, one in own.items() if name == ChangedRun.__name__}
        components[model.__name__] = schema
    return components
