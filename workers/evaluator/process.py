"""The evaluator's process: it measures snapshots of the global weights while the workers train on."""

from __future__ import annotations

import os
import socket
import threading

import torch
from torch.nn import functional

from predictor.events import EvaluationFinished, NodeStarted
from workers.batches import as_tensors
from workers.datasets.base import Split
from workers.errors import TransportError
from workers.flat import FlatModel
from workers.job import EVALUATOR, Job
from workers.telemetry import Command, Telemetry
from workers.transport import TRANSPORTS
from workers.transport.base import Answer, SnapshotAnswer, WorkerTransport, num_bytes

_NICENESS = 10  # workers come first
_BATCH_SIZE = 256


def run(job: Job, address: str, stream: socket.socket) -> int:
    """Evaluate until told to finish, then the last weights once more; return the exit code."""
    os.nice(_NICENESS)
    torch.set_num_threads(1)
    finishing = threading.Event()

    def obey(command: Command) -> None:
        if command["command"] == "finish":
            finishing.set()

    telemetry = Telemetry(stream, EVALUATOR, job.clock)
    telemetry.listen(obey)
    transport = TRANSPORTS[job.spec.cluster.transport]().connect(address, member=job.spec.cluster.num_workers)
    telemetry.emit(NodeStarted(job.clock.now_s(), EVALUATOR, os.getpid(), job.incarnation))
    evaluator = Evaluator(job, transport, telemetry, finishing)
    try:
        evaluator.run()
    except TransportError as error:
        telemetry.log("error", f"the evaluator ends: {error}")
        telemetry.close()
        return 1
    telemetry.close()
    transport.close()
    return 0


class Evaluator:
    """Loss and accuracy on the held-back set, now and again, and always of the final weights."""

    def __init__(self, job: Job, transport: WorkerTransport, telemetry: Telemetry, finishing: threading.Event) -> None:
        self._job, self._transport, self._telemetry, self._finishing = job, transport, telemetry, finishing
        self._model = job.build_model()
        self._last: EvaluationFinished | None = None

    def run(self) -> None:
        """Evaluate each new version, with pauses in between.

        Raises:
            TransportError: the server is lost.
        """
        while not self._finishing.is_set():
            self._evaluate(is_final=False)
            self._finishing.wait(self._job.spec.evaluate_every_s)
        self._evaluate(is_final=True)

    def _evaluate(self, is_final: bool) -> None:
        """Evaluate the newest weights, where they are new or the final ones, and emit what was found.

        An evaluation in progress is given up when the run ends, since the final one says more.
        """
        answer: Answer[SnapshotAnswer] = self._transport.snapshot(
            -1 if self._last is None else self._last.version
        ).result()
        last, header = self._last, answer.header
        if not answer.pieces:
            if is_final and last is not None:
                self._emit(last.loss, last.accuracy, header, is_final)
            return
        self._telemetry.traffic.received_bytes += num_bytes(answer.pieces)
        torch.cat(list(answer.pieces), out=self._model.weights)
        measured = measure(self._model, self._job.dataset.test, None if is_final else self._finishing)
        if measured is not None:
            self._emit(*measured, header, is_final)

    def _emit(self, loss: float, accuracy: float, snapshot: SnapshotAnswer, is_final: bool) -> None:
        num_samples = len(self._job.dataset.test)
        self._last = EvaluationFinished(
            self._job.clock.now_s(), snapshot.taken_at_s, snapshot.version, loss, accuracy, num_samples, is_final
        )
        self._telemetry.emit(self._last)


def measure(model: FlatModel, split: Split, give_up: threading.Event | None = None) -> tuple[float, float] | None:
    """Measure (mean loss, share of right answers) of a model on a split; None when it was given up."""
    sum_of_losses, num_right = 0.0, 0
    with torch.inference_mode():
        for start in range(0, len(split), _BATCH_SIZE):
            if give_up is not None and give_up.is_set():
                return None
            images, labels = as_tensors(split, slice(start, start + _BATCH_SIZE))
            logits = model.model(images)
            sum_of_losses += float(functional.cross_entropy(logits, labels, reduction="sum"))
            num_right += int((logits.argmax(dim=1) == labels).sum())
    return sum_of_losses / len(split), num_right / len(split)
