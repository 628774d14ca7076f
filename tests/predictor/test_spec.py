"""A wrong spec is answered with the field, the value and the wish."""

from __future__ import annotations

import pytest

from predictor.errors import SpecError
from predictor.policies import POLICIES
from predictor.spec import expand, read_experiment, read_run, run_schema, to_data

WRONG = {
    "policy.threshold must be >= 0, got -1": {"policy": {"name": "ssp", "threshold": -1}},
    "policy.treshold is not a known key, got 1": {"policy": {"name": "ssp", "treshold": 1}},
    "policy.name must be one of " + ", ".join(map(repr, POLICIES)) + ", got 'sps'": {"policy": {"name": "sps"}},
    "policy.name is required, got None": {"policy": {}},
    "policy must be an object, got 3": {"policy": 3},
    "task.partition.dirichlet must be > 0, got -1": {"task": {"partition": {"dirichlet": -1}}},
    "task.partition must be 'iid' or must be an object, got 'x'": {"task": {"partition": "x"}},
    "spec must be an object, got 5": 5,
    "speed.factors.1 must be > 0, got -2": {"speed": {"kind": "lognormal", "factors": [1, -2, 1, 1]}},
    "speed.factors must have one entry, or one for each of the 4 workers, got [1.0, 2.0]": {
        "speed": {"kind": "lognormal", "factors": [1, 2]}
    },
    "stop needs at least one of iterations, seconds, target, got None": {"stop": {"seconds": None}},
    "stop.target.value must be <= 1 for test_accuracy, got 97.0": {
        "stop": {"target": {"metric": "test_accuracy", "value": 97}}
    },
    "speed.kind must be a speed model where the launcher is virtual: in virtual time a machine has no speed of its own"
    ", got 'native'": {"cluster": {"launcher": "virtual"}, "speed": {"kind": "native"}},
    "speed.factors needs at least 1, got []": {"speed": {"kind": "lognormal", "factors": []}},
    "workers is not a known key, got 4": {"workers": 4},
    "policy.threshold must be a number, got True": {"policy": {"name": "ssp", "threshold": True}},
    "task.learning_rate must be a number, got True; speed.factors.1 must be a number, got True": {
        "task": {"learning_rate": True},
        "speed": {"kind": "lognormal", "factors": [1, True, 1, 1]},
    },
    "stop.seconds must be a finite number, got inf": {"stop": {"seconds": float("inf")}},
    "name must not be blank, got '  '": {"name": "  "},
}


@pytest.mark.parametrize(("sentence", "data"), WRONG.items())
def test_a_wrong_spec_is_answered_in_a_sentence(sentence, data):
    with pytest.raises(SpecError) as caught:
        read_run(data)
    assert str(caught.value) == sentence


def test_all_complaints_come_at_once():
    with pytest.raises(SpecError) as caught:
        read_run({"seed": -1, "task": {"batch_size": 0}, "bogus": 1})
    assert sorted(c.field for c in caught.value.complaints) == ["bogus", "seed", "task.batch_size"]


def test_a_spec_survives_its_own_data():
    spec = read_run({"policy": {"name": "ssp", "threshold": 7}, "stop": {"target": {"value": 0.5}}})
    assert read_run(to_data(spec)) == spec


def test_an_experiment_is_its_grid_times_its_seeds():
    spec = read_experiment(
        {
            "name": "sweep",
            "run": {"stop": {"iterations": 5}},
            "grid": {"policy": [{"name": "bsp"}, {"name": "ssp", "threshold": 2}], "task.learning_rate": [0.1, 0.2]},
            "seeds": [1, 2],
        }
    )
    runs = expand(spec)
    assert len(runs) == 8
    assert [(r.policy.name, r.task.learning_rate, r.seed) for r in runs[:4]] == [
        ("bsp", 0.1, 1),
        ("bsp", 0.1, 2),
        ("bsp", 0.2, 1),
        ("bsp", 0.2, 2),
    ]
    assert {r.name for r in runs} == {"sweep"}


@pytest.mark.parametrize(
    ("field", "grid"),
    [
        ("grid.policy", {"policy": []}),
        ("task.foo", {"task.foo": [1]}),
        ("grid.name.x", {"name.x": [1]}),
        ("grid", {"task.batch_size": list(range(1, 1002))}),
        ("grid.seed", {"seed": [1, 2]}),
    ],
)
def test_a_wrong_grid_is_refused(field, grid):
    with pytest.raises(SpecError) as caught:
        read_experiment({"name": "e", "run": {"name": "n"}, "grid": grid})
    assert caught.value.complaints[0].field == field


def test_a_long_wrong_value_is_not_repeated_whole():
    with pytest.raises(SpecError) as caught:
        read_run({"policy": {"name": "ssp", "threshold": "9" * 10_000}})
    assert len(str(caught.value)) < 400


def test_seeds_are_taken_from_the_run_where_none_are_given():
    assert read_experiment({"name": "e", "run": {"seed": 7}}).seeds == [7]
    assert [run.seed for run in expand(read_experiment({"name": "e", "run": {"seed": 7}, "seeds": [1, 2]}))] == [1, 2]


@pytest.mark.parametrize("seeds", [[1, 1], [], [1.5], [True]])
def test_wrong_seeds_are_refused(seeds):
    with pytest.raises(SpecError):
        read_experiment({"name": "e", "run": {}, "seeds": seeds})


def test_an_experiment_has_a_name_that_can_be_seen():
    with pytest.raises(SpecError, match="name must not be blank"):
        read_experiment({"name": " ", "run": {"name": "n"}})


@pytest.mark.parametrize("is_object_first", [True, False])
def test_a_whole_object_comes_before_a_setting_of_it(is_object_first):
    grid = {"policy": [{"name": "ssp"}], "policy.threshold": [1, 2]}
    grid = grid if is_object_first else dict(reversed(grid.items()))
    spec = read_experiment({"name": "e", "run": {}, "grid": grid})
    assert [run.policy.threshold for run in expand(spec)] == [1, 2]
    assert spec.grid["policy"] == [{"name": "ssp"}]  # as it was given


def test_every_setting_has_a_help_text():
    schema = run_schema()
    for name, definition in [("RunSpec", schema), *schema["$defs"].items()]:
        assert definition["additionalProperties"] is False, name
        for field, one in definition["properties"].items():
            is_group = "$ref" in one or "discriminator" in one or "const" in one
            assert is_group or one.get("description"), f"{name}.{field}"
