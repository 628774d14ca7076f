"""Scenario files (METHOD section 8): YAML, several documents to a file, several files to a folder.

name: spread-m0.5-iid
num_workers: 8
task: {model: mlp, dataset: digits, batch_size: 16, partition: iid}     # or partition: {dirichlet: 0.3}
                                     # and, where it is not sgd, optimizer: adam, or optimizer: {momentum: 0.9}
speed: {kind: lognormal, base_s: 1.0, factors: [1, 1.43, 1.86, 2.29, 2.71, 3.14, 3.57, 4], cv: 0.1}
transfer_s: 0.5                                                         # or {transfer_s: 0.5, cv: 0.3}: lognormal,
                                                # or {transfer_s: 0.5, server_message_s: 0.1}: through one shared line
target: {metric: test_loss, value: 0.20}
budget_s: 500
learning_rates: [0.35, 0.5, 0.7, 1.0, 1.4]
churn: [{worker: 2, leaves_at_s: 40, joins_at_s: 70}, {worker: 5, joins_at_s: 30}]      # may be absent: all stay
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import TypeAdapter

from predictor.churn import Absence, complaints_about
from predictor.decoding import decode
from predictor.errors import Complaint, SpecError
from predictor.optimizers import OptimizerSpec
from predictor.params import STRICT, param
from predictor.spec import DirichletPartition, TransferSpec
from predictor.speeds import AnySpeedParams, SpeedModel, Transfer
from workers.bench.tasks import Metric, Task, make_task
from workers.errors import WorkersError

EVALUATIONS_PER_BASE = 2  # the held-back set is measured every base_s / 2 of virtual time
_TRACES = "FORESYNC_TRACES"  # folder of traces that are named by a relative path
_ENDINGS = (".yaml", ".yml")
_TEXTS = ("kind", "path")  # the keys of a speed model that hold no number


class ScenarioError(WorkersError, ValueError):
    """A scenario file, or what else the benchmark was asked for, cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class TaskPart:
    """What is learnt."""

    __pydantic_config__ = STRICT

    model: Annotated[Literal["mlp"], param("Model.")]
    dataset: Annotated[Literal["digits", "teacher_student"], param("Data set.")]
    batch_size: Annotated[int, param("Samples of a minibatch.", unit="samples", ge=1, le=65536, strict=True)]
    partition: Annotated[Literal["iid"] | DirichletPartition, param("How the data is shared among the workers.")]
    optimizer: Annotated[OptimizerSpec, param("What each worker makes its steps with.")] = "sgd"


@dataclass(frozen=True)
class TargetPart:
    """The goal on the held-back set."""

    __pydantic_config__ = STRICT

    metric: Annotated[Metric, param("Metric of the held-back set.")]
    value: Annotated[float, param("At or below it (loss), at or above it (accuracy).", gt=0, le=100, strict=True)]


LearningRate = Annotated[float, param("Step size.", gt=0, le=1000, strict=True)]


@dataclass(frozen=True)
class Scenario:
    """One cell's cluster, task and goal. `read_scenarios` makes them; times in seconds of virtual time."""

    __pydantic_config__ = STRICT

    name: Annotated[str, param("Name in the results.", min_length=1, max_length=120)]
    num_workers: Annotated[int, param("Workers.", unit="workers", ge=1, le=1024, strict=True)]
    task: TaskPart
    speed: AnySpeedParams
    transfer_s: Annotated[
        TransferSpec | Annotated[float, param("Push and pull together.", unit="s", ge=0, le=3600, strict=True)],
        param("Push and pull together; with a cv the times are lognormal, with server_message_s they share a line."),
    ]
    target: TargetPart
    budget_s: Annotated[float, param("Longest training.", unit="s", gt=0, le=10**6, strict=True)]
    learning_rates: Annotated[list[LearningRate], param("Where tuning starts.", min_length=1)]
    churn: Annotated[tuple[Absence, ...], param("Workers that join late, die, and come back.", max_length=256)] = ()
    traces: Annotated[dict[str, str], param("Texts of the trace files; not a key of the file.")] = field(
        default_factory=dict
    )

    @property
    def transfer(self) -> TransferSpec:
        return self.transfer_s if isinstance(self.transfer_s, TransferSpec) else TransferSpec(self.transfer_s)

    @property
    def base_s(self) -> float:
        return float(getattr(self.speed, "base_s", 1.0))

    @property
    def evaluate_every_s(self) -> float:
        return self.base_s / EVALUATIONS_PER_BASE

    def speeds(self, seed: int) -> list[SpeedModel]:
        """Build the speed model of each worker."""
        workers = range(self.num_workers)
        return [self.speed.build(worker, self.num_workers, seed, self._read_trace) for worker in workers]

    def transfers(self, seed: int) -> list[Transfer]:
        """Build the link of each worker."""
        link = self.transfer
        return [Transfer(link.transfer_s, link.cv, worker, seed) for worker in range(self.num_workers)]

    def make_task(self, seed: int) -> Task:
        """Build the task."""
        task, target = self.task, self.target
        return make_task(
            task.dataset,
            task.partition,
            batch_size=task.batch_size,
            num_workers=self.num_workers,
            seed=seed,
            metric=target.metric,
            goal=target.value,
        )

    def content(self) -> dict[str, Any]:
        """Give all that decides about the results, as plain data: the name does not."""
        data = dataclasses.asdict(self)
        del data["name"], data["learning_rates"]
        return data

    def _read_trace(self, path: str) -> str:
        return self.traces[path]


