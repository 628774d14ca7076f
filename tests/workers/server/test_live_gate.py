"""The live gate: who is answered when and with what (the rules at the head of `workers/server/live_gate.py`)."""

from __future__ import annotations

import threading

import pytest

from predictor.errors import ProtocolError
from predictor.events import (
    DeadlinePassed,
    IterationReported,
    PushArrived,
    Retuned,
    RunResumed,
    Stimulus,
    WakeAt,
    WorkerJoined,
    WorkerLeft,
)
from predictor.policies.base import Cluster, Verdict
from tests.workers.server.scripted import (
    NUM_PARAMETERS,
    TIMEOUT_S,
    FutureReply,
    Server,
    apply_at_once,
    delta_of,
    directive,
    welcome,
)
from workers.transport.base import PullHeader, PushHeader


def test_nobody_starts_before_all_are_there() -> None:
    server = Server(expected=(0, 1, 2))
    late = server.join(2)
    first = server.join(0)
    assert (late.is_kept, first.is_kept, server.events) == (False, False, [])
    server.gate.lose(1)  # it died before it said hello
    assert late.weights == first.weights == [0.0] * NUM_PARAMETERS
    assert [event.worker for event in server.events if isinstance(event, WorkerJoined)] == [0, 2]


def test_the_loss_of_all_but_those_who_wait_starts_the_run_once() -> None:
    server = Server(expected=(0, 1))
    hello = server.join(0)
    server.gate.lose(1)
    server.gate.lose(1)
    assert hello.is_kept
    assert server.kinds() == ["WorkerJoined", "WorkerReleased"]


def test_a_blocking_push_is_answered_with_the_weights_it_made() -> None:
    server = Server()
    server.join()
    answer = server.push_pull(1, value=2.5)
    assert answer.weights == [2.5] * NUM_PARAMETERS
    assert (answer.header.version, answer.header.acknowledged, answer.header.directive.push_at) == (1, 1, 2)
    push = next(event for event in server.events if isinstance(event, PushArrived))
    assert (answer.header.arrived_at_s, answer.header.released_at_s) == (push.at_s, push.at_s)


def test_an_answer_keeps_the_weights_of_its_moment() -> None:
    server = Server(expected=(0, 1))
    server.join(0)
    server.join(1)
    first = server.push_pull(1, value=1.0, worker=0)
    server.push_pull(1, value=4.0, worker=1)
    assert first.weights == [1.0] * NUM_PARAMETERS
    assert server.weights.flat.tolist() == [5.0] * NUM_PARAMETERS


def test_a_release_without_a_pull_waits_for_it_and_takes_the_weights_of_that_moment() -> None:
    server = Server(expected=(0, 1))
    server.join(0)
    server.join(1)
    server.push(1, value=1.0, worker=0)  # released, but no pull is outstanding
    server.push(1, value=4.0, worker=1)  # changes the weights meanwhile
    answer = server.pull(0, 1)
    assert answer.weights == [5.0] * NUM_PARAMETERS
    assert (answer.header.version, answer.header.acknowledged) == (2, 1)


