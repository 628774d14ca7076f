"""Settings that are changed in mid-run: what is accepted, what the gate then does, and that it can be replayed."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from predictor import log
from predictor.errors import SpecError
from predictor.events import ForecastUpdated, PushArrived, Retuned, RunResumed, RunStarted, WorkerJoined
from predictor.forecasters import FORECASTERS, EwmaParams, TimingParams
from predictor.forecasters.last_value import LastValueParams
from predictor.forecasters.median import MedianParams
from predictor.gate import Gate
from predictor.policies.predictive import PredictiveParams
from predictor.replay import replay
from predictor.retuning import changed_settings, has_forecaster, retune, retuned_spec
from predictor.spec import RunSpec, read_run

SSP = read_run({"policy": {"name": "ssp", "threshold": 3}})
PREDICTIVE = read_run({"policy": {"name": "predictive"}})


@pytest.mark.parametrize(
    ("spec", "policy", "forecaster", "sentence"),
    [
        (SSP, {}, {}, "policy needs at least one setting to change"),
        (SSP, {"threshold": -1}, {}, "policy.threshold must be >= 0, got -1"),
        (SSP, {"treshold": 1}, {}, "policy.treshold is not a known key, got 1"),
        (SSP, {"name": "asp"}, {}, "policy.name must stay ssp"),
        (SSP, {"threshold": "many"}, {}, "policy.threshold must be a valid integer"),
        (SSP, {}, {"name": "ewma"}, "forecaster is not used by the policy ssp"),
        (PREDICTIVE, {}, {"name": "crystal_ball"}, "forecaster.name must be one of"),
        (PREDICTIVE, {}, {"window": 0}, "forecaster.window must be >="),
        (PREDICTIVE, {}, {"name": "ewma", "window": 4}, "forecaster.window is not a known key, got 4"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(spec, policy, forecaster, sentence):
    with pytest.raises(SpecError) as refused:
        retune(spec, policy, forecaster)
    assert sentence in str(refused.value)


def test_a_change_keeps_what_it_does_not_name():
    change = retune(SSP, {"threshold": 5, "name": "ssp"}, {})
    assert change.spec == read_run({"policy": {"name": "ssp", "threshold": 5}})
    assert (change.policy, change.forecaster) == ({"threshold": 5}, {})
    change = retune(PREDICTIVE, {"alpha": 0.25}, {"window": 7})
    assert change.spec.forecaster == TimingParams(window=7)
    assert (change.policy, change.forecaster) == ({"alpha": 0.25}, {"window": 7})


def test_another_forecaster_starts_from_its_own_defaults_and_is_named_whole():
    change = retune(PREDICTIVE, {}, {"name": "median", "window": 3})
    assert change.spec.forecaster == MedianParams(window=3)
    assert change.forecaster == asdict(MedianParams(window=3))


def test_the_changes_of_a_log_add_up():
    changes = [Retuned(1.0, {"alpha": 0.25}), Retuned(2.0, {}, {"name": "median"}), Retuned(3.0, {}, {"window": 3})]
    now = retuned_spec(PREDICTIVE, changes)
    assert now.forecaster == MedianParams(window=3)
    assert changed_settings(PREDICTIVE, now) == {
        "policy.alpha": 0.25,
        "forecaster.name": "median",
        "forecaster.window": 3,
    }
    assert changed_settings(PREDICTIVE, PREDICTIVE) == {}


def test_only_policies_that_act_on_forecasts_have_a_forecaster():
    assert (has_forecaster(SSP), has_forecaster(PREDICTIVE)) == (False, True)


def test_an_old_log_without_the_forecaster_is_read():
    line = b'{"seq":1,"kind":"Retuned","at_s":1.0,"params":{"threshold":5}}\n'
    assert log.decode(line) == (1, Retuned(1.0, {"threshold": 5}, {}))


# ---- in the gate ---------------------------------------------------------------------------------------------

DURATIONS_S = (1.0, 1.4, 0.8, 3.0, 1.1, 0.9, 1.2)


def push(worker: int, iteration: int, at_s: float, compute_s: float) -> PushArrived:
    return PushArrived(at_s, worker, iteration, 1, compute_s, at_s, 0, False)


def fed(forecaster, num, policy=None):
    """Give a gate with two workers that were seen for `num` iterations, and all that was said."""
    gate = Gate(policy or PredictiveParams(), forecaster)
    said = []
    stimuli = [WorkerJoined(0.0, 0, 0, 0), WorkerJoined(0.0, 1, 0, 0)]
    at_s = [0.0, 0.0]
    for iteration in range(1, num + 1):
        for worker in (0, 1):
            compute_s = DURATIONS_S[(iteration + worker) % len(DURATIONS_S)]
            at_s[worker] += compute_s
            stimuli.append(push(worker, iteration, at_s[worker], compute_s))
    for stimulus in sorted(stimuli, key=lambda one: one.at_s):
        said += [stimulus, *gate.handle(stimulus)]
    return gate, said


def next_forecast(gate):
    said = gate.handle(push(0, 1000, gate.now_s + 1.0, 1.0))
    return [(one.expected_at_s, one.low_at_s, one.high_at_s) for one in said if isinstance(one, ForecastUpdated)]


@pytest.mark.parametrize("name", [name for name in FORECASTERS if name != "gru"])  # which needs torch
def test_a_changed_forecaster_knows_what_was_seen(name):
    """It forecasts as one that was there from the beginning, since all its worker's iterations are still kept."""
    changed, _ = fed(LastValueParams(), 60)
    changed.handle(Retuned(changed.now_s, {}, asdict(FORECASTERS[name]())))
    always, _ = fed(FORECASTERS[name](), 60)
    assert next_forecast(changed) == next_forecast(always) != []


