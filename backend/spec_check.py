"""What `predictor.spec` cannot check of a spec: whether this machine has the model, the data and the files.

Done before anything is stored or started.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from predictor.errors import Complaint, SpecError
from predictor.spec import RunSpec, TaskSpec

MAX_TRACE_BYTES = 64 * 2**20


class ReadCatalogue(Protocol):
    """Gives the workers' catalogue (`RunManager.catalogue`); may raise ExecutorError."""

    def __call__(self, data_dir: str | None = None, *, is_fresh: bool = False) -> dict[str, Any]: ...


def check_runs(specs: Iterable[RunSpec], read_catalogue: ReadCatalogue) -> None:
    """Check runs against the machine; what they have in common is checked once.

    Raises:
        SpecError: names every field that is wrong, its value and the wish.
        ExecutorError: the catalogue cannot be had.
    """
    complaints: dict[str, Complaint] = {}
    seen: set[object] = set()
    for spec in specs:
        for key in ((spec.task, spec.cluster.num_workers), spec.speed):
            if key in seen:
                continue
            seen.add(key)
            found = _check_speed(spec) if key is spec.speed else _check_task(spec, read_catalogue)
            complaints |= {str(complaint): complaint for complaint in found}
    if complaints:
        raise SpecError(list(complaints.values()))


def read_trace(path: str) -> str:
    """Read the text of a trace file.

    Raises:
        OSError: it cannot be read, is no plain file, or is too large.
        UnicodeError: it is not text.
    """
    file = Path(path)
    if not file.is_absolute():
        raise OSError("the path must be absolute")
    if file.exists() and not file.is_file():
        raise OSError("it is not a plain file")
    if file.stat().st_size > MAX_TRACE_BYTES:
        raise OSError(f"it is larger than {MAX_TRACE_BYTES // 2**20} MiB")
    return file.read_text(encoding="utf-8")


def step_time_s(task: TaskSpec, known: dict[str, Any]) -> float | None:
    """Give the CPU seconds of one step of a task as the catalogue measured it; None if it did not."""
    measured = known.get("step_s", {}).get(f"{task.model}/{_listed_name(task)}")
    return None if measured is None else float(measured) * task.batch_size / 32


def num_test_samples(task: TaskSpec, known: dict[str, Any]) -> int:
    """Give the size of the held-back set of a task as the catalogue knows it; 0 if it does not."""
    name = _listed_name(task)
    return max((int(one["num_test"]) for one in known["datasets"] if one["name"] == name), default=0)


def _check_speed(spec: RunSpec) -> list[Complaint]:
    try:
        spec.speed.build(0, spec.cluster.num_workers, spec.seed, read_trace)
    except SpecError as error:
        return error.complaints
    return []


def _check_task(spec: RunSpec, read_catalogue: ReadCatalogue) -> list[Complaint]:
    data_dir = spec.task.data_dir
    if data_dir is not None and not _exists(data_dir):
        wish = "must be the absolute path of a folder or file that exists on the machine that trains"
        return [Complaint("task.data_dir", data_dir, wish)]
    complaints = _judge(spec, read_catalogue(data_dir))
    if any(complaint.field in ("task.dataset", "task.data_dir") for complaint in complaints) or (
        complaints and data_dir is not None
    ):  # data that are missing may have come since the catalogue was asked
        complaints = _judge(spec, read_catalogue(data_dir, is_fresh=True))
    return complaints


def _exists(path: str) -> bool:
    try:
        return Path(path).is_absolute() and Path(path).exists()
    except (OSError, ValueError):  # a path that is too long, or with a NUL
        return False


def _judge(spec: RunSpec, known: dict[str, Any]) -> list[Complaint]:
    task, complaints = spec.task, []
    models = [one["name"] for one in known["models"]]
    if task.model not in models:
        complaints.append(Complaint("task.model", task.model, f"must be one of {', '.join(models)}"))
    names = [one["name"] for one in known["datasets"]]
    listed = [one for one in known["datasets"] if one["name"] == _listed_name(task)]
    if not listed:
        return [*complaints, Complaint("task.dataset", task.dataset, f"must be one of {', '.join(names)}")]
    named = [one for one in known["datasets"] if one["name"] == task.dataset]
    if task.data_dir is not None and named and not named[0].get("reads_data_dir", True):
        wish = "comes with the program and reads no data_dir: it must be a name of your own"
        return [*complaints, Complaint("task.dataset", task.dataset, wish)]
    dataset = listed[-1]  # the user's own data stand last, and may be called like a data set that is known by name
    field, value = ("task.dataset", task.dataset) if task.data_dir is None else ("task.data_dir", task.data_dir)
    if not dataset["is_available"]:
        return [*complaints, Complaint(field, value, f"must hold a data set that can be read: {dataset['reason']}")]
    if task.model in models and task.model not in dataset["models"]:
        shape = " x ".join(map(str, dataset["sample_shape"]))
        wish = f"must fit samples of {shape} from {dataset['name']}: one of {', '.join(dataset['models'])}"
        complaints.append(Complaint("task.model", task.model, wish))
    if dataset["num_train"] < spec.cluster.num_workers:
        wish = f"must be <= {dataset['num_train']}, the number of training samples"
        complaints.append(Complaint("cluster.num_workers", spec.cluster.num_workers, wish))
    return complaints


def _listed_name(task: TaskSpec) -> str:
    """Give the name under which the catalogue lists the task's data: the user's own are called after their path."""
    if task.data_dir is None:
        return task.dataset
    return Path(task.data_dir).resolve().name.removesuffix(".npz")