def test_a_release_that_fell_due_before_a_blocking_push_answers_it() -> None:
    def release_early(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = welcome(cluster, stimulus)
        if isinstance(stimulus, IterationReported):
            verdict.release.append((stimulus.worker, directive(), "the round was closed without it"))
        return verdict

    server = Server(decide=release_early)
    server.join()
    server.report(1)
    answer = server.push_pull(2)
    assert answer.weights == [0.0] * NUM_PARAMETERS
    assert answer.header.acknowledged == 0
    assert answer.header.arrived_at_s <= answer.header.released_at_s


def test_what_is_applied_after_a_release_fell_due_is_acknowledged_with_it() -> None:
    server = Server()
    server.join()
    server.push(1)
    server.push(2)
    answer = server.pull(0, 2)
    assert answer.header.acknowledged == 2
    assert answer.weights == [2.0] * NUM_PARAMETERS


def test_a_release_is_sent_when_its_pull_comes_and_not_before_its_pushes_have_arrived() -> None:
    server = Server()
    server.join()
    server.push(1)  # released, but no pull is outstanding
    server.push(2)
    before_s = server.clock.now_s()
    answer = server.pull(0, 2)
    assert before_s <= answer.header.released_at_s <= server.clock.now_s()
    second = [event.at_s for event in server.events if isinstance(event, PushArrived)][1]
    assert answer.header.arrived_at_s == second <= before_s


def test_a_push_is_acknowledged_only_with_all_that_came_before_it() -> None:
    """The gate may settle the pushes of one worker in any order."""

    def apply_backwards(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = welcome(cluster, stimulus)
        if isinstance(stimulus, IterationReported):
            verdict.apply, verdict.scale, verdict.apply_reason = [cluster.pending[-1]], 1.0, "the newest"
            verdict.release.append((stimulus.worker, directive(), "released"))
        return verdict

    server = Server(decide=apply_backwards)
    server.join()
    for iteration, value in ((1, 1.0), (2, 10.0), (3, 100.0)):
        server.push(iteration, value=value)
    answers = []
    for iteration in (4, 5, 6):
        held = server.pull()
        server.report(iteration)
        answers.append((held.weights[0], held.header.acknowledged, held.header.arrived_at_s))
    assert [answer[:2] for answer in answers] == [(100.0, 0), (110.0, 0), (111.0, 3)]
    assert answers[2][2] == [event.at_s for event in server.events if isinstance(event, PushArrived)][2]


def test_the_gate_learns_how_long_weights_travel() -> None:
    server = Server()
    server.join()
    server.push(1, down_s=0.25)
    server.report(2, down_s=0.5)
    server.report(3)
    told = [event.down_s for event in server.events if isinstance(event, PushArrived | IterationReported)]
    assert told == [0.25, 0.5, 0.0]


def test_a_discarded_push_is_settled_and_leaves_no_trace() -> None:
    def discard(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = welcome(cluster, stimulus)
        if isinstance(stimulus, PushArrived):
            verdict.discard.append((cluster.pending[-1], "too stale"))
            verdict.release.append((stimulus.worker, directive(), "go on"))
        return verdict

    server = Server(decide=discard)
    server.join()
    answer = server.push_pull(1)
    assert answer.weights == [0.0] * NUM_PARAMETERS
    assert answer.header.acknowledged == 1


def test_a_new_directive_completes_a_pull_and_of_several_the_newest_is_told() -> None:
    def redirect(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = welcome(cluster, stimulus)
        if isinstance(stimulus, IterationReported):
            verdict.redirect.append((stimulus.worker, directive(10 * stimulus.iteration), "another plan"))
        return verdict

    server = Server(decide=redirect)
    server.join()
    held = server.pull()
    server.report(1)
    assert (held.header.directive.push_at, held.weights) == (10, [])
    server.report(2)
    server.report(3)
    assert server.pull().header.directive.push_at == 30
    assert not server.pull().is_kept  # nothing is left to tell


def test_a_release_after_a_directive_says_all() -> None:
    def decide(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = apply_at_once(cluster, stimulus)
        if isinstance(stimulus, IterationReported):
            verdict.redirect.append((stimulus.worker, directive(99), "another plan"))
        return verdict

    server = Server(decide=decide)
    server.join()
    server.report(1)  # a directive that nobody fetches
    server.push(2)  # a release with a newer one
    answer = server.pull()
    assert answer.header.directive.push_at == 3
    assert answer.weights
    server.push(3)
    server.report(4)  # and the other way round: release first, then a directive
    answer = server.pull()
    assert answer.header.directive.push_at == 99
    assert answer.weights


def test_messages_that_overtake_each_other_are_handled_in_order() -> None:
    server = Server()
    server.join()
    server.report(3, ordinal=2)
    early = server.push(2, ordinal=1)
    assert server.kinds() == ["WorkerJoined", "WorkerReleased"]
    assert not early.is_kept
    server.report(1, ordinal=0)
    assert early.is_kept
    iterations = [e.iteration for e in server.events if isinstance(e, PushArrived | IterationReported)]
    assert iterations == [1, 2, 3]


def test_events_are_in_the_socket_before_anybody_is_answered() -> None:
    server = Server()
    were_kept: list[bool] = []
    hello, answer = FutureReply(), FutureReply()
    server.on_emit = lambda: were_kept.append(hello.is_kept)
    server.gate.on_pull(PullHeader(0, 0, 0, is_joining=True), hello)
    server.on_emit = lambda: were_kept.append(answer.is_kept)
    header = PushHeader(0, 0, 0, 1, 1, 0.1, 0.0, 0, is_blocking=True, is_last=False)
    server.gate.on_push_pull(header, delta_of(1.0), answer)
    assert were_kept == [False, False]
    assert hello.is_kept
    assert answer.is_kept


def test_a_worker_that_has_done_its_iterations_leaves_after_its_last_push() -> None:
    server = Server()
    server.join()
    held = server.pull()
    last = server.push(1, is_last=True)
    assert not last.header.is_over
    assert held.is_kept
    assert server.weights.flat.tolist() == [1.0] * NUM_PARAMETERS
    left = server.events[-1]
    assert isinstance(left, WorkerLeft)
    assert left.reason == "finished"
    server.gate.lose(0)  # its process ends: no news
    assert server.events[-1] is left


def test_after_a_stop_everybody_is_sent_away_and_nothing_reaches_the_gate() -> None:
    server = Server(expected=(0, 1))
    server.join(0)
    server.join(1)
    held = server.pull(0)
    server.gate.stop()
    num_events = len(server.events)
    assert [event.reason for event in server.events if isinstance(event, WorkerLeft)] == ["stopped", "stopped"]
    assert held.header.is_over
    assert server.push(1, worker=0).header.is_over
    assert server.push_pull(1, worker=1).header.is_over
    assert server.pull(1).header.is_over
    assert server.join(2).header.is_over
    server.report(1, worker=1)
    assert len(server.events) == num_events
    assert server.weights.flat.tolist() == [0.0] * NUM_PARAMETERS


def test_a_stop_before_the_start_dismisses_those_who_wait() -> None:
    server = Server(expected=(0, 1))
    hello = server.join(0)
    server.gate.stop()
    assert hello.header.is_over
    assert not server.events


def test_a_dead_workers_push_counts_and_its_later_messages_do_not() -> None:
    server = Server(expected=(0, 1), decide=welcome)
    server.join(0)
    server.join(1)
    server.push(1, worker=0)
    server.gate.lose(0)
    assert server.push(2, worker=0).header.is_over
    server.report(3, worker=0)
    assert server.kinds()[-2:] == ["PushArrived", "WorkerLeft"]


def test_a_deadline_is_handed_in_when_it_is_due_and_an_obsolete_one_is_not() -> None:
    delays_s = {1: 0.1, 2: 0.2, 3: 0.01}  # the third wish replaces the others, the fourth comes after all of them
    woken = threading.Semaphore(0)

    def ask(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = welcome(cluster, stimulus)
        if isinstance(stimulus, IterationReported):
            verdict.wake_at_s = cluster.now_s + delays_s.get(stimulus.iteration, 0.4)
        if isinstance(stimulus, DeadlinePassed):
            woken.release()
        return verdict

    server = Server(decide=ask)
    server.join()
    for iteration in (1, 2, 3):
        server.report(iteration)
    assert woken.acquire(timeout=TIMEOUT_S)
    server.report(4)
    assert woken.acquire(timeout=TIMEOUT_S)
    wakes = {event.token: event for event in server.events if isinstance(event, WakeAt)}
    passed = [event for event in server.events if isinstance(event, DeadlinePassed)]
    assert [event.token for event in passed] == [3, 4]
    assert all(event.at_s >= wakes[event.token].due_at_s for event in passed)


def test_a_snapshot_is_sent_only_when_it_is_new() -> None:
    server = Server()
    server.join()
    server.push(1)
    new, old = FutureReply(), FutureReply()
    server.gate.on_snapshot(0, new)
    server.gate.on_snapshot(1, old)
    assert (new.header.version, new.weights) == (1, [1.0] * NUM_PARAMETERS)
    assert (old.header.version, old.weights) == (1, [])


def test_a_checkpoint_holds_weights_version_and_clocks_of_one_moment() -> None:
    server = Server(expected=(0, 1))
    server.join(0)
    server.join(1, iteration=5)
    server.push(1, worker=0, value=3.0)
    weights, velocity, version, clocks = server.gate.checkpoint()
    assert velocity is None
    assert (weights.tolist(), version, clocks) == ([3.0] * NUM_PARAMETERS, 1, {0: 1, 1: 5})
    server.push(2, worker=0)
    assert weights.tolist() == [3.0] * NUM_PARAMETERS


def test_a_checkpoint_holds_the_velocity_where_there_is_one() -> None:
    def apply_with_momentum(cluster: Cluster, stimulus: Stimulus) -> Verdict:
        verdict = apply_at_once(cluster, stimulus)
        verdict.momentum = 0.5 if isinstance(stimulus, PushArrived) and stimulus.iteration > 1 else 0.0
        return verdict

    server = Server(decide=apply_with_momentum)
    server.join()
    server.push(1, value=3.0)
    assert server.gate.checkpoint()[1] is None
    server.push(2, value=4.0)
    server.push(3, value=5.0)
    weights, velocity, version, clocks = server.gate.checkpoint()
    assert velocity is not None
    assert velocity.tolist() == [0.5 * 4.0 + 5.0] * NUM_PARAMETERS
    assert weights.tolist() == [3.0 + 4.0 + 7.0] * NUM_PARAMETERS
    assert (version, clocks) == (3, {0: 3})
    server.push(4, value=1.0)
    assert velocity.tolist() == [7.0] * NUM_PARAMETERS


def test_a_resumed_gate_goes_on_from_its_checkpoint() -> None:
    server = Server(decide=apply_at_once)
    server.gate.resume(RunResumed(0.0, 12, version=40, clocks={"0": 7}), retuned={}, forecaster={})
    server.join(0, iteration=7)
    answer = server.push_pull(8)
    assert (answer.header.version, answer.header.acknowledged) == (41, 8)
    assert server.kinds()[0] == "RunResumed"
    assert not [event for event in server.events if isinstance(event, Retuned)]


def test_payload_is_counted_both_ways() -> None:
    server = Server()
    server.join()
    server.push_pull(1)
    assert (server.traffic.sent_bytes, server.traffic.received_bytes) == (8 * NUM_PARAMETERS, 4 * NUM_PARAMETERS)


def test_what_cannot_be_handled_is_a_fault_of_the_server() -> None:
    server = Server()
    server.join()
    server.push(5)
    with pytest.raises(ProtocolError):
        server.push(5)
    assert [type(fault) for fault in server.faults] == [ProtocolError]


def test_a_delta_of_another_length_is_refused() -> None:
    server = Server()
    server.join()
    with pytest.raises(ValueError, match="a delta must hold 4 numbers, worker 0 sent 8"):
        server.weights.keep(0, 1, [*delta_of(1.0), *delta_of(1.0)])
