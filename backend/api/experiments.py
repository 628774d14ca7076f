"""Experiments: check, estimate, start, list, delete."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from backend import estimate
from backend.api.dependencies import ExperimentId, body_of, json_response, read_json
from backend.api.schemas import CheckResult, Estimate, Experiment, ExperimentList
from backend.api.services import Services, Use
from backend.api.views import experiment_data, info_data
from backend.spec_check import check_runs
from backend.store import experiments, runs
from backend.store.text import check_data, check_text
from predictor.spec import ExperimentSpec, RunSpec, expand, read_experiment, to_data

router = APIRouter(prefix="/experiments", tags=["experiments"])

MAX_NAME_LENGTH = 120

Body = Annotated[Any, Depends(read_json)]


@router.post("/check", response_model=CheckResult, openapi_extra=body_of("ExperimentSpecInput"))
def check_experiment(use: Use, body: Body) -> Response:
    """Check a spec and give the runs that it stands for; nothing is stored or started."""
    _, specs = _read(use, body)
    return json_response({"runs": [to_data(spec) for spec in specs], "problems": []})


@router.post("/estimate", response_model=Estimate, openapi_extra=body_of("ExperimentSpecInput"))
def estimate_experiment(use: Use, body: Body) -> Response:
    """Predict how long an experiment will take; nothing is stored or started."""
    _, specs = _read(use, body)
    return json_response(estimate.estimate(specs, use.manager.catalogue, use.manager.queue_settings.concurrency))


@router.post("", status_code=201, response_model=Experiment, openapi_extra=body_of("ExperimentSpecInput"))
def create_experiment(
    use: Use,
    body: Body,
    idempotency_key: Annotated[
        str | None, Header(description="The same key gives the same experiment again, with status 200.")
    ] = None,
) -> Response:
    """Store an experiment and queue its runs."""
    spec, _ = _read(use, body)
    with use.database.write() as session:
        experiment_id, is_new = experiments.create(session, spec, idempotency_key=idempotency_key)
        run_ids = experiments.get(session, experiment_id).run_ids
    if is_new:
        use.manager.submit(run_ids)
    headers = {"Location": f"/api/v1/experiments/{experiment_id}"}
    return _experiment_response(use, experiment_id, 201 if is_new else 200, headers)


@router.get("", response_model=ExperimentList)
def list_experiments(use: Use) -> Response:
    """List all experiments, newest first."""
    with use.database.read() as session:
        found = experiments.list_all(session)
    return json_response({"experiments": [info_data(one) for one in found]})


@router.get("/{experiment_id}", response_model=Experiment)
def get_experiment(experiment_id: ExperimentId, use: Use) -> Response:
    """Give one experiment with its runs."""
    return _experiment_response(use, experiment_id)


@router.delete("/{experiment_id}", status_code=204)
def delete_experiment(experiment_id: ExperimentId, use: Use) -> Response:
    """Stop and delete the experiment's runs, then the experiment."""
    use.manager.delete_experiment(experiment_id)
    return Response(status_code=204)


def _read(use: Services, body: object) -> tuple[ExperimentSpec, list[RunSpec]]:
    spec = read_experiment(body)
    check_text("name", spec.name, MAX_NAME_LENGTH)
    check_data("spec", to_data(spec))
    specs = expand(spec)
    check_runs(specs, use.manager.catalogue)
    return spec, specs


def _experiment_response(
    use: Services, experiment_id: str, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    with use.database.read() as session:
        experiment = experiments.get(session, experiment_id)
        members = runs.of_experiment(session, experiment_id)
    return json_response(experiment_data(experiment, members), status, headers)
