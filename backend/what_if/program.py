"""The process that computes: reads a run's log from the store, then simulates one policy after the other.

It is told what to do by one line of JSON on its standard input, since a database's URL may hold a password, and says
what it has found line by line on its standard output. It yields the cores to whatever trains, and ends at limits of
memory and computing time that its starter names.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import asdict
from typing import Any

import orjson

from backend.store import events
from backend.store.database import Database
from backend.what_if.request import Question
from predictor import log
from predictor.errors import LogError, PredictorError
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
    """Do what the line on the standard input says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this
    order: dict[str, Any] = orjson.loads(sys.stdin.buffer.readline())
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (order["max_bytes"], order["max_bytes"]))
    resource.setrlimit(resource.RLIMIT_CPU, (order["max_cpu_s"], order["max_cpu_s"] + 5))
    try:
        _work(order)
    except LogError as error:
        _say({"type": "failed", "detail": f"The run cannot be simulated: {error}."})
    except MemoryError:
        _say({"type": "failed", "detail": "The run is too long to be simulated in the memory that is allowed for it."})
    except BrokenPipeError:  # nobody listens any more
        return 1
    return 0


def _work(order: dict[str, Any]) -> None:
    recording = _read(order["database_url"], order["run_id"], order["last_seq"])
    questions = [Question(**one) for one in order["questions"]]
    recording.scenario(*questions[0].params())  # what is missing in the recording is said once, not for each policy
    figures = asdict(recording.figures())
    _say({"type": "recorded", "label": recording.label, "figures": figures, "notes": recording.notes()})
    for question in questions:
        _say({"type": "predicted", "question": asdict(question), **_predict(recording, question)})


def _read(database_url: str, run_id: str, last_seq: int) -> Recording:
    database = Database(database_url)
    recording = Recording()
    reached, is_end = 0, False
    try:
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
