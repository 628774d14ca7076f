"""What every forecaster promises, and what is special to each; the calibration of their windows has its own file."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import predictor
from predictor.forecasters import ADVERSARIAL, FORECASTERS, build_adversarial
from predictor.forecasters.ar import Ar, levinson_durbin
from predictor.forecasters.auto import AutoParams
from predictor.forecasters.gru import GruParams
from predictor.forecasters.holt import Holt, HoltParams
from predictor.forecasters.markov import Markov
from predictor.forecasters.timing import TimingParams, cheapest_s

EVERY = {**FORECASTERS, **ADVERSARIAL}
every = pytest.mark.parametrize("name", EVERY)
sensible = pytest.mark.parametrize("name", FORECASTERS)
few = settings(deadline=None, max_examples=25, derandomize=True)

durations = st.lists(st.one_of(st.sampled_from([0.0, 1e6, 1.0]), st.floats(0.0, 1e6)), min_size=1, max_size=40)


def fed(name, observed):
    forecaster = EVERY[name]().build()
    for duration_s in observed:
        forecaster.observe(duration_s)
    return forecaster


def wave(num, level=1.0):
    """Give durations that jump about by a tenth, without a random source."""
    return [level * (1 + 0.1 * math.sin(7.1 * i * i)) for i in range(num)]


# ---- promises ----------------------------------------------------------------------------------------------------


@every
@few
@given(durations, st.floats(0.0, 1e7))
def test_it_is_positive_ordered_and_never_ends_before_now(name, observed, elapsed_s):
    forecaster = fed(name, observed)
    for given_s in (0.0, elapsed_s):
        forecast, aim_s = forecaster.forecast(given_s), forecaster.aim_s(given_s)
        assert 0 < forecast.low_s <= forecast.mean_s <= forecast.high_s < math.inf
        assert forecast.low_s >= given_s or forecaster.forecast() == forecast
        assert forecast.mean_s >= given_s
        assert 0 < aim_s < math.inf
        assert aim_s >= given_s


@every
@few
@given(durations)
def test_it_is_deterministic_and_asking_changes_nothing(name, observed):
    first, second = EVERY[name]().build(), EVERY[name]().build()
    for duration_s in observed:
        first.observe(duration_s)
        second.observe(duration_s)
        second.forecast(duration_s / 2)
        second.aim_s(duration_s / 2)
    assert first.forecast() == second.forecast()
    assert first.forecast(3.0) == second.forecast(3.0)
    assert first.aim_s(3.0) == second.aim_s(3.0)


@every
def test_it_says_nothing_before_it_has_seen_anything(name):
    forecaster = EVERY[name]().build()
    assert forecaster.forecast() is None
    assert forecaster.forecast(2.0) is None
    assert forecaster.aim_s() is None
    assert forecaster.aim_s(2.0) is None


@sensible
def test_it_converges_on_constant_durations(name):
    forecaster = fed(name, [3.0] * 20 + [0.4] * 150)
    forecast = forecaster.forecast()
    assert forecast.mean_s == pytest.approx(0.4, rel=0.03)
    assert forecaster.aim_s() == pytest.approx(0.4, rel=0.03)


@sensible
@pytest.mark.parametrize("level_s", [0.2, 5.0])
def test_it_follows_a_shift_of_level(name, level_s):
    forecaster = fed(name, wave(60) + wave(60, level_s))
    assert forecaster.forecast().mean_s == pytest.approx(level_s, rel=0.2)
    assert forecaster.aim_s() == pytest.approx(level_s, rel=0.2)


@sensible
def test_one_stall_is_not_expected_for_ever(name):
    forecaster = fed(name, [*wave(60), 100.0, *wave(30)])
    assert forecaster.forecast().mean_s < 6.0
    assert forecaster.aim_s() < 6.0


@sensible
def test_the_first_window_is_no_certainty(name):
    forecast = fed(name, [2.0]).forecast()
    assert forecast.low_s <= 0.8 * 2.0
    assert forecast.high_s >= 1.3 * 2.0


def test_only_who_builds_a_network_loads_torch():
    code = (
        "import sys; from predictor.forecasters import FORECASTERS\n"
        "[params().build() for name, params in FORECASTERS.items() if name != 'gru']\n"
        "assert 'torch' not in sys.modules\n"
        "FORECASTERS['gru']().build()\n"
        "assert 'torch' in sys.modules"
    )
    root = Path(predictor.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---- one by one --------------------------------------------------------------------------------------------------


def cost(aim_s, observed, late_s):
    return sum(late_s if one < aim_s else one - aim_s for one in observed)


@given(st.lists(st.floats(0.01, 100.0), min_size=1, max_size=8), st.floats(0.01, 100.0))
def test_the_timing_rule_is_the_best_of_the_durations_seen(observed, late_s):
    found_s = cheapest_s(sorted(observed), late_s)
    assert found_s in observed
    least = min(cost(one, observed, late_s) for one in observed)
    assert cost(found_s, observed, late_s) == pytest.approx(least, rel=1e-9, abs=1e-9)


def test_the_timing_rule_drops_durations_that_have_passed():
    forecaster = fed("timing", [1.0] * 6 + [5.0] * 2)
    assert forecaster.aim_s() == 1.0
    assert forecaster.aim_s(1.5) == 5.0
    assert forecaster.aim_s(7.0) > 7.0


@pytest.mark.parametrize("name", ["timing", "auto"])
def test_the_timing_rule_aims_later_where_late_is_cheap(name):
    forecaster = fed(name, [1.0, 1.2] * 4)
    assert forecaster.aim_s(0.0, 10.0) == 1.0
    assert forecaster.aim_s(0.0, 0.01) == 1.2
    assert forecaster.aim_s(1.1, 10.0) == 1.2


def test_the_timing_rule_remembers_its_window_only():
    forecaster = TimingParams(window=3).build()
    for duration_s in [9.0] * 10 + [1.0, 1.1, 1.2]:
        forecaster.observe(duration_s)
    assert forecaster.aim_s() == 1.0


def test_holt_sees_a_trend_that_an_average_lags_behind():
    model = Holt(HoltParams(trend_weight=0.3, damping=0.95))
    growing = [1.02**i for i in range(100)]
    for duration_s in growing:
        model.learn(duration_s)
    without = Holt(HoltParams(trend_weight=0.0))
    for duration_s in growing:
        without.learn(duration_s)
    truth_s = 1.02**100
    assert abs(model.point_s() - truth_s) < abs(without.point_s() - truth_s) / 2


def test_autoregression_finds_the_coefficients_of_its_own_process():
    first, second = 0.5, 0.3  # autocovariances of x_t = 0.5 x_{t-1} + 0.3 x_{t-2} + noise (Yule-Walker)
    lag_1 = first / (1 - second)
    lag_2 = first * lag_1 + second
    assert levinson_durbin([1.0, lag_1, lag_2]) == pytest.approx([first, second])


def test_autoregression_expects_alternation_to_go_on():
    model = Ar(1)
    for duration_s in itertools.islice(itertools.cycle([1.0, 2.0]), 200):
        model.learn(duration_s)
    assert model.point_s() == pytest.approx(1.0, rel=0.1)


@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=4))
def test_autoregression_is_stable_whatever_the_covariances(covariances):
    coefficients = levinson_durbin([1.0, *covariances[:3]])
    past = [1.0] * len(coefficients)
    for _ in range(2000):
        past = [sum(c * one for c, one in zip(coefficients, past, strict=True)), *past[:-1]]
    assert max(map(abs, past)) < 10.0


def test_markov_mixes_its_levels_by_the_present_regime():
    spells = ([*wave(20), *wave(5, 5.0)]) * 12
    model = Markov()
    for duration_s in [*spells, *wave(10)]:
        model.learn(duration_s)
    assert 1.05 < model.point_s() < 1.6  # fast, and slow once in twenty
    for duration_s in wave(2, 5.0):
        model.learn(duration_s)
    assert 3.0 < model.point_s() < 4.9  # slow, and fast once in five


def test_auto_starts_with_the_timing_rule_and_leaves_it_where_another_is_better():
    steady = fed("auto", wave(6))
    assert steady.aim_s() == fed("timing", wave(6)).aim_s()
    growing = [1.0 * 1.1**i for i in range(60)]  # the timing rule lags, the last value lags least
    assert fed("auto", growing).forecast().mean_s > 1.1 * fed("timing", growing).forecast().mean_s


def test_auto_scores_decisions_as_far_ahead_as_it_is_told():
    near, far = AutoParams(horizon=1).build(), AutoParams(horizon=8).build()
    for duration_s in [*wave(40), *wave(40, 3.0)]:
        near.observe(duration_s)
        far.observe(duration_s)
    assert near.aim_s() == pytest.approx(3.0, rel=0.2)
    assert far.aim_s() == pytest.approx(3.0, rel=0.2)


def test_the_network_learns_a_rhythm_that_an_average_cannot():
    forecaster = GruParams(train_every=1).build()
    rhythm = [1.0, 1.0, 2.0] * 100
    errors = []
    for duration_s in rhythm:
        forecast = forecaster.forecast()
        if forecast is not None:
            errors.append(abs(math.log(forecast.mean_s / duration_s)))
        forecaster.observe(duration_s)
    assert sum(errors[-30:]) < sum(errors[:30]) / 2


def test_adversaries_are_wrong_in_their_own_way():
    observed = [*wave(30), 4.0]
    assert fed("inverted", observed).forecast().mean_s < 0.5
    assert fed("frozen", observed).forecast().mean_s == observed[0]
    multiples = {round(fed("random", [1.0] * num).forecast().mean_s, 6) for num in range(1, 100)}
    assert len(multiples) == 99
    assert 0.2 <= min(multiples) < 0.3
    assert 4.8 < max(multiples) <= 5.0


def test_adversaries_are_built_by_name_and_no_spec_can_name_them():
    for name in ADVERSARIAL:
        assert build_adversarial(name).name == name
    assert not ADVERSARIAL.keys() & FORECASTERS.keys()
    with pytest.raises(ValueError, match="must be one of inverted, random, frozen, got 'ewma'"):
        build_adversarial("ewma")
