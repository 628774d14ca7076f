"""The values of a filter: numbers, durations, moments, yes and no."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from backend.filters.syntax import Value

Fail = Callable[[Value, str], Exception]  # builds the error that names the value's place

MAX_DAYS = 36_500
_UNITS_S = {
    **dict.fromkeys(("ms",), 1e-3),
    **dict.fromkeys(("s", "sec", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minutes"), 60.0),
    **dict.fromkeys(("h", "hours"), 3600.0),
    **dict.fromkeys(("d", "days"), 86400.0),
    **dict.fromkeys(("w", "weeks"), 7 * 86400.0),
}
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_AMOUNT = re.compile(rf"({NUMBER.pattern})\s*([a-z]*)")
_AGO = re.compile(r"-(\d{1,6})(min|m|h|d|w)")
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
MAX_INTEGER = 2**63 - 1


def number(value: Value, fail: Fail) -> float:
    """Read 0.5, 1e6, -3."""
    if not NUMBER.fullmatch(value.text) or not math.isfinite(found := float(value.text)):
        raise fail(value, "must be a number, such as 4 or 0.5")
    return found


def share(value: Value, fail: Fail) -> float:
    """Read 0.95 or 95%."""
    text = value.text.removesuffix("%")
    if not NUMBER.fullmatch(text) or not math.isfinite(found := float(text)):
        raise fail(value, "must be a share, such as 0.95 or 95%")
    return found / 100 if value.text.endswith("%") else found


def seconds(value: Value, fail: Fail) -> float:
    """Read 60, 60s, 2min, 1.5h."""
    match = _AMOUNT.fullmatch(value.text.lower())
    if match is None or match[2] not in ("", *_UNITS_S) or not math.isfinite(found := float(match[1])):
        raise fail(value, "must be a time, such as 60, 90s, 2min or 1.5h")
    return found * _UNITS_S.get(match[2], 1.0)


def flag(value: Value, fail: Fail) -> bool:
    """Read yes or no."""
    text = value.text.lower()
    if text not in ("yes", "no", "true", "false"):
        raise fail(value, "must be yes or no")
    return text in ("yes", "true")


def moment(value: Value, now: datetime, fail: Fail) -> tuple[datetime, datetime]:
    """Read a moment in UTC as the span that it names: a year, a month, a day; -7d and a time of day are instants."""
    text = value.text.lower()
    wish = "must be a moment, such as 2026-11-01, 2026-11-01T18:30, today, yesterday or -7d (seven days ago)"
    if ago := _AGO.fullmatch(text):
        back = timedelta(seconds=int(ago[1]) * _UNITS_S[ago[2]])
        if back > timedelta(days=MAX_DAYS):
            raise fail(value, f"must be at most {MAX_DAYS:,} days ago")
        return now - back, now - back
    try:
        if text in ("today", "yesterday"):
            start = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=text == "yesterday")
            return start, start + timedelta(days=1)
        if day := _DAY.fullmatch(text):
            return _span(int(day[1]), int(day[2]) if day[2] else None, int(day[3]) if day[3] else None)
        at = datetime.fromisoformat(value.text)
    except (ValueError, OverflowError) as error:
        raise fail(value, wish) from error
    if not 1 < at.year < 9999:
        raise fail(value, wish)
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return at, at


def _span(year: int, month: int | None, day: int | None) -> tuple[datetime, datetime]:
    if not 1 < year < 9999:
        raise ValueError(year)
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if day is not None:
        return start, start + timedelta(days=1)
    if month is None:
        return start, start.replace(year=year + 1)
    return start, start.replace(year=year + month // 12, month=month % 12 + 1)
