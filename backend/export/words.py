"""How a report writes numbers: three significant digits, the unit beside them, a dash where nothing is known."""

from __future__ import annotations

import math
from typing import Any

UNKNOWN = "\u2013"
_SIZES = ("B", "kB", "MB", "GB", "TB")

Maybe = float | None


def number(value: Maybe) -> str:
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -6 or size >= 15:
        return f"{value:.2e}"
    rounded = round(value, 2 - size)
    places = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{places}f}"


def count(value: Maybe) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def seconds(value: Maybe) -> str:
    """Write a duration: 41.2 ms, 1.24 s, 2 min 05 s, 1 h 05 min."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    size = abs(value)
    if 0 < size < 0.1:
        return f"{number(value * 1e3)} ms" if size >= 1e-3 else f"{number(value * 1e6)} µs"
    if size < 120:
        return f"{number(value)} s"
    minutes, rest_s = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s:02} s"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours} h {minutes:02} min"


def percent(share: Maybe) -> str:
    return UNKNOWN if share is None else f"{number(100 * share)}%"


def size(num_bytes: Maybe) -> str:
    if num_bytes is None:
        return UNKNOWN
    scaled, step = float(num_bytes), 0
    while abs(scaled) >= 999.5 and step < len(_SIZES) - 1:
        scaled, step = scaled / 1000, step + 1
    return f"{scaled:.0f} B" if step == 0 else f"{number(scaled)} {_SIZES[step]}"


def instant(iso: str | None) -> str:
    """Write a time of the API: 2026-03-01 12:00:05 UTC."""
    return UNKNOWN if not iso else f"{iso[:19].replace('T', ' ')} UTC"


def setting(value: Any) -> str:
    """Write the value of a setting on one line: "ssp (threshold 3)", "none", "0.1"."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        head = next((str(value[tag]) for tag in ("name", "kind") if tag in value), "")
        rest = ", ".join(
            f"{name.removesuffix('_s').replace('_', ' ')} {setting(one)}"
            for name, one in value.items()
            if name not in ("name", "kind")
        )
        return f"{head} ({rest})" if head and rest else head or rest
    if isinstance(value, list):
        return ", ".join(map(setting, value))
    return str(value)


def target(spec: dict[str, Any]) -> str:
    """Write the target of a spec: "accuracy 90%", "loss 0.5"; "" without one."""
    wanted = spec["stop"].get("target")
    if not wanted:
        return ""
    if wanted["metric"] == "test_accuracy":
        return f"accuracy {percent(wanted['value'])}"
    return f"loss {number(wanted['value'])}"
