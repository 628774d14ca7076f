"""What is simulated, and what comes out (METHOD section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from predictor.churn import Absence
from predictor.errors import Complaint, SpecError
from predictor.forecasters import ForecasterParams, TimingParams
from predictor.policies import PolicyParams
from predictor.spec import RunSpec
from predictor.speeds import ReadText, SpeedModel, Transfer


@dataclass(frozen=True)
class Scenario:
    """A run in virtual time. At least one of `iterations` and `until_s` is given."""

    policy: PolicyParams
    speeds: Sequence[SpeedModel]  # one for each worker
    transfers: Sequence[Transfer]  # one for each worker
    iterations: int | None = None  # of each worker, after which it leaves
    until_s: float | None = None  # when those who still train are stopped
    forecaster: ForecasterParams = field(default_factory=TimingParams)
    step_s: float = 0.0  # real computation of an iteration: the emulated one is never shorter
    message_bytes: int = 0  # of one push or pull
    batch_size: int = 0  # samples of an iteration, for the log; 0 without gradients
    evaluate_every_s: float = 1.0  # pause between evaluations, with a trainer
    deaths: Mapping[int, float] = field(default_factory=dict)  # worker -> when it dies, at_s
    churn: Sequence[Absence] = ()  # who joins late, dies, comes back
    server_message_s: float = 0.0  # for which a message occupies the server's line; 0: links are independent


@dataclass(frozen=True)
class WorkerTimes:
    """How one worker spent its life: compute_s + wait_s + transfer_s = wall_s."""

    worker: int
    num_iterations: int
    compute_s: float
    wait_s: float
    transfer_s: float
    wall_s: float  # of its lives: each until its last push arrived, or until it died or was stopped


@dataclass(frozen=True)
class SimulationResult:
    """Figures of a simulated run, as METHOD section 8 defines them."""

    makespan_s: float  # arrival of the last push
    utilisation: float  # sum of compute_s / sum of wall_s
    workers: tuple[WorkerTimes, ...]
    num_pushes: int
    max_lead: int  # taken at the arrival of pushes
    version: int  # updates applied


def result_of(
    times: Sequence[WorkerTimes], makespan_s: float, num_pushes: int, max_lead: int, version: int
) -> SimulationResult:
    """Give the figures of a run from those of its workers."""
    wall_s = sum(one.wall_s for one in times)
    return SimulationResult(
        makespan_s=makespan_s,
        utilisation=sum(one.compute_s for one in times) / wall_s if wall_s > 0 else 0.0,
        workers=tuple(times),
        num_pushes=num_pushes,
        max_lead=max_lead,
        version=version,
    )


def scenario_of(spec: RunSpec, read_text: ReadText, *, step_s: float = 0.0, message_bytes: int = 0) -> Scenario:
    """Give the scenario of a run's spec; its target is left aside, since a simulation knows no loss.

    Args:
        spec: iterations and seconds of its `stop` count.
        read_text: see `predictor.speeds.base.SpeedParams.build`.
        step_s: see `Scenario`.
        message_bytes: see `Scenario`.

    Raises:
        SpecError: the speed model cannot be built, or the run would end at its target only.
    """
    if spec.stop.iterations is None and spec.stop.seconds is None:
        raise SpecError([Complaint("stop", None, "needs iterations or seconds to be simulated")])
    num_workers = spec.cluster.num_workers
    workers = range(num_workers)
    return Scenario(
        policy=spec.policy,
        forecaster=spec.forecaster,
        speeds=[spec.speed.build(worker, num_workers, spec.seed, read_text) for worker in workers],
        transfers=[Transfer(spec.transfer.transfer_s, spec.transfer.cv, worker, spec.seed) for worker in workers],
        iterations=spec.stop.iterations,
        until_s=spec.stop.seconds,
        step_s=step_s,
        message_bytes=message_bytes,
        churn=spec.cluster.churn,
        server_message_s=spec.transfer.server_message_s,
    )
