"""Windows hold what they promise: about 90%, about 5% below and above, and no wider than they need be."""

from __future__ import annotations

import itertools

import pytest

from predictor.forecasters import FORECASTERS, calibration
from predictor.forecasters.calibration import Tails
from predictor.forecasters.cuts import CutWindows
from predictor.forecasters.regimes import Regimes
from predictor.speeds import SPEEDS

CHEAP = [name for name in FORECASTERS if name != "gru"]
SCENARIOS = {
    "steady": {"kind": "lognormal", "cv": 0.1},
    "spells": {"kind": "markov", "cv": 0.1, "mean_fast_s": 45, "mean_slow_s": 15, "slow": 5},
    "tail": {"kind": "pareto", "index": 1.6, "cap": 40},
    "exchange": {"kind": "drift", "factors": (1.0,), "then": (4.0,), "every_s": 40, "cv": 0.1},
}
WIDEST_S = {"steady": 0.40, "spells": 3.4, "tail": 2.7, "exchange": 1.1}  # on average; the truth: 0.33 0.41 2.05 0.54


def windows(name, scenario, num_workers=6, num=500):
    """Give (duration, forecast of it) of some workers, without the first 20 iterations of each."""
    data = SCENARIOS[scenario]
    params = SPEEDS[data["kind"]](base_s=1.0, **{key: value for key, value in data.items() if key != "kind"})
    for worker in range(num_workers):
        model = params.build(worker, num_workers, 3, None)
        forecaster, at_s = FORECASTERS[name]().build(), 0.0
        for iteration in range(num):
            duration_s = model.duration_s(iteration, at_s)
            if iteration >= 20:
                yield duration_s, forecaster.forecast()
            forecaster.observe(duration_s)
            at_s += duration_s


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", CHEAP)
def test_a_window_holds_what_it_promises(name, scenario):
    judged = list(windows(name, scenario))
    below = sum(duration_s < forecast.low_s for duration_s, forecast in judged) / len(judged)
    above = sum(duration_s > forecast.high_s for duration_s, forecast in judged) / len(judged)
    assert 0.87 <= 1 - below - above <= 0.93
    assert 0.03 <= below <= 0.07
    assert 0.03 <= above <= 0.075
    width_s = sum(forecast.high_s - forecast.low_s for _, forecast in judged) / len(judged)
    assert width_s <= WIDEST_S[scenario]


def coverage_while_the_jitter_grows():
    tails, hits = Tails(), 0
    for number in range(1200):
        duration_s = 2.0 + 1.002**number * 0.1 * (number * 0.618 % 1.0 - 0.5)
        hits += number >= 200 and tails.low <= duration_s <= tails.high
        tails.learn(duration_s, 1.0)
    return hits / 1000


def test_the_levels_make_up_for_a_past_that_is_narrower_than_the_present(monkeypatch):
    with_levels = coverage_while_the_jitter_grows()
    monkeypatch.setattr(calibration, "_STEP", 0.0)
    assert coverage_while_the_jitter_grows() < 0.87 < with_levels < 0.93


def test_elapsed_time_leaves_only_the_longer_iterations():
    forecaster = FORECASTERS["ewma"]().build()
    for duration_s in itertools.islice(itertools.cycle([1.0] * 9 + [4.0]), 300):
        forecaster.observe(duration_s)
    unconditional, running = forecaster.forecast(), forecaster.forecast(2.5)
    assert unconditional.mean_s < 2.0
    assert running.low_s >= 2.5
    assert running.mean_s == pytest.approx(4.0, rel=0.3)
    assert forecaster.forecast(50.0).mean_s >= 50.0


def test_regimes_find_two_levels_and_forget_one_that_is_gone():
    regimes = Regimes()
    for value in ([0.0] * 20 + [1.5] * 5) * 6:
        regimes.learn(value)
    assert regimes.centre == pytest.approx(1.5, abs=0.05)
    regimes.learn(0.0)
    assert regimes.centre == pytest.approx(0.0, abs=0.05)
    for _ in range(40):
        regimes.learn(-2.0)
    assert regimes.centre == pytest.approx(-2.0, abs=0.05)


def test_the_window_of_a_cut_learns_how_late_cuts_are():
    windows_ = CutWindows()
    at_s, hits = 0.0, []
    for number in range(400):
        low_s, expected_s, high_s = windows_.plan(at_s, at_s + 10.0)
        assert low_s <= expected_s <= high_s
        actual_s = at_s + 12.0 + (number * 0.618 % 1.0)  # always later than planned, by 2 to 3 seconds
        hits.append(low_s <= actual_s <= high_s)
        at_s = actual_s
        windows_.close(at_s)
    assert 0.85 <= sum(hits[50:]) / 350 <= 0.95
    assert high_s - low_s < 1.5


def test_a_plan_made_late_in_a_round_has_a_window_of_its_own():
    windows_ = CutWindows()
    at_s = 0.0
    for number in range(200):
        windows_.plan(at_s, at_s + 10.0)
        actual_s = at_s + 8.0 + 4.0 * (number * 0.618 % 1.0)
        windows_.plan(at_s + 9.0, max(at_s + 9.0, actual_s))  # by then it is known
        at_s = max(at_s + 9.0, actual_s)
        windows_.close(at_s)
    opening, late = windows_.plan(at_s, at_s + 10.0), windows_.plan(at_s + 9.0, at_s + 10.0)
    assert opening[2] - opening[0] > 2.0
    assert late[2] - late[0] < 0.1
    assert late[0] >= at_s + 9.0
