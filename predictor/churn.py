"""Who is away when: workers that join late, die, and come back (virtual time only).

A life ends as that of a worker that dies: what it has not pushed, and what is under way, is lost. A life that begins
in mid-run takes the newest weights and the clock of the slowest member, so that nobody waits until it has caught up;
its own clock never falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from predictor.errors import Complaint
from predictor.params import STRICT, param

AtS = Annotated[float, param("Seconds since the start.", unit="s", gt=0, le=10**6, allow_inf_nan=False)]


@dataclass(frozen=True)
class Absence:
    """One absence of one worker."""

    __pydantic_config__ = STRICT

    worker: Annotated[int, param("Which worker; 0 is the first.", ge=0)]
    leaves_at_s: Annotated[AtS | None, param("When it dies; without it, it is away from the start.", unit="s")] = None
    joins_at_s: Annotated[
        AtS | None, param("When it joins, with the newest weights; without it, it stays away.", unit="s")
    ] = None


def complaints_about(churn: Sequence[Absence], num_workers: int, key: str) -> list[Complaint]:
    """Check what one absence alone cannot tell; `key` is the path of the list."""
    found = (_complaint(one, churn[:place], num_workers, f"{key}.{place}") for place, one in enumerate(churn))
    return [complaint for complaint in found if complaint]


def _complaint(one: Absence, before: Sequence[Absence], num_workers: int, key: str) -> Complaint | None:
    worker, leaves_s, joins_s = one.worker, one.leaves_at_s, one.joins_at_s
    if worker >= num_workers:
        return Complaint(f"{key}.worker", worker, f"must be <= {num_workers - 1}, the last of the workers")
    if leaves_s is None and joins_s is None:
        return Complaint(key, {"worker": worker}, "needs leaves_at_s, joins_at_s or both")
    if leaves_s is not None and joins_s is not None and joins_s <= leaves_s:
        return Complaint(f"{key}.joins_at_s", joins_s, f"must be later than leaves_at_s, which is {leaves_s:g}")
    mine = [other for other in before if other.worker == worker]
    if not mine:
        return None
    if leaves_s is None:
        return Complaint(f"{key}.leaves_at_s", None, f"is required after the first absence of worker {worker}")
    last_s = mine[-1].joins_at_s
    if last_s is None:
        return Complaint(f"{key}.worker", worker, "must not be one that has left for good in an earlier absence")
    if leaves_s <= last_s:
        return Complaint(f"{key}.leaves_at_s", leaves_s, f"must be later than {last_s:g}, when this worker joins")
    return None