_SCENARIO: TypeAdapter[Any] = TypeAdapter(Scenario)


def read_scenarios(paths: Sequence[Path]) -> list[Scenario]:
    """Read files, and folders of files in the order of their names.

    Raises:
        ScenarioError: a sentence that names the file, the document, the key and the value.
    """
    found: dict[str, Scenario] = {}
    for path in _files(paths):
        num_before = len(found)
        for number, data in _documents(path):
            where = f"{path}, document {number}"
            scenario = _read(data, path, where)
            if scenario.name in found:
                raise ScenarioError(f"{where}: name must not be used twice, got {scenario.name!r}.")
            found[scenario.name] = scenario
        if len(found) == num_before:
            raise ScenarioError(f"{path} holds no scenario: it needs at least one YAML document.")
    return list(found.values())


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            files = sorted(one for one in path.iterdir() if one.suffix in _ENDINGS and one.is_file())
            if not files:
                raise ScenarioError(f"The folder {str(path)!r} holds no scenario file (*.yaml, *.yml).")
            yield from files
        else:
            yield path


def _documents(path: Path) -> Iterator[tuple[int, object]]:
    """Give the documents that are not empty, numbered from 1 as they stand in the file."""
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(f"The scenario file {str(path)!r} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"The scenario file {str(path)!r} is not YAML: {' '.join(str(error).split())}.") from error
    return ((number, data) for number, data in enumerate(documents, 1) if data is not None)


def _read(data: object, path: Path, where: str) -> Scenario:
    if not isinstance(data, dict):
        raise ScenarioError(f"{where}: must be an object of settings, got {data!r}.")
    if "name" in data:
        where = f"{where} ({data['name']!r})"
    try:
        if "traces" in data:
            raise SpecError([Complaint("traces", data["traces"], "is not a known key")])
        complaints = list(_odd_numbers(data.get("speed"), "speed"))
        if complaints:
            raise SpecError(complaints)
        scenario: Scenario = decode(_SCENARIO, data)
        complaints = _check(scenario)
        if complaints:
            raise SpecError(complaints)
        trace = getattr(scenario.speed, "path", None)
        if trace is not None:
            scenario.traces[trace] = _trace_text(trace, path.parent)
        scenario.speeds(seed=0)  # finds a trace that is broken
    except SpecError as error:
        raise ScenarioError(f"{where}: {error}.") from error
    return scenario


def _odd_numbers(value: object, key: str) -> Iterator[Complaint]:
    """Find what a speed model would take for a number and is none: text, truth values, infinity."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _TEXTS:
                yield from _odd_numbers(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _odd_numbers(inner, f"{key}.{place}")
    elif isinstance(value, bool | str) or (isinstance(value, float) and not math.isfinite(value)):
        yield Complaint(key, value, "must be a number")


def _check(scenario: Scenario) -> list[Complaint]:
    """Check what one key alone cannot tell."""
    complaints = []
    speed, target, rates = scenario.speed, scenario.target, scenario.learning_rates
    if speed.kind == "native":
        complaints.append(Complaint("speed.kind", speed.kind, "must be a model of virtual time"))
    for name in ("factors", "then"):
        factors = getattr(speed, name, ())
        if len(factors) not in (0, 1, scenario.num_workers):
            wish = f"must have one entry, or one for each of the {scenario.num_workers} workers"
            complaints.append(Complaint(f"speed.{name}", list(factors), wish))
    if target.metric == "test_accuracy" and target.value > 1:
        complaints.append(Complaint("target.value", target.value, "must be <= 1 for test_accuracy"))
    complaints += complaints_about(scenario.churn, scenario.num_workers, "churn")
    if rates != sorted(set(rates)):
        complaints.append(Complaint("learning_rates", rates, "must ascend"))
    return complaints


def _trace_text(trace: str, beside: Path) -> str:
    """Read a trace; a relative path is looked up beside the scenario file, then in $FORESYNC_TRACES.

    There its file name alone will do: a path such as `../traces/x.csv` is meant from the scenario file on.
    """
    places = [beside / trace]
    if os.environ.get(_TRACES) and not Path(trace).is_absolute():
        folder = Path(os.environ[_TRACES])
        places += [folder / trace, folder / Path(trace).name]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        wish = f"must name a CSV file that is beside the scenario file or in ${_TRACES}"
        raise SpecError([Complaint("speed.path", trace, wish)])
    try:
        return found.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise SpecError([Complaint("speed.path", trace, f"must name a readable CSV file ({detail})")]) from error
