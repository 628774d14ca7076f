from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.store import codec
from predictor import log
from predictor.events import IterationFinished, MessageLogged
from tests.backend.logs import training


def lines_of(num: int, first_seq: int = 1) -> list[bytes]:
    return [log.with_seq(log.encode(event), seq)[:-1] for seq, event in enumerate(training(num), first_seq)]


def packed(form: str, lines: list[bytes], first_seq: int) -> bytes:
    return codec.pack_lines(lines) if form == codec.LINES else codec.pack_columns(lines, first_seq)


@pytest.mark.parametrize("form", [codec.LINES, codec.COLUMNS])
def test_a_chunk_gives_back_what_went_in(form: str) -> None:
    lines = lines_of(500, first_seq=41)
    found = codec.unpack(form, packed(form, lines, 41), 41)
    assert [seq for seq, _ in found] == list(range(41, 541))
    assert [json.loads(line) for _, line in found] == [json.loads(line) for line in lines]
    assert [log.decode(line) for _, line in found] == [log.decode(line) for line in lines]


@pytest.mark.parametrize("form", [codec.LINES, codec.COLUMNS])
def test_a_chunk_gives_some_kinds_only(form: str) -> None:
    lines = lines_of(500)
    kinds = {"NodeSampled", "EvaluationFinished", "NoSuchKind"}
    found = codec.unpack(form, packed(form, lines, 1), 1, kinds)
    wanted = [(seq, json.loads(line)) for seq, line in enumerate(lines, 1) if json.loads(line)["kind"] in kinds]
    assert wanted
    assert [(seq, json.loads(line)) for seq, line in found] == wanted


texts = st.text(alphabet='ab"\\\n,é🦊', max_size=4)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
values = (
    numbers
    | texts
    | st.none()
    | st.booleans()
    | st.lists(numbers, max_size=2)
    | st.dictionaries(texts, numbers, max_size=2)
)
events = st.fixed_dictionaries(
    {"kind": st.sampled_from(["A", "B"])}, optional={"x": values, "y": values, "Infinity": texts}
)


@settings(deadline=None, max_examples=60)
@given(st.lists(events, min_size=1, max_size=6), st.integers(1, 10**12))
def test_columns_hold_any_json(made: list[dict[str, object]], first_seq: int) -> None:
    lines = [json.dumps({"seq": seq, **event}).encode() for seq, event in enumerate(made, first_seq)]
    found = codec.unpack(codec.COLUMNS, codec.pack_columns(lines, first_seq), first_seq)
    assert [json.loads(line) for _, line in found] == [json.loads(line) for line in lines]


def test_numbers_that_are_not_finite_become_null() -> None:
    line = log.with_seq(log.encode(IterationFinished(1.0, 0, 1, 0, 0.5, 0.5, math.nan, -math.inf, 32, 0.0)), 7)
    strict = codec.finite(line)
    assert json.loads(strict, parse_constant=pytest.fail)["target_s"] is None
    assert json.loads(strict)["loss"] is None
    assert json.loads(strict)["at_s"] == 1.0


def test_words_that_look_like_numbers_stay_words() -> None:
    line = log.with_seq(log.encode(MessageLogged(1.0, "server", "warning", "loss is NaN, not Infinity")), 1)
    assert json.loads(codec.finite(line))["text"] == "loss is NaN, not Infinity"


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown codec of a chunk: 'parquet'"):
        codec.unpack("parquet", b"", 1)
