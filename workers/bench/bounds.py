"""What nobody does more iterations than: workers that never idle, and messages that take no time (METHOD section 6).

Without idleness N workers do sum 1 / c_i iterations a second, c_i being the mean compute time of one. That is what
`asp` does where communication is free; so its time to the target there, with a learning rate tuned there, is drawn
beside the results. It is a bound on the throughput and no peer: with other weights fewer iterations may do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from workers.bench.cells import Job
from workers.bench.peers import OURS
from workers.bench.scenario import Scenario

BOUND = "asp"


def bound_name(scenario: Scenario) -> str:
    """Give the name of the scenario with free communication, which no file can give to one of its own."""
    return f"{scenario.name}\nwithout transfer"


def bound_jobs(
    scenarios: Sequence[Scenario], policies: Sequence[str], seeds: tuple[int, ...], cache: Path, has_same_terms: bool
) -> list[Job]:
    """Give the cells of the bound; none where ours or `asp` is left out, or where communication is free anyway."""
    if OURS not in policies or BOUND not in policies:
        return []
    dear = [one for one in scenarios if one.transfer.transfer_s > 0 or one.transfer.server_message_s > 0]
    free = [dataclasses.replace(one, name=bound_name(one), transfer_s=0.0) for one in dear]
    return [Job(scenario, BOUND, seeds, cache, has_same_terms) for scenario in free]


def gap_closed(ours_s: float, peer_s: float, bound_s: float) -> float | None:
    """Give which share of the way from the peer's time to the bound's is made; None where there is no way to go."""
    return (peer_s - ours_s) / (peer_s - bound_s) if peer_s > bound_s else None
