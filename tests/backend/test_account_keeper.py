"""The thread that counts accounts on gives way to others."""

from __future__ import annotations

import pytest

from backend.account_keeper import LONGEST_REST_S, rest_s


def test_the_keeper_rests_the_longer_the_less_of_the_processor_it_is_given() -> None:
    assert rest_s(0.01, 0.01) == pytest.approx(0.01)  # a machine at leisure: as long as it worked
    assert rest_s(0.1, 0.01) == pytest.approx(1.0)  # a tenth of the processor
    assert rest_s(5.0, 0.0) == LONGEST_REST_S
