"""The process that computes: reads a run's log from the store, then simulates one policy after the other.

It is told what to do by lines of JSON on its standard input, since a database's URL may hold a password, and says what
it has found line by line on its standard output. It yields the cores to whatever trains, and ends at limits of memory
and computing time that its starter names, or when its input ends. The recording that it has read last is kept: people
ask about one run again and again.
"""

from __future__ import annotations

import math
import os
import resource
import signal
import sys
from dataclasses import asdict
from typing import Any

import orjson

from backend.store import events, runs
from backend.store.database import Database
from backend.what_if.request import Question
from predictor import log
from predictor.errors import LogError, PredictorError
from predictor.spec import read_run
from predictor.what_if import Recording, what_if

NICENESS = 15
EVENTS_PER_READ = 4 * events.CHUNK_EVENTS

KINDS = (
    "RunStarted",
    "RunFinished",
    "RunResumed",
    "WorkerJoined",
    "WorkerLeft",
    "PushArrived",
    "IterationReported",
    "WorkerReleased",
    "AggregateApplied",
    "IterationFinished",
    "ExchangeFinished",
    "Retuned",
)  # all that a recording and its figures look at


def main() -> int:
    """Do what the lines on the standard input say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this
    os.nice(NICENESS)
    worker = _Worker()
    try:
        for line in iter(sys.stdin.buffer.readline, b""):
            order: dict[str, Any] = orjson.loads(line)
            _limit(order)
            if not worker.carry_out(order):
                return 0
            _say({"type": "done"})
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > order["kept_bytes"]:
                return 0
    except BrokenPipeError:  # nobody listens any more
        return 1
    return 0


def _limit(order: dict[str, Any]) -> None:
    """Bound the memory of the process, and the computing time of this order."""
    resource.setrlimit(resource.RLIMIT_AS, (order["max_bytes"], order["max_bytes"]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + order["max_cpu_s"], hard))


class _Worker:
    """What is kept from one order to the next."""

    def __init__(self) -> None:
        self._key: tuple[str, str, int] | None = None  # of the recording: database, run, last seq
        self._recording = Recording()

    def carry_out(self, order: dict[str, Any]) -> bool:
        """Say what was asked for; False where there is too little memory to go on with another order."""
        try:
            self._work(order)
        except LogError as error:
            _say({"type": "failed", "detail": f"The run cannot be simulated: {error}."})
        except MemoryError:
            wish = "The run is too long to be simulated in the memory that is allowed for it."
            _say({"type": "failed", "detail": wish})
            return False
        return True

    def _work(self, order: dict[str, Any]) -> None:
        key = order["database_url"], order["run_id"], order["last_seq"]
        if key != self._key:
            self._key, self._recording = None, Recording()  # two at once may be too much
            self._recording = _read(*key)
            self._key = key
        recording = self._recording
        questions = [Question(**one) for one in order["questions"]]
        recording.scenario(*questions[0].params())  # what is missing in the recording is said once
        figures = asdict(recording.figures())
        _say({"type": "recorded", "label": recording.label, "figures": figures, "notes": recording.notes()})
        for question in questions:
            _say({"type": "predicted", "question": asdict(question), **_predict(recording, question)})


def _read(database_url: str, run_id: str, last_seq: int) -> Recording:
    database = Database(database_url)
    reached, is_end = 0, False
    try:
        with database.read() as session:
            recording = Recording(read_run(runs.get(session, run_id).spec))
        while reached < last_seq and not is_end:
            with database.read() as session:
                page = events.read(session, run_id, reached, EVENTS_PER_READ, KINDS)
            for line in page.lines:
                seq, event = log.decode(line)
                if seq <= last_seq:
                    recording.update(event)
            reached, is_end = page.last_seq, page.is_end
            _say({"type": "read", "share": min(1.0, reached / last_seq)})
    finally:
        database.close()
    return recording


def _predict(recording: Recording, question: Question) -> dict[str, Any]:
    policy, forecaster = question.params()
    try:
        answer = what_if(recording, policy, forecaster)
    except PredictorError as error:
        return {"figures": None, "num_extrapolated": 0, "notes": [], "problem": f"It cannot be predicted: {error}."}
    except MemoryError:
        wish = "It cannot be predicted: the simulation needs more memory than is allowed for it."
        return {"figures": None, "num_extrapolated": 0, "notes": [], "problem": wish}
    own = answer.notes[len(recording.notes()) :]  # what is said of the recording is said once
    return {
        "figures": asdict(answer.predicted),
        "num_extrapolated": answer.num_extrapolated,
        "notes": list(own),
        "problem": None,
    }


def _say(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
