"""The seam between workers and server: three calls of a worker, one of the evaluator, none of the server.

* `push`    header and delta; answered at once. The answer is what "uplink free" means.
* `pull`    answered when the gate releases the worker, or with a new directive only; at most one is outstanding.
* `report`  header only, at a boundary without a push; not waited for.
* `push_pull` is a push and the pull that waits for its answer, in one message.
* `snapshot`  the global weights of this moment, for the evaluator; answered at once.

Rules of every implementation (`tests/workers/transport` runs one suite over all of them):

1. A call returns at once with a future; what comes back, weights or an error, comes through it.
2. Callbacks of a future may run in any thread. They are short and never wait.
3. The tensors that a call is given must not change until its future is done; those that come back belong to
   the caller. The server's handlers get tensors that nobody changes; the pieces of an answer must stay
   unchanged until the same worker's next pull, since that proves that they have arrived.
4. A worker's messages may overtake each other on the way; `ordinal` puts pushes and reports in order.
5. When the server dies, all outstanding futures fail with `ServerLost`. A worker's death is not noticed here:
   whoever started the worker tells the server.
6. No types of a transport's library are seen outside of its module; headers are plain dataclasses.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

from predictor.events import Directive

PIECE_LENGTH = 1 << 18  # float32s: pieces of 1 MiB travel faster than one large vector (fewer page faults)

Pieces = Sequence[torch.Tensor]  # a flat vector cut into consecutive flat float32 pieces; empty: no weights


@dataclass(frozen=True, slots=True)
class PushHeader:
    """See `predictor.events.PushArrived` for the fields that it shares."""

    worker: int
    incarnation: int
    ordinal: int  # of this push or report among all of this life of the worker, from 0
    iteration: int
    num_iterations: int
    compute_s: float
    ended_at_s: float
    pulled_version: int
    is_blocking: bool
    is_last: bool  # the worker has done all its iterations and leaves
    down_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """See `predictor.events.IterationReported`."""

    worker: int
    incarnation: int
    ordinal: int
    iteration: int
    compute_s: float
    ended_at_s: float
    is_waiting: bool
    down_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PullHeader:
    worker: int
    incarnation: int
    iteration: int  # iterations that the worker has completed
    is_joining: bool  # its first call: hello


@dataclass(frozen=True, slots=True)
class PushAnswer:
    arrived_at_s: float  # on the run's clock, at the server
    is_over: bool = False  # the run ends: the push was not taken, the worker leaves


@dataclass(frozen=True, slots=True)
class PullAnswer:
    """A release when weights come with it, otherwise a directive only."""

    directive: Directive
    version: int  # of the weights that come with it
    acknowledged: int  # all own iterations up to this one are settled: in those weights, or discarded
    arrived_at_s: float  # when the push that this answers reached the server; the pull, when there is none
    released_at_s: float  # when it was sent: a release that falls due with no pull outstanding waits for the next
    is_over: bool = False  # the run ends: nothing else in this answer counts, the worker leaves
    # Iteration of the push that this answers: the one that is waited for, be it settled or not, else the newest settled
    # one that was not answered; 0: none.
    answers: int = 0


@dataclass(frozen=True, slots=True)
class SnapshotAnswer:
    version: int
    taken_at_s: float


AnswerT_co = TypeVar("AnswerT_co", covariant=True)
AnswerT_contra = TypeVar("AnswerT_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Answer(Generic[AnswerT_co]):
    """An answer and the weights that came with it."""

    header: AnswerT_co
    pieces: Pieces = ()


class Reply(Protocol[AnswerT_contra]):
    """The server's promise to answer one call; kept later, from any thread, once."""

    def complete(self, header: AnswerT_contra, pieces: Pieces = ()) -> None: ...


class Handlers(Protocol):
    """What a server does with the calls; called from any thread, must not wait. What they raise is the caller's."""

    def on_push(self, header: PushHeader, delta: Pieces, reply: Reply[PushAnswer]) -> None: ...

    def on_push_pull(self, header: PushHeader, delta: Pieces, reply: Reply[PullAnswer]) -> None: ...

    def on_pull(self, header: PullHeader, reply: Reply[PullAnswer]) -> None: ...

    def on_report(self, header: ReportHeader) -> None: ...

    def on_snapshot(self, newer_than: int, reply: Reply[SnapshotAnswer]) -> None:
        """Answer with the weights when their version is above `newer_than`, otherwise without."""
        ...


class WorkerTransport(Protocol):
    """A worker's end."""

    def push(self, header: PushHeader, delta: Pieces) -> Future[Answer[PushAnswer]]: ...

    def push_pull(self, header: PushHeader, delta: Pieces) -> Future[Answer[PullAnswer]]: ...

    def pull(self, header: PullHeader) -> Future[Answer[PullAnswer]]: ...

    def report(self, header: ReportHeader) -> Future[Answer[None]]: ...

    def snapshot(self, newer_than: int) -> Future[Answer[SnapshotAnswer]]: ...

    def close(self) -> None:
        """Leave without a word; never waits."""
        ...


class Transport(Protocol):
    """One way to carry the calls. A process holds one and either serves or connects."""

    def serve(self, handlers: Handlers) -> str:
        """Start to take calls and return the address for `connect`."""
        ...

    def connect(self, address: str, member: int) -> WorkerTransport:
        """Connect to a server.

        Args:
            address: what `serve` returned.
            member: number of the caller, unique among the living ones; a dead one's may be used again.
        """
        ...

    def close(self) -> None:
        """Stop serving; never waits."""
        ...


def split(flat: torch.Tensor) -> list[torch.Tensor]:
    """Cut a flat vector into pieces, which are views."""
    return list(torch.split(flat, PIECE_LENGTH))


def num_bytes(pieces: Pieces) -> int:
    """Give the payload of some pieces."""
    return sum(piece.numel() * piece.element_size() for piece in pieces)


def settle(future: Future[Any], result: Any = None, error: BaseException | None = None) -> None:
    """Complete a future that nobody cancels."""
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
