"""What the API says about the history: rows, facets, the language of the filter, changes of many runs, saved views."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from backend.api.schemas import Model, Run, RunState
from predictor.spec import TargetSpec


class RunRow(Model):
    """A run in a list: its settings in short and its figures, without those of each worker."""

    id: str
    experiment_id: str
    experiment_name: str
    name: str
    state: RunState
    reason: str | None
    policy: dict[str, Any] = Field(description="With all its settings, those in force.")
    policy_at_start: dict[str, Any] = Field(description="The same, unless the run was retuned.")
    is_retuned: bool = Field(description="Settings were changed while it trained.")
    model: str
    dataset: str
    num_workers: int
    seed: int
    is_simulated: bool
    tags: list[str]
    note: str = Field(description="The first line of the notes, at most 160 characters of it.")
    created_at: str
    started_at: str | None
    finished_at: str | None
    deleted_at: str | None = Field(description="In the bin since then; null: not in the bin.")
    is_archived: bool
    queue_position: int | None
    progress: float | None = Field(description="Of a running one, 0 to 1, to the nearest end.")
    target: TargetSpec | None
    duration_s: float | None
    time_to_target_s: float | None
    final_accuracy: float | None
    test_accuracy: float | None = Field(description="Of the newest evaluation, where there is no final one.")
    best_accuracy: float | None
    final_loss: float | None
    utilisation: float | None
    wait_share: float | None
    iterations_per_s: float | None
    mean_staleness: float | None
    traffic_bytes: int | None
    forecast_coverage: float | None


class RowPage(Model):
    rows: list[RunRow]
    total: int = Field(description="Runs that match, on all pages; counted up to 1,000.")
    is_total_exact: bool = Field(description="false: more runs match; `/runs/facets` counts all.")
    next_cursor: str | None


class FacetValue(Model):
    value: str = Field(description="As it is written in a filter.")
    num: int


class Facet(Model):
    """How many runs have which value, the commonest first."""

    key: str
    aliases: list[str] = Field(description="Other names by which a filter may call the key.")
    values: list[FacetValue]
    num_others: int = Field(description="Values that were left out.")


class Facets(Model):
    total: int = Field(description="Runs that match.")
    facets: list[Facet] = Field(description="Each counted without what the filter says about its own key.")


class FilterKey(Model):
    """A key that a filter may name."""

    key: str
    type: str
    operators: list[str]
    help: str
    example: str
    values: list[str] = Field(description="Values that are possible, or that runs have.")


class FilterHelp(Model):
    keys: list[FilterKey]
    max_length: int


class RunsChange(Model):
    """One change of many runs: those of `run_ids`, or all that a filter lets through."""

    model_config = ConfigDict(extra="forbid")

    change: Literal["tag", "untag", "archive", "unarchive", "delete", "restore", "purge"] = Field(
        description="`purge` deletes for good what is in the bin, at most 500 runs at a time."
    )
    run_ids: list[str] | None = Field(default=None, max_length=100_000)
    filter: str | None = None
    num_expected: int | None = Field(
        default=None, ge=0, description="With a filter: how many runs match; 409 where it is another number by now."
    )
    tag: str = Field(default="", description="For `tag` and `untag`.")


class RunsChanged(Model):
    """What was changed; the opposite change of these ids undoes it."""

    run_ids: list[str] = Field(description="Runs that were changed. Those that were so before are not among them.")
    num_training: int = Field(description="Runs that were not deleted because they train.")
    num_left: int = Field(description="Runs that are still to be purged: ask again.")


class SavedView(Model):
    """A filter, an order and a choice of columns under a name."""

    id: str
    name: str
    filter: str
    sort: str
    columns: list[str] = Field(description="Keys of the dashboard's columns; empty: those that it shows by default.")
    created_at: str


class SavedViews(Model):
    views: list[SavedView] = Field(description="By their names.")


class NewView(Model):
    """A view to be saved."""

    model_config = ConfigDict(extra="forbid")

    name: str
    filter: str = ""
    sort: str = "-created_at"
    columns: list[str] = Field(default=[])


class ViewPatch(Model):
    """What is changed of a saved view; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    filter: str = ""
    sort: str = ""
    columns: list[str] = Field(default=[])


class Baseline(Model):
    run: Run | None = Field(description="null: no run is pinned, or the pinned one is in the bin.")


class BaselineChoice(Model):
    model_config = ConfigDict(extra="forbid")

    run_id: str
