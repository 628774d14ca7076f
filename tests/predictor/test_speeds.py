"""The emulated cluster: pure functions of (seed, worker, iteration, time) with the promised figures."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.errors import SpecError
from predictor.speeds import SPEEDS, LognormalParams, Transfer
from predictor.speeds.base import STREAM_WEATHER, Draws
from predictor.speeds.drift import DriftParams
from predictor.speeds.markov import MarkovParams, Spells
from predictor.speeds.native import NativeParams
from predictor.speeds.pareto import ParetoParams
from predictor.speeds.trace import TraceParams, parse_trace
from tests.predictor.checks import of_the_house

TRACE = "iteration,worker_0,worker_1,worker_2\n0,1.0,2.0,3.0\n1,1.5,2.5,3.5\n"


def read_text(path: str) -> str:
    """Give the one file that there is."""
    if path == "trace.csv":
        return TRACE
    raise FileNotFoundError(2, "No such file or directory", path)


def params(kind: str):
    """Give a kind's defaults, and what has none."""
    return SPEEDS[kind](path="trace.csv") if kind == "trace" else SPEEDS[kind]()


def durations_s(params, num, worker=0, seed=1, step_s=1.0):
    model = params.build(worker, 4, seed, read_text)
    return [model.duration_s(iteration, iteration * step_s) for iteration in range(num)]


# ---- every model ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPEEDS)
@of_the_house
@given(
    asked=st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 5000)), min_size=1, max_size=8),
    worker=st.integers(0, 3),
    seed=st.integers(0, 2**31 - 1),
)
def test_a_duration_depends_on_nothing_that_was_asked_before(kind, asked, worker, seed):
    model = params(kind).build(worker, 4, seed, read_text)
    for iteration, at_s in asked:
        fresh = params(kind).build(worker, 4, seed, read_text)
        assert model.duration_s(iteration, at_s) == fresh.duration_s(iteration, at_s) >= 0


@pytest.mark.parametrize("kind", sorted(SPEEDS.keys() - {"trace", "native"}))
def test_workers_and_seeds_differ(kind):
    drawn = [durations_s(params(kind), 20, worker, seed) for worker, seed in ((0, 1), (1, 1), (0, 2))]
    assert len({tuple(row) for row in drawn}) == 3


@pytest.mark.parametrize("kind", sorted(SPEEDS.keys() - {"native"}))
def test_durations_are_positive_and_scale_with_the_base_time(kind):
    fields = {"path": "trace.csv"} if kind == "trace" else {}
    one, ten = (durations_s(SPEEDS[kind](base_s=base_s, **fields), 500) for base_s in (0.01, 0.1))
    assert min(one) > 0
    assert ten == pytest.approx([10 * duration_s for duration_s in one])


# ---- one model each --------------------------------------------------------------------------------------------


def test_native_asks_for_nothing():
    assert durations_s(NativeParams(), 3) == [0.0, 0.0, 0.0]


def test_lognormal_has_its_mean_its_spread_and_its_factors():
    drawn = durations_s(LognormalParams(base_s=2.0, factors=(1, 1, 4, 1), cv=0.3), 20_000, worker=2)
    assert statistics.mean(drawn) == pytest.approx(8.0, rel=0.02)
    assert statistics.stdev(drawn) / statistics.mean(drawn) == pytest.approx(0.3, rel=0.05)
    assert durations_s(LognormalParams(base_s=2.0, factors=(3,), cv=0), 2, worker=3) == [6.0, 6.0]


def test_pareto_has_its_mean_before_its_cut():
    heavy = durations_s(ParetoParams(base_s=1.0, index=1.6, cap=40), 50_000)
    assert max(heavy) == 40.0
    assert min(heavy) >= 0.375
    # the mean of what is left: base - what is cut off, by the integral of the tail beyond the cap
    shortest, index, cap = 0.6 / 1.6, 1.6, 40.0
    assert statistics.mean(heavy) == pytest.approx(1.0 - shortest**index * cap ** (1 - index) / (index - 1), rel=0.05)
    light = durations_s(ParetoParams(base_s=1.0, index=5.0, cap=1000), 20_000)
    assert statistics.mean(light) == pytest.approx(1.0, rel=0.02)


def test_drift_exchanges_the_factors_there_and_back():
    drift = DriftParams(base_s=1.0, factors=(1, 3), then=(3, 1), every_s=10.0, cv=0.0)
    model = drift.build(0, 2, 1, read_text)
    assert [model.duration_s(0, at_s) for at_s in (0.0, 9.9, 10.0, 19.9, 20.0, 30.0)] == [1, 1, 3, 3, 1, 3]
    assert drift.build(1, 2, 1, read_text).duration_s(0, 10.0) == 1


