"""What the API says of settings that are changed while a run trains."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from backend.api.schemas import Model


class RetunedSetting(Model):
    """A setting that was changed."""

    path: str = Field(description='Dotted path, e.g. "policy.threshold".')
    before: Any = Field(description="null: the setting did not exist, since the forecaster was another one.")
    after: Any


class RetuneChange(Model):
    """One `Retuned` of the run's log."""

    seq: int
    at_s: float = Field(description="On the run's clock.")
    settings: list[RetunedSetting] = Field(description="Empty: it repeats what held already, as after a resume.")


class Tuning(Model):
    """What a run trains with, and what was changed since its start."""

    is_possible: bool = Field(description="Whether settings can be changed now.")
    reason: str = Field(description="Why not, as one sentence; empty where they can.")
    policy: dict[str, Any] = Field(description="The policy's settings as they are now.")
    forecaster: dict[str, Any] | None = Field(
        description="The forecaster's settings as they are now; null: the policy does not use one."
    )
    changes: list[RetuneChange] = Field(description="Oldest first.")
    last_seq: int = Field(description="Of the run's log, when this was read.")


class RetuneRequest(Model):
    """Changes of a run that trains; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    policy: dict[str, Any] = Field(default={}, examples=[{"threshold": 5}])
    forecaster: dict[str, Any] = Field(
        default={}, description="A `name` makes it another one, with that one's defaults.", examples=[{"window": 8}]
    )


class RetuneAsked(Model):
    """The change was handed to the run; it holds once a `Retuned` with a larger seq stands in the log."""

    after_seq: int
    policy: dict[str, Any]
    forecaster: dict[str, Any] = Field(description="Complete, where it becomes another one.")
