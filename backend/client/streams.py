"""Long answers, read while they come: files, and predictions line by line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from backend.api import schemas
from backend.api.what_if_models import WhatIfEnd, WhatIfFrame, WhatIfPredicted, WhatIfRecorded, WhatIfStart
from backend.client.errors import ClientError, Refused, Unreachable

READ_TIMEOUT_S = 60.0  # between two pieces


def read_pieces(http: httpx.Client, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
    """Give a file in pieces; nothing is held in memory but the piece.

    Raises:
        Refused: the server answers with a problem.
        Unreachable: it does not answer, or the file was cut off.
    """
    with _opened(http, "GET", path, query=query) as answer:
        yield from answer.iter_bytes()


def read_frames(http: httpx.Client, path: str, body: object) -> Iterator[WhatIfFrame]:
    """Give the lines of predictions as they become known; closing the iterator ends the computation.

    Raises:
        Refused: the server answers with a problem.
        Unreachable: it does not answer, or the answer was cut off.
    """
    is_whole = False
    with _opened(http, "POST", path, body=body) as answer:
        for line in answer.iter_lines():
            frame = WhatIfFrame.model_validate_json(line)
            is_whole = isinstance(frame.root, WhatIfEnd)
            yield frame
    if not is_whole:
        raise Unreachable("The answer was cut off.")


class Predictions:
    """What a run would have been: the recorded figures, and one prediction for each question."""

    def __init__(self, frames: Iterator[WhatIfFrame]) -> None:
        """Read all frames.

        Raises:
            ClientError: nothing, or not everything, was predicted; the sentence says why.
        """
        self.start: WhatIfStart
        self.recorded: WhatIfRecorded
        self.predicted: list[WhatIfPredicted] = []
        for frame in frames:
            one = frame.root
            if isinstance(one, WhatIfStart):
                self.start = one
            elif isinstance(one, WhatIfRecorded):
                self.recorded = one
            elif isinstance(one, WhatIfPredicted):
                self.predicted.append(one)
            elif isinstance(one, WhatIfEnd) and one.detail:
                raise ClientError(one.detail)
        self.predicted.sort(key=lambda one: one.index)

    def ranked(self) -> list[tuple[dict[str, Any], WhatIfPredicted]]:
        """Give the policies that could be predicted with their predictions, the shortest makespan first."""
        known = [one for one in self.predicted if one.figures is not None]
        known.sort(key=lambda one: one.figures.makespan_s if one.figures else 0.0)
        return [(self.start.questions[one.index].policy, one) for one in known]


@contextlib.contextmanager
def _opened(
    http: httpx.Client, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: object = None
) -> Iterator[httpx.Response]:
    """Open an answer that is read inside the block."""
    timeout = httpx.Timeout(http.timeout.connect, read=READ_TIMEOUT_S)
    is_open = False
    try:
        with http.stream(method, path, params=query, json=body, timeout=timeout) as answer:
            if not answer.is_success:
                answer.read()
                if answer.headers.get("content-type", "").startswith("application/problem+json"):
                    raise Refused(schemas.Problem.model_validate_json(answer.content))
                url, status = answer.request.url, answer.status_code
                raise ClientError(f"{url} answered {status}, which no Foresync server does.")
            is_open = True
            yield answer
    except httpx.HTTPError as error:
        what = "The answer was cut off, from" if is_open else "No answer from"
        raise Unreachable(f"{what} {http.base_url}: {error or type(error).__name__}.") from error
