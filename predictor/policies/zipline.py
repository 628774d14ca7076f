"""ZipLine: where the workers' future iteration ends lie closest together (Zhao et al. 2019, arXiv:2001.01347).

Each worker has ascending ends; one of each is to be chosen so that the latest minus the earliest is least. For a
given latest end t the best choice is each worker's last end <= t. So one pass over the merged, sorted ends sees every
candidate: a pointer to the earliest of the chosen ends only ever moves forward. Ties go to the earliest t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_TIE_S = 1e-9  # spreads closer than this are equal: less than any clock here tells apart


@dataclass(frozen=True, slots=True)
class Meeting:
    """The chosen ends, one of each worker."""

    at_s: float  # the latest of them
    spread_s: float  # how much earlier the earliest is
    num_ends: tuple[int, ...]  # for each worker, which of its ends: 1 is the first


def closest_meeting(ends: Sequence[Sequence[float]]) -> Meeting:
    """Choose the ends of least spread, the earliest where several are equal. O(M log M) for M ends in all.

    Args:
        ends: for each worker its future iteration ends in seconds, ascending, at least one.
    """
    times = np.concatenate([np.asarray(one, dtype=np.float64) for one in ends])
    owners = np.repeat(np.arange(len(ends)), [len(one) for one in ends])
    order = np.argsort(times, kind="stable")
    merged_s: list[float] = times[order].tolist()
    merged_owners: list[int] = owners[order].tolist()

    is_passed = [False] * len(merged_s)  # its owner has a later end up to here
    newest = [-1] * len(ends)  # place of each worker's last end so far
    num_unseen = len(ends)
    earliest, best, best_spread_s = 0, -1, 0.0
    for place, owner in enumerate(merged_owners):
        before = newest[owner]
        newest[owner] = place
        if before >= 0:
            is_passed[before] = True
        else:
            num_unseen -= 1
        if num_unseen:
            continue
        while is_passed[earliest]:
            earliest += 1
        spread_s = merged_s[place] - merged_s[earliest]
        if best < 0 or spread_s < best_spread_s - _TIE_S:
            best, best_spread_s = place, spread_s
            if spread_s <= _TIE_S:
                break
    counts = np.bincount(owners[order[: best + 1]], minlength=len(ends))
    return Meeting(merged_s[best], best_spread_s, tuple(counts.tolist()))