def test_what_was_seen_is_kept_up_to_a_limit():
    gate, _ = fed(EwmaParams(), 300)
    assert [len(seen) for seen in gate._seen.values()] == [128, 128]


def test_a_worker_that_joins_after_the_change_has_the_new_forecaster():
    gate, _ = fed(LastValueParams(), 5)
    gate.handle(Retuned(gate.now_s, {}, asdict(MedianParams(window=3))))
    gate.handle(WorkerJoined(gate.now_s, 2, 0, 5))
    for iteration, compute_s in enumerate((1.0, 9.0, 1.0), 6):
        gate.handle(push(2, iteration, gate.now_s + compute_s, compute_s))
    forecast = gate.members[2].forecaster.forecast()
    assert forecast is not None
    assert forecast.mean_s < 2.0  # the last value's would be that of the stall


def test_a_resumed_gate_has_the_forecaster_of_its_spec_until_it_is_told_again():
    gate, _ = fed(LastValueParams(), 5)
    gate.handle(Retuned(gate.now_s, {}, {"name": "ewma", "weight": 0.5}))
    gate.handle(RunResumed(gate.now_s, 1, 9, {"0": 4, "1": 4}))
    assert gate._forecaster_params == LastValueParams()
    assert not gate._seen


def test_a_log_with_a_changed_forecaster_replays_to_the_same_decisions():
    spec = RunSpec(policy=PredictiveParams(), forecaster=LastValueParams())
    gate, said = fed(spec.forecaster, 12)
    for change in (
        Retuned(gate.now_s, {"alpha": 0.25}, asdict(TimingParams())),
        Retuned(gate.now_s, {}, {"window": 4}),
    ):
        said += [change, *gate.handle(change)]
        for worker in (0, 1):
            at_s = gate.now_s + 0.5 + worker
            stimulus = push(worker, gate.members[worker].iteration + 1, at_s, 1.0 + worker)
            said += [stimulus, *gate.handle(stimulus)]
    events = [RunStarted(0.0, 0.0, "r", True, {}), *said]
    report = replay(enumerate(events, 1), spec)
    assert report.is_same, report.difference
    without = [event for event in events if not isinstance(event, Retuned)]
    assert not replay(enumerate(without, 1), spec).is_same
