"""`foresync retune`: how changes are read, and what is printed."""

from __future__ import annotations

import pytest

from backend.api.control_models import RetuneChange, RetunedSetting, Tuning
from backend.cli.errors import CliError
from backend.cli.retune import describe, describe_change, read_changes


def test_changes_are_of_the_policy_unless_they_say_otherwise() -> None:
    assert read_changes(["threshold=5", "policy.alpha=0.25", "forecaster.name=ewma", "forecaster.weight=.5"]) == (
        {"threshold": 5, "alpha": 0.25},
        {"name": "ewma", "weight": 0.5},
    )
    assert read_changes(["deadline_s=null"]) == ({"deadline_s": None}, {})


@pytest.mark.parametrize("text", ["threshold", "=5", "speed.cv=1", "policy.a.b=1", "policy.=1", "threshold=[1"])
def test_what_is_no_change_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(CliError) as refused:
        read_changes([text])
    assert refused.value.exit_code == 2
    assert repr(text) in str(refused.value)


def test_settings_and_changes_are_printed_a_line_each() -> None:
    setting = RetunedSetting(path="policy.threshold", before=3, after=5)
    change = RetuneChange(seq=12, at_s=4.5, settings=[setting])
    repeated = RetuneChange(seq=20, at_s=9.0, settings=[])
    tuning = Tuning(
        is_possible=False,
        reason="The run has ended.",
        policy={"name": "ssp", "threshold": 5},
        forecaster=None,
        changes=[change, repeated],
        last_seq=30,
    )
    assert describe(tuning).splitlines() == [
        "policy.name: ssp",
        "policy.threshold: 5",
        "at 4.50 s: policy.threshold 5 (was 3)",
        "The run has ended.",
    ]
    assert describe_change(repeated) == "at 9.00 s: no change: it trained with these settings already"
