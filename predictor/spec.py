"""What is asked for: the spec of a run and of an experiment.

Plain frozen dataclasses; `read_run` and `read_experiment` decode and check them (`SpecError` names the
field, the value and the wish). Times in seconds, on the clock of the run.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import TypeAdapter

from predictor.churn import Absence, complaints_about
from predictor.decoding import decode
from predictor.errors import Complaint, SpecError
from predictor.forecasters import AnyForecasterParams, TimingParams
from predictor.optimizers import MomentumOptimizer, OptimizerSpec
from predictor.params import STRICT, param
from predictor.policies import AnyPolicyParams, ForesyncParams
from predictor.speeds import AnySpeedParams, LognormalParams

MAX_RUNS_PER_EXPERIMENT = 1_000


@dataclass(frozen=True)
class DirichletPartition:
    """Each class is shared among the workers by Dirichlet proportions: non-IID data."""

    __pydantic_config__ = STRICT

    dirichlet: Annotated[float, param("Concentration; small values give each worker few classes.", gt=0, le=1000)] = 0.3


@dataclass(frozen=True)
class TaskSpec:
    """What is learnt."""

    __pydantic_config__ = STRICT

    model: Annotated[str, param("Model that is trained.", min_length=1)] = "mlp"
    dataset: Annotated[str, param("Data set; or the name that you give the data of `data_dir`.", min_length=1)] = (
        "digits"
    )
    data_dir: Annotated[
        str | None,
        param("Folder or file with your own data (IDX, CIFAR-10 binary, npz), on the machine that trains."),
    ] = None
    batch_size: Annotated[int, param("Samples of one minibatch.", unit="samples", ge=1, le=65536)] = 32
    learning_rate: Annotated[
        float, param("Step size of the optimizer; what a worker pushes weighs 1/N.", gt=0, le=100)
    ] = 0.1
    optimizer: Annotated[
        OptimizerSpec,
        param("What each worker makes its steps with; momentum and Adam keep their state beside it.", advanced=True),
    ] = "sgd"
    partition: Annotated[
        Literal["iid"] | DirichletPartition, param("How the training data is shared among the workers.")
    ] = "iid"


@dataclass(frozen=True)
class ClusterSpec:
    """Who trains."""

    __pydantic_config__ = STRICT

    num_workers: Annotated[int, param("Worker processes.", unit="workers", ge=1, le=64)] = 4
    launcher: Annotated[
        Literal["processes", "virtual"],
        param("Real processes, or one process in virtual time: exact and repeatable times, simulated."),
    ] = "processes"
    transport: Annotated[Literal["torch_rpc"], param("How workers and server talk.", advanced=True)] = "torch_rpc"
    on_worker_loss: Annotated[
        Literal["continue", "stop"], param("What the run does when a worker dies.", advanced=True)
    ] = "continue"
    churn: Annotated[
        tuple[Absence, ...],
        param("Workers that join late, die, and come back; in virtual time only.", max_length=256, advanced=True),
    ] = ()


@dataclass(frozen=True)
class TransferSpec:
    """Emulated network: added to every message that carries weights, half on the way up, half down."""

    __pydantic_config__ = STRICT

    transfer_s: Annotated[float, param("Push and pull together.", unit="s", ge=0, le=60)] = 0.0
    cv: Annotated[float, param("Coefficient of variation of the lognormal jitter.", ge=0, le=3, advanced=True)] = 0.0
    server_message_s: Annotated[
        float,
        param(
            "Seconds for which each push and each pull occupies the server's line, which carries one of each at a "
            "time; 0: links are independent. In virtual time only.",
            unit="s",
            ge=0,
            le=60,
            advanced=True,
        ),
    ] = 0.0


@dataclass(frozen=True)
class TargetSpec:
    """A goal on the held-back set."""

    __pydantic_config__ = STRICT

    metric: Annotated[Literal["test_accuracy", "test_loss"], param("Metric of the held-back set.")] = "test_accuracy"
    value: Annotated[float, param("Reached at or above it (accuracy, 0 to 1), at or below it (loss).", ge=0)] = 0.9


@dataclass(frozen=True)
class StopSpec:
    """When the run ends: at whichever comes first. At least one must be given."""

    __pydantic_config__ = STRICT

    iterations: Annotated[int | None, param("Iterations of each worker.", unit="iterations", ge=1)] = None
    seconds: Annotated[float | None, param("Seconds since the start.", unit="s", gt=0, le=1e9)] = 60.0
    target: Annotated[TargetSpec | None, param("Goal on the held-back set.")] = None


@dataclass(frozen=True)
class RunSpec:
    """One training job, complete."""

    __pydantic_config__ = STRICT

    name: Annotated[str, param("Name in lists.", min_length=1, max_length=120)] = "run"
    task: TaskSpec = field(default_factory=TaskSpec)
    cluster: ClusterSpec = field(default_factory=ClusterSpec)
    policy: AnyPolicyParams = field(default_factory=ForesyncParams)
    forecaster: AnyForecasterParams = field(default_factory=TimingParams)
    speed: AnySpeedParams = field(default_factory=LognormalParams)
    transfer: TransferSpec = field(default_factory=TransferSpec)
    stop: StopSpec = field(default_factory=StopSpec)
    evaluate_every_s: Annotated[float, param("Pause between evaluations.", unit="s", ge=0.05, le=3600)] = 0.5
    checkpoint_every_s: Annotated[
        float, param("Pause between checkpoints; 0 = only at a stop.", unit="s", ge=0, le=86400, advanced=True)
    ] = 30.0
    seed: Annotated[int, param("Of the data order, the first weights and the emulated cluster.", ge=0, lt=2**31)] = 1


@dataclass(frozen=True)
class ExperimentSpec:
    """A named set of runs: every combination of the grid's values, times the seeds.

    `grid` maps a dotted path of the run's spec to its values; a value may be a whole object:
    `{"policy": [{"name": "ssp", "threshold": 3}, {"name": "predictive"}], "task.learning_rate": [0.1, 0.2]}`.
    """

    __pydantic_config__ = STRICT

    name: Annotated[str, param("Name of the experiment.", min_length=1, max_length=120)]
    run: Annotated[dict[str, Any], param("What all runs share (a run's spec; what is absent takes its default).")]
    grid: Annotated[dict[str, list[Any]], param("Settings that differ, by dotted path.")] = field(default_factory=dict)
    seeds: Annotated[
        list[int], param("Each combination is run once for each; if absent, the seed of `run`.", min_length=1)
    ] = field(default_factory=lambda: [1])


def read_run(data: object) -> RunSpec:
    """Decode and check a run's spec; its policy is suited to the workers' optimizer where it leaves that open.

    Raises:
        SpecError: names every field that is wrong, its value and the wish.
    """
    spec: RunSpec = decode(_RUN, data)
    complaints = _check_run(spec)
    if complaints:
        raise SpecError(complaints)
    return dataclasses.replace(spec, policy=suited(spec.policy, spec.task.optimizer))


def suited(policy: AnyPolicyParams, optimizer: OptimizerSpec) -> AnyPolicyParams:
    """Give the policy with a momentum of 0 where it has its usual one, and the workers have one of their own.

    Two of them repeat the same gradients twice (benchmarks/results/weak.md).
    """
    is_plain = optimizer == "sgd" or (isinstance(optimizer, MomentumOptimizer) and optimizer.momentum == 0)
    if isinstance(policy, ForesyncParams) and policy.momentum is None and not is_plain:
        return dataclasses.replace(policy, momentum=0.0)
    return policy


def read_experiment(data: object) -> ExperimentSpec:
    """Decode an experiment and check every run that it stands for. Without `seeds`, the seed is that of `run`.

    Raises:
        SpecError: as `read_run`.
    """
    if isinstance(data, dict) and "seeds" not in data and isinstance(run := data.get("run"), dict) and "seed" in run:
        data = {**data, "seeds": [run["seed"]]}
    spec: ExperimentSpec = decode(_EXPERIMENT, data)
    expand(spec)
    return spec


def expand(spec: ExperimentSpec) -> list[RunSpec]:
    """Give the runs of an experiment: grid in the order of its keys, seeds innermost.

    Raises:
        SpecError: a grid path that does not exist, an empty list of values, a seed that is given twice or in the
            grid, too many runs, a wrong run.
    """
    if complaints := _check_experiment(spec):
        raise SpecError(complaints)
    num_runs = len(spec.seeds)
    for values in spec.grid.values():
        num_runs *= len(values)
    if num_runs > MAX_RUNS_PER_EXPERIMENT:
        raise SpecError([Complaint("grid", num_runs, f"may stand for at most {MAX_RUNS_PER_EXPERIMENT} runs")])
    runs = []
    for combination in itertools.product(*spec.grid.values()):
        # A whole object before a setting of it.
        settings = sorted(zip(spec.grid, combination, strict=True), key=lambda one: one[0].count("."))
        for seed in spec.seeds:
            data = copy.deepcopy(spec.run)
            for path, value in settings:
                _set(data, path, copy.deepcopy(value))
            data["seed"] = seed
            data.setdefault("name", spec.name)
            runs.append(read_run(data))
    return runs


def to_data(spec: RunSpec | ExperimentSpec) -> dict[str, Any]:
    """Give the spec as plain data, complete with defaults, as it stands in `spec.json`."""
    return dataclasses.asdict(spec)


def run_schema() -> dict[str, Any]:
    """Give the JSON Schema of a run's spec; units and `advanced` stand beside each description."""
    return _RUN.json_schema()


