"""Runs in virtual time, around the same gate that a live run has."""

from predictor.simulator.engine import OnEvent
from predictor.simulator.entry import simulate
from predictor.simulator.scenario import Scenario, SimulationResult, WorkerTimes, scenario_of

__all__ = ["OnEvent", "Scenario", "SimulationResult", "WorkerTimes", "scenario_of", "simulate"]
