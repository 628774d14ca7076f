"""Every registered policy under any legal stimuli: late joins, deaths, retunings and timers in any order."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.events import (
    AggregateApplied,
    DeadlinePassed,
    IterationReported,
    PushArrived,
    PushDiscarded,
    Retuned,
    WakeAt,
    WorkerHeld,
    WorkerJoined,
    WorkerLeft,
    WorkerReleased,
)
from predictor.forecasters import EwmaParams
from predictor.gate import Gate
from predictor.policies import POLICIES
from tests.predictor.checks import of, of_the_house, policies

NUM_WORKERS = 4
every_policy = pytest.mark.parametrize("name", POLICIES)


class Crowd:
    """Workers that do anything that the protocol allows, as a list of numbers tells them."""

    def __init__(self, policy, retunings):
        self.gate = Gate(policy, EwmaParams())
        self.retunings = retunings
        self.stimuli, self.instructions = [], []
        self.lives = dict.fromkeys(range(NUM_WORKERS), 0)
        self.done = dict.fromkeys(range(NUM_WORKERS), 0)  # iterations, over all lives
        self.began = {}  # iterations that were done when the present life began
        self.wake = None
        self.now_s = 0.0

    def take(self, stimulus):
        instructions = self.gate.handle(stimulus)
        self.stimuli.append(stimulus)
        self.instructions += instructions
        for one in of(WakeAt, instructions):
            self.wake = one
        for one in of(WorkerHeld, instructions):
            assert self.gate.members[one.worker].is_waiting
            assert one.reason
            assert set(one.waits_for) <= self.gate.members.keys()
        return instructions

    def act(self, worker, action, amount_s):
        """Do one thing, if it is legal now."""
        self.now_s += amount_s
        member = self.gate.members.get(worker)
        if action == "wake":
            self.fire()
        elif action == "retune" and self.retunings:
            self.take(Retuned(self.now_s, self.retunings[int(amount_s * 8) % len(self.retunings)]))
        elif member is None and action in ("join", "push", "report"):
            self.take(WorkerJoined(self.now_s, worker, self.lives[worker], self.done[worker]))
            self.lives[worker] += 1
            self.began[worker] = self.done[worker]
        elif member is not None and action == "leave":
            has_finished = amount_s > 1 and not member.is_waiting
            if has_finished:
                self.push(worker, amount_s, is_blocking=False)
            self.take(WorkerLeft(self.now_s, worker, "finished" if has_finished else "died"))
        elif member is not None and not member.is_waiting and action == "push":
            self.push(worker, amount_s, is_blocking=member.directive.max_ahead == 0)
        elif member is not None and not member.is_waiting and action == "report":
            self.report(worker, amount_s, is_waiting=amount_s > 1 and self.is_in_flight(member))

    def is_in_flight(self, member):
        began = self.began[member.worker]  # a push of an earlier life is not this one's
        has_pending = any(push.worker == member.worker and push.iteration > began for push in self.gate.pending)
        return has_pending and member.directive.push_after == "merged"

    def report(self, worker, amount_s, is_waiting):
        self.done[worker] += 1
        self.take(IterationReported(self.now_s, worker, self.done[worker], amount_s + 0.1, self.now_s, is_waiting))

    def push(self, worker, amount_s, is_blocking):
        member = self.gate.members[worker]
        num = self.done[worker] + 1 - member.clock
        self.done[worker] += 1
        version, compute_s = member.pulled_version, amount_s + 0.1
        self.take(PushArrived(self.now_s, worker, self.done[worker], num, compute_s, self.now_s, version, is_blocking))

    def fire(self):
        if self.wake is not None:
            self.now_s = max(self.now_s, self.wake.due_at_s)
            wake, self.wake = self.wake, None
            self.take(DeadlinePassed(self.now_s, wake.token))

    def go_on(self, num_rounds):
        """Everybody who may does what a worker does in the end: it pushes, or reports while a push is in flight."""
        for _ in range(num_rounds):
            self.now_s += 1.0
            for worker, member in list(self.gate.members.items()):
                if not member.is_waiting and self.is_in_flight(member):
                    self.report(worker, 1.0, is_waiting=False)
                elif not member.is_waiting:
                    self.push(worker, 1.0, is_blocking=member.directive.max_ahead == 0)
            self.fire()


def retunings_of(name):
    """Give small and large values of every number among a policy's parameters."""
    found = []
    for field in fields(POLICIES[name]):
        if isinstance(field.default, bool) or not isinstance(field.default, int | float):
            continue
        values = (1, 3, 40) if isinstance(field.default, int) else (0.25, 0.75)
        if field.name == "momentum_rounds":
            values = (2.0, 40.0)  # the least that is allowed, and more
        found += [{field.name: value} for value in values if field.name != "horizon" or value >= 1]
    found += [{"deadline_s": 2.5}, {"deadline_s": None}] if name == "fsp" else []
    return found + ([{"momentum": 0.0}, {"momentum": 0.9}, {"momentum": None}] if name == "foresync" else [])


