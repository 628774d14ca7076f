"""Recorded logs, replayed for ever: a change of a policy's decisions does not pass unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from predictor import log
from predictor.policies import POLICIES
from predictor.replay import replay
from predictor.spec import read_run

GOLDEN = Path(__file__).parent / "golden"
LOGS = sorted(path.stem for path in GOLDEN.glob("*.jsonl"))


@pytest.mark.parametrize("name", LOGS)
def test_a_golden_log_replays(name):
    spec = read_run(json.loads((GOLDEN / f"{name}.spec.json").read_text()))
    lines = (GOLDEN / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    events = [log.decode(line) for line in lines]
    report = replay(events, spec)
    assert report.is_same, f"seq {report.seq}: {report.difference}"
    assert report.num_stimuli + report.num_instructions >= len(events) - 2
    assert [log.with_seq(log.encode(event), seq) for seq, event in events] == lines, "the format of a line is kept too"


def test_every_policy_has_a_golden_log():
    assert POLICIES.keys() <= set(LOGS), "python -m tests.predictor.golden.record"
