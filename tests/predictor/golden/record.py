"""Record the golden logs that are missing: `python -m tests.predictor.golden.record`.

A golden log is never overwritten. Where a policy is changed on purpose, delete its log, record it anew, and say
why in the commit. A bug of the synchronisation becomes one more log here: any name, `NAME.jsonl` and `NAME.spec.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

from predictor import log
from predictor.events import Event, Instruction, RunFinished, RunStarted, Stimulus
from predictor.policies import POLICIES
from predictor.simulator import Scenario, simulate
from predictor.spec import RunSpec, to_data
from predictor.speeds import Transfer
from predictor.speeds.trace import Trace

FOLDER = Path(__file__).parent
OF_THE_GATE = (Stimulus, Instruction, RunStarted, RunFinished)


def record(spec: RunSpec) -> list[Event]:
    """Simulate three workers: one is slow, one stalls, and one dies."""
    speeds = [Trace([0.5, 0.75, 0.5]), Trace([1.5]), Trace([0.75, 0.75, 9.0, 0.75])]
    transfers = [Transfer(0.25, 0.0, worker, 1) for worker in range(3)]
    events: list[Event] = []
    scenario = Scenario(spec.policy, speeds, transfers, iterations=5, forecaster=spec.forecaster, deaths={1: 4.0})
    simulate(scenario, events.append, run_id="golden")
    return [event for event in events if isinstance(event, OF_THE_GATE)]


def main() -> None:
    for name, kind in POLICIES.items():
        path = FOLDER / f"{name}.jsonl"
        if path.exists():
            continue
        spec = RunSpec(name=f"golden {name}", policy=kind())
        lines = [log.with_seq(log.encode(event), seq) for seq, event in enumerate(record(spec), 1)]
        path.write_bytes(b"".join(lines))
        path.with_suffix(".spec.json").write_text(json.dumps(to_data(spec), indent=1) + "\n")


if __name__ == "__main__":
    main()
