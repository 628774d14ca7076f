"""Whether forecasts are judged by what happened, and by nothing else."""

from __future__ import annotations

import random

import pytest

from predictor.forecasters import FORECASTERS, build_adversarial
from predictor.forecasters.trust import Trust


def judged(params, durations, num_workers=4):
    """Give the trust after workers with these durations, one after another, were forecast."""
    trust = Trust()
    forecasters = [params.build() for _ in range(num_workers)]
    for duration_s in durations:
        for worker, forecaster in enumerate(forecasters):
            forecaster.observe(duration_s)
            trust.learn(worker, duration_s, forecaster.forecast().mean_s)
    return trust


def jittery(num=60):
    rng = random.Random(1)
    return [rng.lognormvariate(0.0, 0.1) for _ in range(num)]


def alternating():
    """Fast and slow for some iterations each."""
    return [duration_s * (5.0 if place // 8 % 2 else 1.0) for place, duration_s in enumerate(jittery(96))]


@pytest.mark.parametrize("name", ["timing", "ewma", "last_value", "holt", "ar", "markov"])
@pytest.mark.parametrize("durations", [jittery(), alternating()], ids=["jitter", "levels"])
def test_forecasters_that_mean_well_are_trusted(name, durations):
    assert not judged(FORECASTERS[name](), durations).is_lost


@pytest.mark.parametrize(("name", "durations"), [("random", jittery()), ("random", alternating())])
def test_what_jumps_about_is_not_trusted(name, durations):
    trust = judged(build_adversarial(name), durations)
    assert trust.is_lost
    assert trust.ratio() > 2


@pytest.mark.parametrize("name", ["inverted", "frozen"])
def test_what_misses_the_levels_is_not_trusted(name):
    assert judged(build_adversarial(name), [*alternating(), *(5.0 * one for one in jittery())]).is_lost


def test_trust_comes_back_when_forecasts_come_true_and_not_with_one_of_them():
    trust = judged(build_adversarial("random"), jittery())
    trust.learn(0, 1.0, 1.0)
    trust.learn(0, 1.0, 1.0)
    assert trust.is_lost
    for _ in range(400):
        trust.learn(0, 1.0, 1.0)
    assert not trust.is_lost


def test_the_first_iterations_and_those_of_a_new_life_say_nothing():
    trust = Trust()
    for expected_s in (99.0, 99.0):
        trust.learn(0, 1.0, expected_s)
    assert trust.ratio() == 1.0
    assert trust.usual_s == 1.0
    trust.forget(0)
    trust.forget(0)
    assert trust.usual_s == trust.usual_of_s(0) == 0.0
    trust.learn(0, 4.0, 4.0)
    assert trust.ratio() == 1.0


def test_what_is_usual_is_a_median_of_each_and_a_mean_over_the_workers():
    trust = Trust()
    for duration_s in (1.0, 1.0, 50.0):
        trust.learn(0, duration_s, None)
    trust.learn(1, 3.0, None)
    assert trust.usual_of_s(0) == 1.0
    assert trust.usual_s == 2.0


def test_iterations_that_take_no_time_are_no_error():
    assert not judged(FORECASTERS["ewma"](), [0.0] * 20).is_lost


def test_a_median_that_reaches_back_too_far_is_not_trusted_either_where_levels_alternate():
    assert judged(FORECASTERS["median"](window=15), alternating()).is_lost
