"""A worker's process: wire everything, train, leave."""

from __future__ import annotations

import os
import socket
import threading

import torch

from predictor.events import NodeStarted
from predictor.speeds.transfer import Transfer
from workers.batches import Batches
from workers.errors import TransportError
from workers.job import Job, worker_node
from workers.telemetry import Command, Telemetry
from workers.transport import TRANSPORTS
from workers.transport.base import WorkerTransport
from workers.transport.delayed import DelayedTransport
from workers.worker.link import Link
from workers.worker.loop import Worker, train
from workers.worker.optimizer import optimizer_of


def run(job: Job, worker: int, address: str, stream: socket.socket) -> int:
    """Train as worker number `worker` of the server at `address`; return the exit code."""
    torch.set_num_threads(1)
    spec, node = job.spec, worker_node(worker)
    stopping = threading.Event()

    def obey(command: Command) -> None:
        if command["command"] == "stop":
            stopping.set()
            link.interrupt()

    telemetry = Telemetry(stream, node, job.clock)
    transport = _connect(job, worker, address)
    link = Link(transport, job.clock, telemetry.traffic, worker, job.incarnation)
    telemetry.listen(obey)
    me = Worker(
        worker=worker,
        model=job.build_model(),
        batches=Batches(job.dataset.train, job.shards[worker], spec.task.batch_size, spec.seed, worker),
        speed=job.speeds[worker],
        optimizer=optimizer_of(spec.task),
        link=link,
        clock=job.clock,
        telemetry=telemetry,
        stopping=stopping,
    )
    started_at_s = job.clock.now_s()
    telemetry.emit(NodeStarted(started_at_s, node, os.getpid(), job.incarnation))
    try:
        train(me, started_at_s, job.first_iteration(worker), spec.stop.iterations)
    except TransportError as error:
        if not stopping.is_set():
            telemetry.log("error", f"worker {worker} ends: {error}")
            telemetry.close()
            return 1
    telemetry.close()
    transport.close()
    return 0


def _connect(job: Job, worker: int, address: str) -> WorkerTransport:
    """Connect to the server, over an emulated network where one is asked for."""
    spec = job.spec
    plain = TRANSPORTS[spec.cluster.transport]().connect(address, member=worker)
    if spec.transfer.transfer_s == 0:
        return plain
    return DelayedTransport(plain, Transfer(spec.transfer.transfer_s, spec.transfer.cv, worker, spec.seed))
