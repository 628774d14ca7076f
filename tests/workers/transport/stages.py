"""Where the suite is played: inside this process, or over real RPC between forked ones."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from concurrent.futures import Future
from multiprocessing.context import ForkServerProcess
from typing import Any, Protocol

import torch

from predictor.speeds.transfer import Transfer
from tests.workers.transport.suite import TIMEOUT_S, Scenario, ScriptedServer
from workers.__main__ import ENVIRONMENT
from workers.transport import TRANSPORTS
from workers.transport.base import WorkerTransport
from workers.transport.delayed import DelayedTransport


class Stage(Protocol):
    def play(self, scenario: Scenario, member: int = 0) -> Any:
        """Run a scenario as one member and return what it returns."""
        ...

    def begin(self, scenario: Scenario, member: int = 0) -> Future[Any]:
        """As `play`, without waiting; what runs ends with the stage."""
        ...

    def lose_server(self) -> None: ...

    def close(self) -> None: ...


class OneProcess:
    """The in-process transport."""

    def __init__(self) -> None:
        self._transport = TRANSPORTS["in_process"]()
        self._address = self._transport.serve(ScriptedServer())

    def play(self, scenario: Scenario, member: int = 0) -> Any:
        worker = self._connect(member)
        try:
            return scenario(worker)
        finally:
            worker.close()

    def begin(self, scenario: Scenario, member: int = 0) -> Future[Any]:
        done: Future[Any] = Future()
        threading.Thread(target=lambda: done.set_result(scenario(self._connect(member))), daemon=True).start()
        return done

    def lose_server(self) -> None:
        self._transport.close()

    def close(self) -> None:
        self._transport.close()

    def _connect(self, member: int) -> WorkerTransport:
        return self._transport.connect(self._address, member)


class OneProcessDelayed(OneProcess):
    """The same over an emulated network."""

    def _connect(self, member: int) -> WorkerTransport:
        return DelayedTransport(super()._connect(member), Transfer(0.02, 0.5, member, seed=1))


class ManyProcesses:
    """torch RPC: a server and members in processes of their own, forked from one that has imported torch only."""

    def __init__(self) -> None:
        os.environ.update(ENVIRONMENT)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["workers.transport", "tests.workers.transport.stages"])
        self._processes: list[ForkServerProcess] = []
        self._server, pipe = self._start(_serve)
        self._address = _receive(pipe)

    def play(self, scenario: Scenario, member: int = 0) -> Any:
        process, pipe = self._start(_play, self._address, member, scenario)
        result = _receive(pipe)
        process.join(TIMEOUT_S)
        return result

    def begin(self, scenario: Scenario, member: int = 0) -> Future[Any]:
        _, pipe = self._start(_play, self._address, member, scenario)
        done: Future[Any] = Future()
        threading.Thread(target=lambda: done.set_result(_receive(pipe)), daemon=True).start()
        return done

    def play_and_kill(self, scenario: Scenario, member: int) -> Any:
        """Run a scenario and kill the member with all that it has outstanding."""
        process, pipe = self._start(_play_and_stay, self._address, member, scenario)
        result = _receive(pipe)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(TIMEOUT_S)
        return result

    def lose_server(self) -> None:
        assert self._server.pid is not None
        os.kill(self._server.pid, signal.SIGKILL)
        self._server.join(TIMEOUT_S)

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.join(TIMEOUT_S)

    def _start(self, target: Any, *args: Any) -> tuple[ForkServerProcess, multiprocessing.connection.Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=target, args=(theirs, *args), daemon=True)
        process.start()
        theirs.close()
        self._processes.append(process)
        return process, ours


def _receive(pipe: multiprocessing.connection.Connection) -> Any:
    assert pipe.poll(TIMEOUT_S), "nothing came"
    return pipe.recv()


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    torch.set_num_threads(1)
    pipe.send(TRANSPORTS["torch_rpc"]().serve(ScriptedServer()))
    signal.pause()


def _play(pipe: multiprocessing.connection.Connection, address: str, member: int, scenario: Scenario) -> None:
    torch.set_num_threads(1)
    worker = TRANSPORTS["torch_rpc"]().connect(address, member)
    pipe.send(scenario(worker))
    worker.close()
    os._exit(0)


def _play_and_stay(pipe: multiprocessing.connection.Connection, address: str, member: int, scenario: Scenario) -> None:
    torch.set_num_threads(1)
    pipe.send(scenario(TRANSPORTS["torch_rpc"]().connect(address, member)))
    signal.pause()
