"""Where predictions are asked for: one process computes at a time, its answers are kept, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field

from backend.errors import ExecutorError
from backend.what_if.helper import Frame, Helper, HelperEnded
from backend.what_if.request import Question

MAX_RUNS = 100  # whose answers are kept
MAX_ANSWERS = 500  # of one run
MAX_WAITING = 8  # requests that wait for the one that computes
MAX_CPU_S = 600  # of one request
MAX_BYTES = 4 * 2**30
KEPT_BYTES = 2**30  # of memory; a process that has needed more is not kept

_RECORDED = b"recorded"  # among the keys of questions that were answered


@dataclass(slots=True)
class _Kept:
    """What is known of one run up to one seq."""

    recorded: Frame | None = None
    answers: OrderedDict[bytes, Frame] = field(default_factory=OrderedDict)


class Desk:
    """For one event loop."""

    def __init__(
        self, command: Sequence[str] = (sys.executable, "-m", "backend.what_if.program"), max_cpu_s: int = MAX_CPU_S
    ) -> None:
        self._helper = Helper(command)
        self._max_cpu_s = max_cpu_s
        self._kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
        self._computing = asyncio.Lock()
        self._num_waiting = 0

    async def ask(
        self, database_url: str, run_id: str, last_seq: int, questions: Sequence[Question]
    ) -> AsyncGenerator[Frame]:
        """Give what is known, as it becomes known.

        Frames by `type`: `waiting` (another one computes), `reading` (with the `share` that is read), `recorded`,
        `predicted` (with the `index` of its question), `predicting` (time passes), `failed` (nothing follows).

        Raises:
            ExecutorError: too many wait already.
        """
        kept = self._keep(run_id, last_seq)
        told: set[bytes] = set()
        for frame in _news(kept, questions, told):
            yield frame
        if len(told) > len(questions):
            return
        if self._num_waiting >= MAX_WAITING:
            wish = "try again later"
            raise ExecutorError(f"{MAX_WAITING} predictions wait already for the one that is computed; {wish}.")
        self._num_waiting += 1
        try:
            if self._computing.locked():
                yield {"type": "waiting"}
            await self._computing.acquire()
        finally:
            self._num_waiting -= 1
        try:
            for frame in _news(kept, questions, told):  # perhaps those before have asked the same
                yield frame
            left = [question for question in questions if question.key not in told]
            if left:
                async with contextlib.aclosing(self._compute(database_url, run_id, last_seq, left)) as frames:
                    async for frame in frames:
                        if not _take(kept, frame):
                            yield frame
                        for fresh in _news(kept, questions, told):
                            yield fresh
        finally:
            self._computing.release()

    async def close(self) -> None:
        """End the process that computes."""
        await self._helper.close()

    def _keep(self, run_id: str, last_seq: int) -> _Kept:
        kept = self._kept.setdefault((run_id, last_seq), _Kept())
        self._kept.move_to_end((run_id, last_seq))
        while len(self._kept) > MAX_RUNS:
            self._kept.popitem(last=False)
        return kept

    async def _compute(
        self, database_url: str, run_id: str, last_seq: int, questions: Sequence[Question]
    ) -> AsyncGenerator[Frame]:
        order = {
            "database_url": database_url,
            "run_id": run_id,
            "last_seq": last_seq,
            "questions": [{"policy": one.policy, "forecaster": one.forecaster} for one in questions],
            "max_cpu_s": self._max_cpu_s,
            "max_bytes": MAX_BYTES,
            "kept_bytes": KEPT_BYTES,
        }
        last = "reading"
        try:
            async with contextlib.aclosing(self._helper.work(order)) as frames:
                async for frame in frames:
                    if frame is None:
                        yield {"type": last}
                        continue
                    if frame["type"] in ("recorded", "predicted"):
                        last = "predicting"
                    yield {"type": "reading", "share": frame["share"]} if frame["type"] == "read" else frame
        except HelperEnded as error:
            yield {"type": "failed", "detail": self._ending(error.code)}

    def _ending(self, code: int) -> str:
        if -code in (24, 9):  # SIGXCPU; SIGKILL follows where that was not enough, or memory ran out
            return (
                f"The computation was ended: it took more than {self._max_cpu_s} s of computing, or the machine had no "
                "memory for it. Ask for fewer policies at once, or for a shorter run."
            )
        return f"The process that predicts ended with exit code {code}."


def _take(kept: _Kept, frame: Frame) -> bool:
    """Keep what a frame tells; False where it only tells how far things are."""
    if frame["type"] == "recorded":
        kept.recorded = frame
    elif frame["type"] == "predicted":
        kept.answers[Question(**frame["question"]).key] = {key: one for key, one in frame.items() if key != "question"}
        while len(kept.answers) > MAX_ANSWERS:
            kept.answers.popitem(last=False)
    else:
        return False
    return True


def _news(kept: _Kept, questions: Sequence[Question], told: set[bytes]) -> Iterator[Frame]:
    """Give what is known and was not told, the recorded figures first; say in `told` that it was."""
    if kept.recorded is None:
        return
    if _RECORDED not in told:
        told.add(_RECORDED)
        yield kept.recorded
    for index, question in enumerate(questions):
        if question.key in kept.answers and question.key not in told:
            told.add(question.key)
            yield kept.answers[question.key] | {"index": index}
