"""What everything in a registry promises: a form can be drawn from it, its defaults work, it is deterministic."""

from __future__ import annotations

import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import SpecError
from predictor.forecasters import FORECASTERS
from predictor.policies import POLICIES
from predictor.simulator import simulate
from predictor.spec import RunSpec, read_run, run_schema, to_data
from predictor.speeds import SPEEDS
from tests.predictor.checks import of_the_house, scenarios
from tests.predictor.test_speeds import read_text

REGISTRIES = {"policy": (POLICIES, "name"), "forecaster": (FORECASTERS, "name"), "speed": (SPEEDS, "kind")}
REQUIRED = {"trace": {"path": "trace.csv"}}  # parameters that can have no default
ENTRIES = [(setting, name) for setting, (registry, _) in REGISTRIES.items() for name in registry]

every_entry = pytest.mark.parametrize(("setting", "name"), ENTRIES, ids=[f"{one}-{name}" for one, name in ENTRIES])


def kind_of(setting, name):
    return REGISTRIES[setting][0][name]


def given_data(setting, name):
    """Give the least that a user writes for it."""
    return {REGISTRIES[setting][1]: name, **REQUIRED.get(name, {})}


@every_entry
def test_it_is_named_alike_everywhere(setting, name):
    kind = kind_of(setting, name)
    assert kind.__module__.rpartition(".")[2] == name
    tag = next(field for field in dataclasses.fields(kind) if field.name == REGISTRIES[setting][1])
    assert tag.default == name


@every_entry
def test_it_has_a_sentence_for_the_user_and_so_has_each_parameter(setting, name):
    kind = kind_of(setting, name)
    assert kind.__doc__.strip().endswith(".")
    properties = schema_of(kind)["properties"]
    for parameter in parameters(setting, name):
        assert properties[parameter]["description"].endswith("."), parameter
        assert isinstance(properties[parameter]["unit"], str), parameter
        assert isinstance(properties[parameter]["advanced"], bool), parameter


@every_entry
def test_every_number_has_limits(setting, name):
    for parameter in parameters(setting, name):
        schema = schema_of(kind_of(setting, name))["properties"][parameter]
        if schema.get("type") in ("integer", "number"):
            assert {"minimum", "exclusiveMinimum"} & schema.keys(), parameter
            assert {"maximum", "exclusiveMaximum"} & schema.keys(), parameter


@every_entry
def test_its_defaults_are_a_valid_run(setting, name):
    spec = read_run({setting: given_data(setting, name)})
    assert getattr(spec, setting) == kind_of(setting, name)(**REQUIRED.get(name, {}))
    assert read_run(to_data(spec)) == spec


@every_entry
def test_an_unknown_key_is_refused_by_its_path(setting, name):
    with pytest.raises(SpecError) as caught:
        read_run({setting: {**given_data(setting, name), "sped": 1}})
    assert [complaint.field for complaint in caught.value.complaints] == [f"{setting}.sped"]


@every_entry
def test_its_parameters_cannot_be_changed_by_accident(setting, name):
    params = kind_of(setting, name)(**REQUIRED.get(name, {}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(params, REGISTRIES[setting][1], "other")
    assert hash(params) == hash(dataclasses.replace(params))


def test_an_unknown_name_is_refused_and_the_known_ones_are_named():
    for setting, (registry, tag) in REGISTRIES.items():
        with pytest.raises(SpecError) as caught:
            read_run({setting: {tag: "nonsense"}})
        assert all(name in str(caught.value) for name in registry)


@pytest.mark.parametrize("name", SPEEDS)
def test_a_speed_model_can_be_built_for_every_worker(name):
    params = SPEEDS[name](**REQUIRED.get(name, {}))
    models = [params.build(worker, 64, 2**31 - 1, read_text) for worker in range(64)]
    assert all(0 <= model.duration_s(0, 0.0) < 1e4 for model in models)


# ---- forecasters -----------------------------------------------------------------------------------------------

durations = st.lists(st.floats(0.001, 1000.0), min_size=1, max_size=120)


@pytest.mark.parametrize("name", FORECASTERS)
@of_the_house
@given(durations, st.floats(0.0, 2000.0))
def test_a_forecast_is_ordered_positive_and_repeatable(name, observed, elapsed_s):
    first, second = FORECASTERS[name]().build(), FORECASTERS[name]().build()
    assert first.forecast() is None
    assert first.forecast(elapsed_s) is None
    for duration_s in observed:
        first.observe(duration_s)
        first.forecast(elapsed_s)  # asking changes nothing
        second.observe(duration_s)
    assert first.forecast(elapsed_s) == second.forecast(elapsed_s)
    for forecast in (first.forecast(), first.forecast(elapsed_s)):
        assert 0 <= forecast.low_s <= forecast.mean_s <= forecast.high_s


@pytest.mark.parametrize("name", FORECASTERS)
@of_the_house
@given(durations, st.floats(0.0, 5000.0))
def test_a_running_iteration_is_not_expected_to_have_ended_already(name, observed, elapsed_s):
    forecaster = FORECASTERS[name]().build()
    for duration_s in observed:
        forecaster.observe(duration_s)
    assert forecaster.forecast(elapsed_s).high_s >= elapsed_s


@pytest.mark.parametrize("name", FORECASTERS)
def test_a_steady_worker_is_forecast_exactly(name):
    forecaster = FORECASTERS[name]().build()
    for _ in range(100):
        forecaster.observe(0.25)
    forecast = forecaster.forecast()
    assert (forecast.low_s, forecast.mean_s, forecast.high_s) == pytest.approx((0.25, 0.25, 0.25))


@pytest.mark.parametrize("name", FORECASTERS)
@of_the_house
@given(scenarios())
def test_every_policy_runs_with_every_forecaster(name, scenario):
    simulate(dataclasses.replace(scenario, forecaster=FORECASTERS[name]()))


def schema_of(kind):
    return next(one for title, one in run_schema()["$defs"].items() if title == kind.__name__)


def parameters(setting, name):
    kind = kind_of(setting, name)
    return [field.name for field in dataclasses.fields(kind) if field.name != REGISTRIES[setting][1]]


def test_the_schema_of_a_run_holds_every_entry():
    definitions = run_schema()["$defs"]
    assert {kind_of(setting, name).__name__ for setting, name in ENTRIES} <= definitions.keys()
    assert set(typing.get_type_hints(RunSpec)) == set(run_schema()["properties"])
