"""A worker at its cap goes on with weights that include its push, and with no others (push_after "merged")."""

from __future__ import annotations

from typing import Literal

import pytest

from predictor.events import (
    Directive,
    ExchangeFinished,
    IterationFinished,
    PushArrived,
    Stimulus,
    WorkerJoined,
    WorkerReleased,
)
from predictor.policies import base
from predictor.policies.base import Verdict
from tests.workers.server.scripted import ScriptedParams
from tests.workers.worker.threads import Cluster

LATER_S = 0.05


def run(push_after: Literal["merged", "received"]) -> Cluster:
    """Train two iterations; the first push is answered at once without it, and later by weights that include it."""

    def decide(cluster: base.Cluster, stimulus: Stimulus) -> Verdict:
        verdict = Verdict()
        directive = Directive(1, max_ahead=0, alpha=0.0, push_after=push_after)
        if isinstance(stimulus, WorkerJoined):
            verdict.release.append((stimulus.worker, directive, "welcome"))
        elif isinstance(stimulus, PushArrived) and stimulus.iteration == 1:
            verdict.release.append((stimulus.worker, directive, "without its push"))
            verdict.wake_at_s = cluster.now_s + LATER_S
        elif cluster.pending:
            verdict.apply, verdict.scale, verdict.apply_reason = list(cluster.pending), 1.0, "late"
            verdict.release += [(worker, directive, "with its push") for worker in cluster.members]
        return verdict

    cluster = Cluster(ScriptedParams(decide), num_workers=1)
    cluster.train(2)
    cluster.join()
    return cluster


def test_weights_without_its_push_do_not_let_it_go_on() -> None:
    cluster = run("merged")
    without, with_it = [one for one in cluster.server_log.of(WorkerReleased) if one.reason != "welcome"][:2]
    assert (without.acknowledged, with_it.acknowledged) == (0, 1)
    _, second = cluster.logs[0].of(IterationFinished)
    assert second.started_at_s >= with_it.at_s


def test_its_time_is_counted_once() -> None:
    cluster = run("merged")
    first, second = cluster.logs[0].of(IterationFinished)
    _, crossed, answer = cluster.logs[0].of(ExchangeFinished)
    assert (crossed.iteration, answer.iteration) == (1, 1), "both answer its push, the second one includes it"
    assert crossed.blocked_from_s == pytest.approx(first.at_s, abs=1e-9)
    assert answer.blocked_from_s == crossed.at_s
    assert answer.at_s == second.started_at_s


def test_where_its_next_push_waits_for_nothing_any_weights_do() -> None:
    cluster = run("received")
    second = cluster.logs[0].of(IterationFinished)[1]
    welcome, without, *_ = cluster.logs[0].of(ExchangeFinished)
    assert (welcome.iteration, without.iteration) == (0, 1)
    assert second.started_at_s == without.at_s
