"""Where a simulation begins: which of its three forms a scenario takes is chosen once, here.

`plain` is the fastest and does times only, `engine` does all but a shared line, `shared_line` does that too.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from predictor.churn import complaints_about
from predictor.errors import Complaint, SpecError
from predictor.events import RunStarted
from predictor.simulator.engine import OnEvent, Simulation
from predictor.simulator.plain import NotPlainError, simulate_plainly
from predictor.simulator.scenario import Scenario, SimulationResult
from predictor.simulator.shared_line import SharedLineSimulation
from predictor.simulator.trainer import Trainer


def simulate(
    scenario: Scenario,
    on_event: OnEvent | None = None,
    *,
    trainer: Trainer | None = None,
    run_id: str = "simulated",
    wall_time_s: float = 0.0,
    versions: Mapping[str, str] | None = None,
) -> SimulationResult:
    """Run a scenario to its end.

    Args:
        scenario: what is simulated.
        on_event: is given every event of the run in the order of its log; None is faster.
        trainer: computes real gradients at the virtual times; None: only times are simulated.
        run_id: stands in the log.
        wall_time_s: Unix time that the log calls its start.
        versions: of the programs, stands in the log.

    Raises:
        SpecError: the scenario has no end, or its absences contradict each other.
        SimulationError: all workers wait and nothing can release them, or time does not advance.
    """
    if scenario.iterations is None and scenario.until_s is None:
        raise SpecError([Complaint("stop", None, "needs iterations or seconds to be simulated")])
    complaints = complaints_about(scenario.churn, len(scenario.speeds), "churn")
    if complaints:
        raise SpecError(complaints)
    if on_event is None and trainer is None:
        with suppress(NotPlainError):
            return simulate_plainly(scenario)
    form = SharedLineSimulation if scenario.server_message_s > 0 else Simulation
    simulation = form(scenario, on_event, trainer)
    if on_event:
        on_event(RunStarted(0.0, wall_time_s, run_id, True, dict(versions or {})))
    simulation.run()
    if on_event:
        on_event(simulation.closing())
    return simulation.result()