def test_markov_has_spells_of_the_promised_mean_lengths():
    spells = Spells(Draws(7, 0, STREAM_WEATHER), mean_fast_s=6.0, mean_slow_s=2.0)
    states = [spells.is_slow(i * 0.05) for i in range(400_000)]
    lengths_s = {True: [], False: []}
    for is_slow, run in itertools.groupby(states):
        lengths_s[is_slow].append(0.05 * len(list(run)))
    assert statistics.mean(lengths_s[False]) == pytest.approx(6.0, rel=0.1)
    assert statistics.mean(lengths_s[True]) == pytest.approx(2.0, rel=0.1)
    assert statistics.stdev(lengths_s[False]) == pytest.approx(6.0, rel=0.15)  # exponential: as long as the mean


def test_markov_multiplies_by_slow_in_a_slow_spell_and_nothing_else():
    model = MarkovParams(base_s=1.0, factors=(2.0,), cv=0.0, slow=5.0).build(0, 4, 3, read_text)
    assert {model.duration_s(0, at_s * 0.5) for at_s in range(400)} == {2.0, 10.0}


def test_the_weather_is_a_matter_of_time_and_not_of_the_iteration():
    model = MarkovParams(cv=0.0).build(1, 4, 3, read_text)
    assert all(model.duration_s(0, at_s) == model.duration_s(777, at_s) for at_s in range(200))


def test_about_a_quarter_of_the_workers_begins_slow():
    starts = [Spells(Draws(1, worker, STREAM_WEATHER), 6.0, 2.0).is_slow(0.0) for worker in range(800)]
    assert statistics.mean(starts) == pytest.approx(0.25, abs=0.05)


def test_a_trace_repeats_its_columns_and_rows():
    trace = TraceParams("trace.csv", base_s=2.0)
    assert durations_s(trace, 5, worker=1) == [4.0, 5.0, 4.0, 5.0, 4.0]
    assert durations_s(trace, 2, worker=3) == durations_s(trace, 2, worker=0)


def test_a_trace_may_have_a_mark_blanks_and_dos_lines():
    assert parse_trace("\ufeffiteration, worker_0 \r\n0, 1.25\r\n\r\n", "t.csv") == [[1.25]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the names iteration, worker_0, ... in line 1"),
        ("step,worker_0\n0,1\n", "the names iteration, worker_0, ... in line 1 (there is 'step,worker_0')"),
        ("iteration\n0\n", "in line 1"),
        ("iteration,worker_0\n", "the first iteration in line 2"),
        ("iteration,worker_0\n0,1\n1,fast\n", "a number as worker_0 in line 3 (there is 'fast')"),
        ("iteration,worker_0\n0,0\n", "a number > 0 as worker_0 in line 2 (there is '0')"),
        ("iteration,worker_0\n0,-1\n", "a number > 0 as worker_0 in line 2"),
        ("iteration,worker_0\n0,nan\n", "a number > 0 as worker_0 in line 2"),
        ("iteration,worker_0\n0,inf\n", "a number > 0 as worker_0 in line 2"),
        ("iteration,worker_0\nfirst,1\n", "a number as iteration in line 2 (there is 'first')"),
        ("iteration,worker_0,worker_1\n0,1,2\n\n1,1\n", "3 values in line 4 (there is '2 values')"),
    ],
)
def test_a_broken_trace_is_named_with_line_and_value(text, said):
    with pytest.raises(SpecError) as caught:
        parse_trace(text, "broken.csv")
    (complaint,) = caught.value.complaints
    assert (complaint.field, complaint.value) == ("speed.path", "broken.csv")
    assert said in complaint.wish


def unreadable(error):
    def read_text(path):
        raise error

    return read_text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (UnicodeDecodeError("utf-8", b"\xd0", 0, 1, "invalid continuation byte"), "invalid continuation byte"),
    ],
)
def test_a_trace_that_cannot_be_read_is_a_complaint(error, said):
    with pytest.raises(SpecError, match=said):
        TraceParams("gone.csv").build(0, 2, 1, unreadable(error))


# ---- transfers -------------------------------------------------------------------------------------------------


def test_a_transfer_is_half_up_and_half_down():
    assert (Transfer(3.0, 0.0, 0, 1).up_s(5), Transfer(3.0, 0.0, 0, 1).down_s(5)) == (1.5, 1.5)
    assert Transfer(0.0, 2.0, 0, 1).up_s(5) == 0.0


def test_the_jitter_of_transfers_has_its_spread_and_streams_of_its_own():
    link, speed = Transfer(2.0, 0.4, 0, 1), LognormalParams(base_s=1.0, cv=0.4).build(0, 1, 1, read_text)
    up, down = ([way(i) for i in range(5000)] for way in (link.up_s, link.down_s))
    assert statistics.mean(up) == pytest.approx(1.0, rel=0.05)
    assert statistics.stdev(down) == pytest.approx(0.4, rel=0.1)
    assert len({up[0], down[0], speed.duration_s(0, 0.0)}) == 3
