"""The account in a few sentences: only what its numbers carry."""

from __future__ import annotations

from typing import Any

_LITTLE = 0.01  # share of the time from which waiting, or what is unaccounted, is worth a sentence of its own
_MOSTLY = 0.4  # share of the waiting from which one worker is named as whom it was for

_ALL = 1 - 1e-9  # from here on it is all, not 100% by rounding


def answer(account: dict[str, Any]) -> list[str]:
    """Answer "why did we wait?" in sentences, from what `Account.report` gives."""
    total = account["total"]
    wall_s = total["wall_s"]
    if wall_s <= 0:
        return ["No worker has joined yet."]
    is_over = account["is_finished"]
    waited_s = total["parts"]["wait"]
    lines = [_waiting(account, waited_s, wall_s, is_over)]
    if waited_s / wall_s >= _LITTLE:
        lines += _cost(account, waited_s)
    lines.append(_spent(total, wall_s, is_over))
    if total["unaccounted_s"] / wall_s >= _LITTLE:
        lines.append(f"Of {percent(total['unaccounted_s'] / wall_s)} of the time the log says nothing.")
    return lines


def percent(share: float) -> str:
    """Give a share in per cent, with two digits that count."""
    value = 100 * share
    if value != 0 and abs(value) < 0.1:
        return "under 0.1%"
    if 99.5 <= value < 100 * _ALL:
        return "over 99%"  # 100 is said of what is whole
    return f"{value:.1f}%" if abs(value) < 9.95 else f"{value:.0f}%"


def _of_it(share: float) -> str:
    return "all of it" if share >= _ALL else f"{percent(share)} of it"


def duration(seconds: float) -> str:
    """Give seconds with three digits that count."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"


def _waiting(account: dict[str, Any], waited_s: float, wall_s: float, is_over: bool) -> str:
    """Say how much was waited, and mostly for whom."""
    verb = "spent" if is_over else "have spent"
    if waited_s / wall_s < _LITTLE:
        if waited_s == 0:
            return "No worker waited for another." if is_over else "No worker has waited for another yet."
        return f"Workers {verb} {percent(waited_s / wall_s)} of their time waiting for others."
    caused_s = {row["worker"]: row["caused_s"] for row in account["workers"]}
    worst = max(caused_s, key=lambda worker: (caused_s[worker], -worker))
    share = caused_s[worst] / waited_s
    whom = f", {_of_it(share)} for worker {worst}" if share > 0 else ""
    if 0 < share < _MOSTLY:
        whom = f"; the largest part of it, {percent(share)}, for worker {worst}"
    return f"Workers {verb} {percent(waited_s / wall_s)} of their time waiting{whom}."


def _cost(account: dict[str, Any], waited_s: float) -> list[str]:
    """Say what the waiting took, in the currency of iterations, and what most of it was for."""
    total = account["total"]
    busy_s = sum(total["parts"][part] for part in ("compute", "overlap", "stall"))
    lines = []
    if total["num_iterations"] and busy_s > 0:
        num = waited_s / (busy_s / total["num_iterations"])
        if num >= 1:
            as_long = "1 iteration of average length takes"
            if num >= 1.5:
                as_long = f"{num:,.0f} iterations of average length take"
            lines.append(f"That is {duration(waited_s)} of worker time, as long as {as_long}.")
    kinds = total["wait_kinds"]
    if kinds:
        main = max(kinds, key=lambda kind: kinds[kind])
        share = kinds[main] / waited_s
        how_much = "All" if share >= _ALL else percent(share)
        lines.append(f"{how_much} of the waiting was for {account['wait_labels'][main]}.")
    return lines


def _spent(total: dict[str, Any], wall_s: float, is_over: bool) -> str:
    """Say what the rest of the time went to."""
    parts = total["parts"]
    busy_s = sum(parts[part] for part in ("compute", "overlap", "stall"))
    moved_s = parts["up"] + parts["down"] + parts["server"]
    said = f"Computing took {percent(busy_s / wall_s)} of the workers' time, messages {percent(moved_s / wall_s)}"
    others = [
        (parts["startup"], "starting"),
        (parts["lost"] + parts["stopped"], "being away"),
        (parts["unfinished"], "what was never finished" if is_over else "what runs now"),
    ]
    named = [f"{name} {percent(seconds / wall_s)}" for seconds, name in others if seconds / wall_s >= _LITTLE]
    return f"{', '.join([said, *named])}."
