"""Transport over torch.distributed.rpc (TensorPipe); the only module that knows it.

A star: each worker's agent knows itself and the server only. It is the one way to use TensorPipe in which a
member may be killed and another one join under its number; static groups hang at start-up when a member never
comes, dynamic groups are poisoned by one kill -9. The price is a few private names, which is why torch is pinned
and `tests/workers/transport` tries join, kill -9 and rejoin.

* `uv` and `cma`: the default `shm` transport polls and burns a fifth of a core in every idle process.
* Handlers return futures (`async_execution`), so that a waiting worker holds no thread of the server.
* Never used: `rpc_sync` (blocks signals), RRefs, distributed autograd, calls of the server to a worker, graceful
  shutdown (takes a minute when a member is dead).
* There is no authentication: whoever reaches the port may execute code. `TP_SOCKET_IFNAME=lo`, set in
  `workers/__main__.py`, binds to the loopback interface.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import torch
from torch._C._distributed_autograd import _init as init_autograd
from torch._C._distributed_c10d import HashStore, PrefixStore
from torch._C._distributed_rpc import TensorPipeAgent
from torch.distributed import rpc

from workers.errors import ServerLost, TransportError
from workers.transport.base import (
    Answer,
    Handlers,
    Pieces,
    PullAnswer,
    PullHeader,
    PushAnswer,
    PushHeader,
    ReportHeader,
    SnapshotAnswer,
    settle,
)

_SERVER = "server"
_NO_TIMEOUT = 0.0  # a pull is held for as long as the gate wishes
_NUM_THREADS = 4

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
_answered_later: Callable[[FunctionT], FunctionT] = rpc.functions.async_execution

_handlers: Handlers | None = None  # of the server in this process; RPC calls functions, not objects


class TorchRpcTransport:
    """A process has one agent: it serves or connects, once at a time."""

    def serve(self, handlers: Handlers) -> str:
        global _handlers  # noqa: PLW0603
        _handlers = handlers
        return _start_agent(_SERVER, rank=0)

    def connect(self, address: str, member: int) -> TorchRpcWorker:
        try:
            _start_agent(f"member-{member}", rank=member + 1, server_address=address)
        except RuntimeError as error:
            raise TransportError(f"cannot connect to the server at {address}: {error}") from error
        return TorchRpcWorker()

    def close(self) -> None:
        rpc.shutdown(graceful=False)


class TorchRpcWorker:
    """See `WorkerTransport`."""

    def push(self, header: PushHeader, delta: Pieces) -> Future[Answer[PushAnswer]]:
        return _call(_push, header, list(delta))

    def push_pull(self, header: PushHeader, delta: Pieces) -> Future[Answer[PullAnswer]]:
        return _call(_push_pull, header, list(delta))

    def pull(self, header: PullHeader) -> Future[Answer[PullAnswer]]:
        return _call(_pull, header)

    def report(self, header: ReportHeader) -> Future[Answer[None]]:
        return _call(_report, header)

    def snapshot(self, newer_than: int) -> Future[Answer[SnapshotAnswer]]:
        return _call(_snapshot, newer_than)

    def close(self) -> None:
        rpc.shutdown(graceful=False)


# ---- the star -------------------------------------------------------------------------------------------------


def _start_agent(name: str, rank: int, server_address: str | None = None) -> str:
    """Start this process's agent and return its address.

    The store that agents use to find each other is private to the process: a worker finds the server's address in
    it and nothing else, the server nothing at all. The server answers over the pipe that a worker has opened.
    """
    options = rpc.TensorPipeRpcBackendOptions(
        num_worker_threads=_NUM_THREADS,
        rpc_timeout=_NO_TIMEOUT,
        init_method="unused://",
        _transports=["uv"],
        _channels=["cma", "basic"],
    )
    store = HashStore()
    addresses = PrefixStore("addrs", store)
    if server_address is not None:
        addresses.set(_SERVER, server_address)
        PrefixStore("names", store).set("_ALL_WORKER_INFOS", f"{_SERVER}-0,")
    init_autograd(rank)  # an agent does not start without its autograd container
    agent = TensorPipeAgent(store, name, rank, None, options, {}, [])
    rpc.api._init_rpc_states(agent)  # type: ignore[no-untyped-call]
    return addresses.get(name).decode()


def _call(function: Callable[..., Any], *args: object) -> Future[Any]:
    """Call a function of the server and turn torch's future into a plain one."""
    done: Future[Any] = Future()
    try:
        answer = rpc.rpc_async(_SERVER, function, args=args, timeout=_NO_TIMEOUT)
    except RuntimeError as error:
        settle(done, error=_as_ours(error))
        return done
    answer.add_done_callback(lambda finished: _land(finished, done))
    return done


def _land(finished: torch.futures.Future[Any], done: Future[Any]) -> None:
    try:
        header, pieces = finished.wait()
    except Exception as error:  # whatever the other side raised arrives here as its own class
        settle(done, error=_as_ours(error))
    else:
        settle(done, Answer(header, pieces))


def _as_ours(error: Exception) -> TransportError:
    first, *others = str(error).splitlines() or [type(error).__name__]
    if "On WorkerInfo" in first:  # a handler raised; the second line says what
        return TransportError(f"the server refused a call: {others[0] if others else first}")
    return ServerLost(f"the connection to the server broke: {first}")


# ---- executed by the server -----------------------------------------------------------------------------------


class _TorchReply:
    """A `Reply` that completes the future which the handler has returned."""

    def __init__(self) -> None:
        self.future: torch.futures.Future[Any] = torch.futures.Future()

    def complete(self, header: object, pieces: Pieces = ()) -> None:
        self.future.set_result((header, list(pieces)))


def _served() -> Handlers:
    assert _handlers is not None, "a call came before `serve`"
    return _handlers


@_answered_later
def _push(header: PushHeader, delta: list[torch.Tensor]) -> torch.futures.Future[Any]:
    reply = _TorchReply()
    _served().on_push(header, delta, reply)
    return reply.future


@_answered_later
def _push_pull(header: PushHeader, delta: list[torch.Tensor]) -> torch.futures.Future[Any]:
    reply = _TorchReply()
    _served().on_push_pull(header, delta, reply)
    return reply.future


@_answered_later
def _pull(header: PullHeader) -> torch.futures.Future[Any]:
    reply = _TorchReply()
    _served().on_pull(header, reply)
    return reply.future


def _report(header: ReportHeader) -> tuple[None, list[torch.Tensor]]:
    _served().on_report(header)
    return None, []


@_answered_later
def _snapshot(newer_than: int) -> torch.futures.Future[Any]:
    reply = _TorchReply()
    _served().on_snapshot(newer_than, reply)
    return reply.future
