"""What the API says: the models of every answer, from which OpenAPI and the front end's types are drawn.

Answers are built as plain data and sent as they are; these models describe them, and the API's tests hold
every answer against its model. Times in seconds on the run's clock, `*_at` as ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from predictor.events import Outcome
from predictor.spec import ExperimentSpec, RunSpec, TargetSpec

RunState = Literal["queued", "starting", "running", "stopping", "completed", "stopped", "failed"]


class Model(BaseModel):
    model_config = ConfigDict(protected_namespaces=())


# ---- errors ----------------------------------------------------------------------------------------------


class FieldProblem(Model):
    """One thing that is wrong with what was sent."""

    field: str = Field(description='Dotted path, e.g. "policy.threshold".')
    value: Any = Field(description="What was given.")
    wish: str = Field(description='What would be right, e.g. "must be >= 0".')


class Problem(Model):
    """An error, RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


# ---- runs ------------------------------------------------------------------------------------------------


class WorkerSummary(Model):
    """Where one worker's time went."""

    worker: int
    num_iterations: int
    compute_s: float
    overlapped_s: float
    wait_s: float
    transfer_s: float
    wall_s: float
    utilisation: float | None
    sent_bytes: int
    received_bytes: int
    mean_interval_s: float | None
    lead: int


class WindowSummary(Model):
    """How the predicted sync windows held."""

    num: int
    num_covered: int
    mean_error_s: float | None


class ForecastSummary(Model):
    """How the forecasts of single iterations held, over all workers, after the first 20 iterations of each."""

    num: int = Field(description="Iterations that were judged.")
    coverage: float = Field(description="Share of them that ended inside their 5-95% window; 0.9 is wanted.")
    mean_error_share: float = Field(description="Mean absolute error, as a share of how long the iteration took.")
    mean_width_share: float = Field(description="Mean width of the window, as a share of the same.")


class RunSummary(Model):
    """The figures of a run so far; of a finished run, the final ones."""

    duration_s: float
    num_events: int
    num_iterations: int
    iterations_per_s: float | None
    version: int
    utilisation: float | None
    wait_share: float | None
    transfer_share: float | None
    wait_s: float
    bytes: int
    train_loss: float | None
    test_loss: float | None
    test_accuracy: float | None
    best_accuracy: float | None
    final_accuracy: float | None
    final_loss: float | None
    time_to_target_s: float | None
    target: TargetSpec | None = Field(
        description="The metric, and the value of it that reached the target; what was asked for is `spec.stop.target`."
    )
    max_lead: int
    mean_staleness: float | None
    num_workers_lost: int
    num_missed_pads: int
    windows: WindowSummary
    forecasts: ForecastSummary | None = Field(
        default=None, description="null: none was judged. Absent: the run ended before they were kept."
    )
    outcome: Outcome | None
    reason: str | None
    workers: list[WorkerSummary]


class ChangedSetting(Model):
    """A setting that is another one in force than at the start."""

    path: str = Field(description='Dotted path, e.g. "policy.threshold".')
    at_start: Any = Field(description="null: the setting did not exist, since the forecaster was another one.")
    in_force: Any


class Run(Model):
    """One training job."""

    id: str
    experiment_id: str
    experiment_name: str
    name: str
    state: RunState
    reason: str | None = Field(description="The closing sentence.")
    spec: RunSpec = Field(description="The settings of the start, as they were asked for; never changed.")
    spec_in_force: RunSpec = Field(
        description="What the run trains with now, or trained with at its end: `spec` with the changes made on the way."
    )
    is_retuned: bool = Field(description="Settings were changed while it trained, even if they were changed back.")
    retuned: list[ChangedSetting] = Field(description="Where `spec_in_force` differs from `spec`.")
    tags: list[str]
    notes: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    last_seq: int
    queue_position: int | None = Field(description="1 = next; null unless queued.")
    is_simulated: bool
    parent_id: str | None = Field(description="The run that this one was cloned from.")
    is_archived: bool = Field(description="Kept, but not in lists unless they ask for it.")
    deleted_at: str | None = Field(description="In the bin since then; null: not in the bin.")
    summary: RunSummary


