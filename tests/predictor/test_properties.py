"""Properties of every policy over any cluster. Each was seen to fail: `test_planted_faults.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.policies import POLICIES
from predictor.policies.bsp import BspParams
from predictor.policies.ssp import SspParams
from tests.predictor import checks
from tests.predictor.checks import of_the_house, policies, scenarios


@pytest.mark.parametrize("name", POLICIES)
@of_the_house
@given(data=st.data())
def test_no_deadlock_for_any_speeds_transfers_and_deaths(name, data):
    checks.check_no_deadlock(data.draw(scenarios(policies(name))))


@pytest.mark.parametrize("name", POLICIES)
@of_the_house
@given(data=st.data())
def test_the_log_is_in_order(name, data):
    checks.check_the_log_is_in_order(data.draw(scenarios(policies(name))))


@pytest.mark.parametrize("name", POLICIES)
@of_the_house
@given(data=st.data())
def test_every_push_counts_once(name, data):
    checks.check_every_push_counts_once(data.draw(scenarios(policies(name))))


@pytest.mark.parametrize("name", POLICIES)
@of_the_house
@given(data=st.data())
def test_the_log_replays_to_the_same_instructions(name, data):
    checks.check_replays(data.draw(scenarios(policies(name))))


@of_the_house
@given(scenarios())
def test_the_same_scenario_gives_the_same_log(scenario):
    checks.check_deterministic(scenario)


@of_the_house
@given(scenarios())
def test_compute_wait_and_transfer_add_up_to_the_wall_time(scenario):
    checks.check_times_add_up(scenario)


@of_the_house
@given(st.integers(0, 5), st.data())
def test_the_lead_is_bounded_under_ssp(threshold, data):
    checks.check_bounded_lead(data.draw(scenarios(st.just(SspParams(threshold=threshold)))), threshold)


@of_the_house
@given(scenarios(st.just(BspParams())))
def test_the_lead_is_at_most_one_under_bsp(scenario):
    checks.check_bounded_lead(scenario, 0)


@pytest.mark.parametrize(
    ("name", "cap"),
    [("predictive", "max_local_iterations"), ("cocod", "local_iterations"), ("overlap_local_sgd", "local_iterations")],
)
@of_the_house
@given(data=st.data())
def test_nobody_goes_further_past_its_push_than_the_cap(name, cap, data):
    scenario = data.draw(scenarios(policies(name), max_iterations=30))
    checks.check_the_cap_holds(scenario, getattr(scenario.policy, cap))


@of_the_house
@given(scenarios(st.just(BspParams())))
def test_bsp_releases_when_ssp_0_does(scenario):
    checks.check_bsp_is_ssp_0(scenario)
