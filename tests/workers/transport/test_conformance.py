"""One suite over all transports (the rules at the head of `workers/transport/base.py`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psutil
import pytest

from predictor.spec import ClusterSpec
from tests.workers.transport import suite
from tests.workers.transport.stages import ManyProcesses, OneProcess, OneProcessDelayed, Stage
from workers.transport import TRANSPORTS
from workers.transport.base import PIECE_LENGTH, SnapshotAnswer

STAGES: dict[str, Callable[[], Stage]] = {
    "in_process": OneProcess,
    "delayed": OneProcessDelayed,
    "torch_rpc": ManyProcesses,
}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = STAGES[request.param]()
    yield stage
    stage.close()


@pytest.fixture
def processes() -> Iterator[ManyProcesses]:
    stage = ManyProcesses()
    yield stage
    stage.close()


def test_every_transport_is_on_a_stage() -> None:
    assert TRANSPORTS.keys() <= STAGES.keys()
    assert ClusterSpec().transport in TRANSPORTS


def test_pushes_are_added_and_snapshots_taken(stage: Stage) -> None:
    seen = stage.play(suite.pushes_and_snapshots)
    assert seen == {
        "arrived": [1.0, 2.0],
        "push answers carry weights": [0, 0],
        "snapshot": SnapshotAnswer(2, 1.5),
        "is the sum": True,
        "unchanged": (2, 0),
    }


def test_a_pull_is_held_until_it_is_released(stage: Stage) -> None:
    seen = stage.play(suite.a_held_pull)
    assert seen["was held"]
    header = seen["header"]
    assert (header.directive, header.version, header.acknowledged) == (suite.DIRECTIVE, 9, 2)
    assert (header.arrived_at_s, header.released_at_s, header.is_over) == (3.0, 4.0, False)
    assert seen["lengths"] == [PIECE_LENGTH, PIECE_LENGTH, suite.NUM_PARAMETERS - 2 * PIECE_LENGTH]
    assert seen["weights"]


def test_a_blocking_push_is_answered_by_its_release(stage: Stage) -> None:
    assert stage.play(suite.a_blocking_push) == {"was held": True, "version": 4, "weights": True}


def test_a_directive_may_come_alone(stage: Stage) -> None:
    assert stage.play(suite.a_directive_only) == (suite.DIRECTIVE, 0)


def test_what_the_server_refuses_is_the_callers_error_and_breaks_nothing(stage: Stage) -> None:
    kind, text, arrived = stage.play(suite.a_refused_push)
    assert kind == "TransportError"
    assert text.startswith("the server refused a call: ")
    assert "iteration 404 cannot be pushed" in text
    assert arrived == 1.0


def test_callbacks_may_call_again(stage: Stage) -> None:
    assert stage.play(suite.callbacks) == (True, [7] * 5)


def test_landed_weights_belong_to_who_pulled_them(stage: Stage) -> None:
    assert stage.play(suite.landed_weights_stay) == (0.0, True)


def test_the_death_of_the_server_fails_all_that_is_outstanding(stage: Stage) -> None:
    waiting = stage.begin(suite.wait_for_the_end)
    stage.play(suite.pushes_and_snapshots, member=1)  # it serves; the pull above is on its way or held
    stage.lose_server()
    assert waiting.result(suite.TIMEOUT_S) == ("ServerLost", "ServerLost")


def test_many_members_at_once(stage: Stage) -> None:
    pushed = [stage.begin(suite.a_directive_only, member) for member in range(6)]
    assert [future.result(suite.TIMEOUT_S) for future in pushed] == [(suite.DIRECTIVE, 0)] * 6


def test_a_killed_member_harms_nobody_and_another_one_may_take_its_place(processes: ManyProcesses) -> None:
    assert processes.play_and_kill(suite.hold_for_ever, member=5) == "holding"
    assert processes.play(suite.joined_again, member=5) == 2.0
    assert processes.play_and_kill(suite.hold_for_ever, member=5) == "holding"
    assert processes.play(suite.joined_again, member=5) == 4.0


def test_it_listens_on_the_loopback_interface_only(processes: ManyProcesses) -> None:
    server = psutil.Process(processes._server.pid)
    listening = [one.laddr.ip for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}