class RunPage(Model):
    runs: list[Run]
    total: int = Field(description="Runs that match, on all pages.")
    next_cursor: str | None


class RunPatch(Model):
    """What a person may change of a run; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", min_length=1, max_length=120)
    tags: list[str] = Field(default=[], max_length=50)
    notes: str = Field(default="", max_length=100_000)
    is_archived: bool = False


class CloneRequest(Model):
    """A new run with the same settings, but for `changes` by dotted path."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, Any] = Field(default={}, examples=[{"policy.threshold": 5}])
    name: str | None = Field(default=None, min_length=1, max_length=120)
    settings: Literal["in_force", "start"] = Field(
        default="in_force", description="Of a run that was retuned: begin with what it ended with, or as it began."
    )


# ---- experiments -----------------------------------------------------------------------------------------


class ExperimentInfo(Model):
    """An experiment in a list."""

    id: str
    name: str
    spec: ExperimentSpec
    created_at: str
    num_runs: int
    num_done: int
    num_by_state: dict[RunState, int] = Field(description="How many of its runs are in which state; none: absent.")
    queue_position: int | None = Field(description="Of the first of its runs that waits; 1 = next; null: none does.")


class Experiment(ExperimentInfo):
    """A named set of runs: a grid of settings times seeds."""

    run_ids: list[str]
    runs: list[Run]


class ExperimentList(Model):
    """All experiments, newest first."""

    experiments: list[ExperimentInfo]


class CheckResult(Model):
    """The runs that an experiment stands for, complete with defaults."""

    runs: list[RunSpec]
    problems: list[FieldProblem] = Field(description="Empty: a spec with problems is answered with 422.")


class RunEstimate(Model):
    """Predicted duration of one run."""

    name: str
    policy: str
    low_s: float
    high_s: float | None = Field(description="null: nothing bounds it.")
    num_iterations: int | None = Field(description="Of all workers, until the latest end; null: not known.")
    basis: str


class Estimate(Model):
    """Predicted duration of an experiment, all runs in the queue's order."""

    num_runs: int
    runs: list[RunEstimate]
    total_low_s: float
    total_high_s: float | None
    total_iterations: int | None
    concurrency: int
    basis: str


# ---- a run's events --------------------------------------------------------------------------------------


class EvaluationCurve(Model):
    at_s: list[float]
    version: list[int]
    iterations: list[int] = Field(description="Iterations of all workers together at the snapshot.")
    loss: list[float | None] = Field(description="null: not a finite number.")
    accuracy: list[float | None]


class TrainingCurve(Model):
    """Minibatch loss: means of buckets of equally many iterations."""

    at_s: list[float]
    iterations: list[int]
    loss: list[float | None] = Field(description="null: no finite loss in the bucket.")


class WaitingCurve(Model):
    at_s: list[float]
    share: list[float] = Field(description="Share of the workers' time spent waiting, in the span that ends at at_s.")


class Curves(Model):
    evaluations: EvaluationCurve
    training: TrainingCurve
    waiting: WaitingCurve


# ---- what there is ---------------------------------------------------------------------------------------


class ModelEntry(Model):
    model_config = ConfigDict(extra="allow")

    name: str
    help: str
    input_shapes: str
    image_only: bool


class DatasetEntry(Model):
    model_config = ConfigDict(extra="allow")

    name: str
    help: str
    reads_data_dir: bool = Field(True, description="Whether a task that names it may give a data_dir.")
    is_available: bool
    reason: str = Field(description="Why not.")
    sample_shape: list[int]
    num_train: int
    num_test: int
    num_classes: int
    models: list[str] = Field(description="Models that fit.")


class Preset(Model):
    name: str
    title: str
    description: str
    experiment: ExperimentSpec


class Catalogue(Model):
    models: list[ModelEntry]
    datasets: list[DatasetEntry]
    presets: list[Preset]
    schema_: dict[str, Any] = Field(alias="schema", description="JSON Schema of a run's spec.")
    defaults: RunSpec
    versions: dict[str, str]


class Health(Model):
    status: Literal["ok"]
    version: str
