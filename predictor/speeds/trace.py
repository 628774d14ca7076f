"""Replay of recorded times: a CSV with a column `iteration` and then one column for each worker.

Values are multiples of a base time, > 0. A worker takes the column of its number; columns are used again
where there are more workers, and rows where there are more iterations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from predictor.errors import Complaint, SpecError
from predictor.params import STRICT, param
from predictor.speeds.base import ReadText

_FIELD = "speed.path"


@dataclass(frozen=True)
class TraceParams:
    """Recorded times of a real cluster, from a CSV file."""

    __pydantic_config__ = STRICT

    path: Annotated[
        str, param("CSV file on the machine that trains: iteration, then one column for each worker.", min_length=1)
    ]
    kind: Literal["trace"] = "trace"
    base_s: Annotated[float, param("Seconds that a 1 in the file stands for.", unit="s", gt=0, le=3600)] = 0.05

    def build(self, worker: int, num_workers: int, seed: int, read_text: ReadText) -> Trace:
        try:
            text = read_text(self.path)
        except (OSError, UnicodeError) as error:
            detail = getattr(error, "strerror", None) or str(error)
            raise SpecError([Complaint(_FIELD, self.path, f"must name a readable CSV file ({detail})")]) from error
        rows = parse_trace(text, self.path)
        return Trace([self.base_s * row[worker % len(row)] for row in rows])


@dataclass(frozen=True)
class Trace:
    """See `TraceParams`."""

    durations_s: Sequence[float]  # of iterations 0, 1, ...; at least one

    def duration_s(self, iteration: int, at_s: float) -> float:
        return self.durations_s[iteration % len(self.durations_s)]


def parse_trace(text: str, path: str) -> list[list[float]]:
    """Read a trace: one row for each iteration, one value for each worker.

    Args:
        text: the content of the file.
        path: its name, for complaints only.

    Raises:
        SpecError: names the file, the line and the value that is wrong.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    if len(names) < 2 or names[0] != "iteration":
        raise _error(path, 1, "the names iteration, worker_0, ...", ",".join(names))
    rows = []
    for line, text_of_line in enumerate(lines[1:], 2):
        values = text_of_line.split(",")
        if not text_of_line.strip():
            continue
        if len(values) != len(names):
            raise _error(path, line, f"{len(names)} values", f"{len(values)} values")
        rows.append([_value(path, line, name, value) for name, value in zip(names, values, strict=True)][1:])
    if not rows:
        raise _error(path, 2, "the first iteration", "nothing")
    return rows


def _value(path: str, line: int, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _error(path, line, f"a number as {name}", text) from None
    if name == "iteration" or 0 < value < math.inf:
        return value
    raise _error(path, line, f"a number > 0 as {name}", text)


def _error(path: str, line: int, wish: str, found: str) -> SpecError:
    return SpecError([Complaint(_FIELD, path, f"must hold {wish} in line {line} (there is {found!r})")])
