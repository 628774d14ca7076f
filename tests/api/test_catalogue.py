"""What there is: health, models and data sets, presets, the schema, the document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend import openapi, presets
from backend.api import schemas
from backend.version import VERSION
from predictor.events import EVENTS
from predictor.spec import RunSpec, expand, read_run, run_schema, to_data
from tests.api import player
from tests.api.server import Server, check_model

ROOT = Path(__file__).parent.parent.parent
SNAPSHOT = ROOT / "frontend" / "openapi.json"


def test_health_needs_no_token(quiet_server: Server) -> None:
    answer = quiet_server.http.get("/health", headers={"Authorization": ""})
    assert answer.json() == check_model(schemas.Health, {"status": "ok", "version": VERSION})


def test_the_catalogue_has_what_a_form_needs(quiet_server: Server) -> None:
    catalogue = check_model(schemas.Catalogue, quiet_server.get("/catalogue"))
    assert catalogue["models"] == player.CATALOGUE["models"]
    assert catalogue["datasets"] == player.CATALOGUE["datasets"]
    assert catalogue["schema"] == json.loads(json.dumps(run_schema()))
    assert read_run(catalogue["defaults"]) == RunSpec()
    assert catalogue["versions"] == {"python": "3", "torch": "none", "foresync": VERSION}
    assert catalogue["presets"][0]["name"] == "demonstration"


def test_every_preset_is_offered_and_can_be_started_as_it_is(quiet_server: Server) -> None:
    files = {path.stem for path in Path(presets.__file__).parent.glob("*.yaml")}
    offered = quiet_server.get("/catalogue")["presets"]
    assert {preset["name"] for preset in offered} == files
    assert len({preset["title"] for preset in offered}) == len(files) >= 4
    for preset in offered:
        if preset["experiment"]["run"]["task"]["dataset"] == "digits":
            answer = quiet_server.http.post("/experiments/check", json=preset["experiment"])
            assert answer.status_code == 200, answer.text
        assert preset["description"].endswith(".")


def test_the_demonstration_compares_two_policies_on_the_same_terms() -> None:
    ssp, predictive = expand(presets.preset("demonstration").experiment)
    assert (ssp.policy.name, predictive.policy.name) == ("ssp", "predictive")
    assert to_data(ssp)["policy"] == {"name": "ssp", "threshold": 3}
    assert (ssp.task, ssp.speed, ssp.stop, ssp.seed) == (
        predictive.task,
        predictive.speed,
        predictive.stop,
        predictive.seed,
    )
    assert ssp.cluster.num_workers == 4
    assert ssp.stop.target is not None
    assert ssp.stop.seconds is not None
    assert 2 * ssp.stop.seconds <= 120


def test_the_committed_document_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    openapi.main()
    assert SNAPSHOT.read_text() == capsys.readouterr().out, "run: python -m backend.openapi > frontend/openapi.json"


def test_the_server_serves_the_same_document(quiet_server: Server) -> None:
    assert quiet_server.get("/openapi.json") == json.loads(SNAPSHOT.read_text())


def test_the_document_describes_events_specs_and_frames() -> None:
    document = json.loads(SNAPSHOT.read_text())
    components = document["components"]["schemas"]
    assert document["openapi"].startswith("3.1")
    assert components.keys() >= {*EVENTS, "Event", "LiveFrame", "RunSpec", "ExperimentSpec", "ExperimentSpecInput"}
    assert components["PushArrived"]["properties"]["kind"]["const"] == "PushArrived"
    assert set(components["RunSpec"]["required"]) == set(components["RunSpec"]["properties"])
    assert "required" not in components["RunSpecInput"]
    assert {"type": "null"} in components["IterationFinished"]["properties"]["loss"]["anyOf"]
    missing = {ref for ref in references(document) if ref.removeprefix("#/components/schemas/") not in components}
    assert missing == set()


def references(part: object) -> set[str]:
    """Give every $ref inside."""
    if isinstance(part, list):
        return {ref for one in part for ref in references(one)}
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
    mapped = set(part["mapping"].values()) if isinstance(part.get("mapping"), dict) else set()
    return own | mapped | {ref for one in part.values() for ref in references(one)}
