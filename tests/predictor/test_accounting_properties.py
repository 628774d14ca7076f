"""The accounting over simulated runs of every policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.accounting import from_data
from predictor.policies import POLICIES
from tests.predictor import accounting_checks
from tests.predictor.checks import of_the_house, policies, scenarios


@of_the_house
@given(scenarios(max_iterations=5))
def test_it_adds_up_at_every_point_of_a_log(scenario):
    accounting_checks.check_any_log(scenario)


@of_the_house
@given(scenarios(max_iterations=5), st.integers(0, 1000))
def test_the_order_of_the_streams_does_not_matter(scenario, seed):
    accounting_checks.check_any_order_of_streams(scenario, seed)


@pytest.mark.parametrize(
    "data", [None, 3, [], {}, {"of": "dict", "items": []}, {"of": "Popen", "items": []}, {"of": "Account", "items": 1}]
)
def test_what_is_no_account_is_none(data):
    with pytest.raises(ValueError, match="this is no account"):
        from_data(data)


@of_the_house
@given(scenarios(has_deaths=False))
def test_it_agrees_with_the_summary(scenario):
    accounting_checks.check_equals_summary(scenario)


@of_the_house
@given(scenarios())
def test_every_iteration_is_counted_once(scenario):
    accounting_checks.check_work_is_counted_once(scenario)


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_every_policy_adds_up_and_says_why_in_a_known_way(policy):
    @of_the_house
    @given(scenarios(policies(policy), max_iterations=8))
    def check(scenario):
        accounting_checks.check_any_log(scenario)
        accounting_checks.check_every_sentence_has_a_kind(scenario)

    check()