actions = st.lists(
    st.tuples(
        st.integers(0, NUM_WORKERS - 1),
        st.sampled_from(["push", "push", "push", "report", "report", "join", "leave", "wake", "retune"]),
        st.sampled_from([0.0, 0.25, 1.0, 1.5, 7.0]),
    ),
    max_size=60,
)


def crowd_after(name, data, policy=None):
    crowd = Crowd(policy or data.draw(policies(name)), retunings_of(name))
    for one in data.draw(actions):
        crowd.act(*one)
    return crowd


def check_all_are_released(crowd):
    waiting = {worker for worker, member in crowd.gate.members.items() if member.is_waiting}
    begin = len(crowd.instructions)
    clocks = [member.clock for member in crowd.gate.members.values()]
    crowd.go_on(5 + max(clocks, default=0) - min(clocks, default=0))
    assert waiting <= {one.worker for one in of(WorkerReleased, crowd.instructions[begin:])}


def check_all_is_settled_once(crowd):
    for worker in list(crowd.gate.members):
        crowd.take(WorkerLeft(crowd.now_s, worker, "stopped"))
    assert list(crowd.gate.pending) == []
    settled = [(one.worker, one.iteration) for one in of(PushDiscarded, crowd.instructions)]
    for aggregate in of(AggregateApplied, crowd.instructions):
        assert 0 < aggregate.scale <= 1
        settled += [(one.worker, one.iteration) for one in aggregate.contributions]
    assert sorted(settled) == sorted((one.worker, one.iteration) for one in of(PushArrived, crowd.stimuli))


@every_policy
@of_the_house
@given(data=st.data())
def test_who_waits_is_released_in_the_end(name, data):
    check_all_are_released(crowd_after(name, data))


@every_policy
@of_the_house
@given(data=st.data())
def test_nothing_lies_pending_once_everybody_has_left_and_nothing_counts_twice(name, data):
    check_all_is_settled_once(crowd_after(name, data))


@every_policy
@of_the_house
@given(data=st.data())
def test_the_same_stimuli_give_the_same_instructions(name, data):
    policy = data.draw(policies(name))
    crowd = crowd_after(name, data, policy)
    fresh = Gate(policy, EwmaParams())
    assert [said for stimulus in crowd.stimuli for said in fresh.handle(stimulus)] == crowd.instructions


@every_policy
@of_the_house
@given(data=st.data())
def test_a_newcomer_is_released_at_once_with_the_newest_weights(name, data):
    crowd = crowd_after(name, data)
    for worker in range(NUM_WORKERS):
        if worker not in crowd.gate.members:
            said = crowd.take(WorkerJoined(crowd.now_s, worker, 9, crowd.done[worker]))
            (release,) = [one for one in of(WorkerReleased, said) if one.worker == worker]
            assert release.version == crowd.gate.version


@every_policy
@of_the_house
@given(policies_and_times=st.data())
def test_a_single_worker_never_waits(name, policies_and_times):
    gate = Gate(policies_and_times.draw(policies(name)), EwmaParams())
    gate.handle(WorkerJoined(0.0, 0, 0, 0))
    at_s = 0.0
    durations_s = policies_and_times.draw(st.lists(st.floats(0.01, 9.0), min_size=1, max_size=20))
    for iteration, compute_s in enumerate(durations_s, 1):
        at_s += compute_s
        version, is_blocking = gate.members[0].pulled_version, gate.members[0].directive.max_ahead == 0
        gate.handle(PushArrived(at_s, 0, iteration, 1, compute_s, at_s, version, is_blocking))
        assert not gate.members[0].is_waiting