def _check_experiment(spec: ExperimentSpec) -> list[Complaint]:
    complaints = [
        Complaint(f"grid.{path}", values, "needs at least one value")
        for path, values in spec.grid.items()
        if not values
    ]
    if not spec.name.strip():
        complaints.append(Complaint("name", spec.name, "must not be blank"))
    if "seed" in spec.grid:
        complaints.append(Complaint("grid.seed", spec.grid["seed"], "must be given as the experiment's `seeds`"))
    if len(set(spec.seeds)) < len(spec.seeds):
        complaints.append(Complaint("seeds", spec.seeds, "must differ: one seed gives the same run again"))
    return complaints


def _check_run(spec: RunSpec) -> list[Complaint]:
    """Check what one field alone cannot tell."""
    complaints = []
    if not spec.name.strip():
        complaints.append(Complaint("name", spec.name, "must not be blank"))
    stop = spec.stop
    if stop.iterations is None and stop.seconds is None and stop.target is None:
        complaints.append(Complaint("stop", None, "needs at least one of iterations, seconds, target"))
    if stop.target and stop.target.metric == "test_accuracy" and stop.target.value > 1:
        complaints.append(Complaint("stop.target.value", stop.target.value, "must be <= 1 for test_accuracy"))
    if spec.cluster.launcher == "virtual" and spec.speed.kind == "native":
        wish = "must be a speed model where the launcher is virtual: in virtual time a machine has no speed of its own"
        complaints.append(Complaint("speed.kind", spec.speed.kind, wish))
    complaints += complaints_about(spec.cluster.churn, spec.cluster.num_workers, "cluster.churn")
    if spec.cluster.launcher != "virtual":
        complaints += _only_virtual(spec)
    for name in ("factors", "then"):
        factors = getattr(spec.speed, name, ())
        if len(factors) not in (0, 1, spec.cluster.num_workers):
            wish = f"must have one entry, or one for each of the {spec.cluster.num_workers} workers"
            complaints.append(Complaint(f"speed.{name}", list(factors), wish))
    return complaints


def _only_virtual(spec: RunSpec) -> list[Complaint]:
    """Refuse for real processes what only virtual time emulates."""
    complaints = []
    if spec.transfer.server_message_s > 0:
        wish = "must be 0 where the launcher is processes: the shared line of a server exists in virtual time only"
        complaints.append(Complaint("transfer.server_message_s", spec.transfer.server_message_s, wish))
    if spec.cluster.churn:
        wish = "must be empty where the launcher is processes: workers come and go by plan in virtual time only"
        complaints.append(Complaint("cluster.churn", len(spec.cluster.churn), wish))
    return complaints


def _set(data: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise SpecError([Complaint(f"grid.{path}", value, "is not the path of a setting")])
    data[last] = value


_RUN: TypeAdapter[Any] = TypeAdapter(RunSpec)
_EXPERIMENT: TypeAdapter[Any] = TypeAdapter(ExperimentSpec)
