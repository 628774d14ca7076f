"""The parameter server's process: it holds the weights, asks the gate, writes checkpoints."""

from __future__ import annotations

import os
import queue
import socket
import traceback
from collections.abc import Callable

import torch

from predictor.events import CheckpointWritten, NodeStarted
from predictor.gate import Gate
from workers.job import SERVER, Job
from workers.server import checkpoint
from workers.server.live_gate import LiveGate
from workers.server.weights import Weights
from workers.telemetry import Command, Telemetry
from workers.transport import TRANSPORTS


def run(job: Job, workers: list[int], stream: socket.socket) -> int:
    """Serve these workers until told to exit; return the exit code."""
    torch.set_num_threads(1)
    telemetry = Telemetry(stream, SERVER, job.clock)
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    telemetry.listen(commands.put)
    live_gate = LiveGate(
        Gate(job.spec.policy, job.spec.forecaster),
        _first_weights(job),
        job.clock,
        emit=telemetry.emit_now,
        traffic=telemetry.traffic,
        expected=workers,
        on_fault=_die,
    )
    if job.resumed is not None:
        live_gate.resume(job.resumed, job.retuned, job.retuned_forecaster)
    address = TRANSPORTS[job.spec.cluster.transport]().serve(live_gate)
    telemetry.emit(NodeStarted(job.clock.now_s(), SERVER, os.getpid(), job.incarnation))
    telemetry.tell("serving", address=address)
    _Server(job, live_gate, telemetry, commands).run()
    telemetry.close()
    return 0


class _Server:
    """The main thread: commands of the coordinator, and a checkpoint now and then."""

    def __init__(
        self, job: Job, live_gate: LiveGate, telemetry: Telemetry, commands: queue.SimpleQueue[Command]
    ) -> None:
        self._job, self._live_gate, self._telemetry, self._commands = job, live_gate, telemetry, commands
        self._saved_at_s = job.clock.now_s()
        self._saved_version = -1

    def run(self) -> None:
        obey: dict[str, Callable[[Command], None]] = {
            "worker_lost": lambda command: self._live_gate.lose(command["worker"]),
            "retune": lambda command: self._live_gate.retune(command["params"], command["forecaster"]),
            "stop": self._stop,
        }
        while True:
            try:
                command = self._commands.get(timeout=self._pause_s())
            except queue.Empty:
                self._save()
                continue
            if command["command"] == "exit":
                return
            obey[command["command"]](command)

    def _pause_s(self) -> float | None:
        every_s = self._job.spec.checkpoint_every_s
        if every_s == 0:
            return None
        return max(0.0, self._saved_at_s + every_s - self._job.clock.now_s())

    def _stop(self, command: Command) -> None:
        """End the training: what is applied by now is what the run has learnt."""
        self._live_gate.stop()
        self._save()
        num, mean_us = self._live_gate.num_decisions, self._live_gate.mean_decision_s * 1e6
        self._telemetry.log("info", f"the gate took {num:,} decisions, {mean_us:.0f} us each")
        self._telemetry.tell("stopped")

    def _save(self) -> None:
        """Write a checkpoint, unless nothing has changed since the last one."""
        weights, velocity, version, clocks = self._live_gate.checkpoint()
        self._saved_at_s = self._job.clock.now_s()
        if version == self._saved_version:
            return
        named = {str(worker): clock for worker, clock in sorted(clocks.items())}
        task = self._job.spec.task
        path = self._job.checkpoint
        meta = checkpoint.CheckpointMeta(version, named, task.model, task.dataset)
        try:
            checkpoint.save(path, weights, meta, velocity)
        except OSError as error:
            reason = error.strerror or str(error)
            self._telemetry.log("error", f"the checkpoint of version {version} could not be written: {reason}")
            return
        self._saved_version = version
        self._telemetry.emit(CheckpointWritten(self._job.clock.now_s(), path.name, version, named))


def _first_weights(job: Job) -> Weights:
    """Give the weights, and their velocity, of the checkpoint at a resume, otherwise those of the seed."""
    first = job.build_model().weights
    if job.resumed is None:
        return Weights(first)
    weights, meta = checkpoint.load(job.checkpoint)
    assert weights.shape == first.shape, "the coordinator has compared model and checkpoint"
    return Weights(weights, meta.version, checkpoint.load_velocity(job.checkpoint))


def _die(error: Exception) -> None:
    """End at once: a gate that could not handle a stimulus would let workers wait for ever."""
    traceback.print_exception(error)
    os._exit(1)
