"""A run's timeline in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open.

One process for what happened, one thread for each node: its slices are computing, waiting and transfer. Two more
threads of each worker hold its messages up and down, and arrows lead from a push to the server and from its release
to the weights. A process of its own holds what was predicted. Times are microseconds since the start of the run.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from backend.export.source import Source, read_events
from backend.export.write import wrap_json
from backend.version import VERSION

Trace = dict[str, Any]

_RUN, _PREDICTED = 1, 2  # processes
_SERVER = 1  # threads: the server, then three for each worker
_UP, _DOWN = 1, 2  # of a worker's threads, beside its own
_KINDS = (
    "WorkerJoined",
    "WorkerLeft",
    "IterationFinished",
    "ExchangeFinished",
    "PushArrived",
    "IterationReported",
    "WorkerReleased",
    "AggregateApplied",
    "ForecastUpdated",
    "SyncPlanned",
    "EvaluationFinished",
    "TargetReached",
    "RunResumed",
    "RunFinished",
)


def write_trace(source: Source) -> Iterator[bytes]:
    """Give the trace as JSON, made from one pass over the log."""
    run = source.run
    said = {
        "run_id": run["id"],
        "run": run["name"],
        "policy": run["spec"]["policy"],
        "times": "simulated" if run["is_simulated"] else "measured",
        "foresync": VERSION,
    }
    events = map(orjson.dumps, _Fold(run).trace(source))
    return wrap_json(events, {"displayTimeUnit": "ms", "otherData": said}, "traceEvents")


class _Fold:
    """Events of the log to events of the trace; remembers who waits, and which threads have a name."""

    def __init__(self, run: dict[str, Any]) -> None:
        self._run = run
        self._waiting: set[int] = set()
        self._named: set[int] = set()
        self._used_to_s: dict[int, float] = {}  # thread of messages -> end of its last slice

    def trace(self, source: Source) -> Iterator[Trace]:
        yield from self._names()
        for event in read_events(source, _KINDS):
            worker = event.get("worker")
            if worker is not None and worker not in self._named:
                self._named.add(worker)
                yield _name("thread_name", _RUN, _thread(worker), f"worker {worker}")
                yield _name("thread_name", _RUN, _thread(worker) + _UP, f"worker {worker}: pushes")
                yield _name("thread_name", _RUN, _thread(worker) + _DOWN, f"worker {worker}: weights")
                yield from (_order(thread, thread) for thread in range(_thread(worker), _thread(worker) + 3))
            yield from _TAKE[event["kind"]](self, event)

    def _names(self) -> Iterator[Trace]:
        times = "simulated" if self._run["is_simulated"] else "measured"
        yield _name("process_name", _RUN, 0, f"{self._run['name']} ({times})")
        yield _name("process_name", _PREDICTED, 0, "predicted by the run itself")
        yield {"ph": "M", "name": "process_sort_index", "pid": _PREDICTED, "tid": 0, "args": {"sort_index": 2}}
        yield _name("thread_name", _RUN, _SERVER, "server")
        yield _order(_SERVER, 1)

    # ---- one method for each kind of event ---------------------------------------------------------------

    def _iterated(self, event: dict[str, Any]) -> Iterator[Trace]:
        thread, start_s, end_s = _thread(event["worker"]), event["started_at_s"], event["at_s"]
        is_real = event["num_samples"] > 0
        args = {name: event[name] for name in ("iteration", "epoch", "compute_s", "target_s", "overlapped_s")}
        args |= {"loss": event["loss"]} if is_real else {}
        yield _slice("compute", thread, start_s, end_s, args)
        if event["overlapped_s"] > 0:
            yield _slice("local training while a push travels", thread, start_s, start_s + event["overlapped_s"])
        if is_real and event["loss"] is not None:
            yield _counter("training", end_s, {"loss": event["loss"]})

    def _exchanged(self, event: dict[str, Any]) -> Iterator[Trace]:
        worker, from_s, end_s = event["worker"], event["blocked_from_s"], event["at_s"]
        sent_s, arrived_s, released_s = event["sent_at_s"], event["arrived_at_s"], event["released_at_s"]
        if from_s is not None:
            stops = [from_s, max(from_s, arrived_s), max(from_s, arrived_s, released_s), max(from_s, end_s)]
            for name, (start_s, stop_s) in zip(
                ("transfer", "wait", "transfer"), itertools.pairwise(stops), strict=True
            ):
                if stop_s > start_s:
                    yield _slice(name, _thread(worker), start_s, stop_s, {"iteration": event["iteration"]})
        args = {
            name: event[name]
            for name in ("iteration", "version", "sent_at_s", "released_at_s", "sent_bytes", "received_bytes")
        }
        up, down = _thread(worker) + _UP, _thread(worker) + _DOWN
        if event["iteration"] > 0 and arrived_s >= sent_s:
            sent_s = self._free_from(up, sent_s, arrived_s)
            yield _slice(f"push {event['iteration']}", up, sent_s, arrived_s, args)
            yield _touch(f"push of worker {worker}", arrived_s)
            yield from _arrow(2 * event["seq"], (up, sent_s), (_SERVER, arrived_s))
        from_s = self._free_from(down, released_s, end_s)
        yield _slice(f"weights {event['version']}", down, from_s, end_s, args)
        yield _touch(f"release of worker {worker}", released_s)
        yield from _arrow(2 * event["seq"] + 1, (_SERVER, released_s), (down, from_s))

    def _free_from(self, thread: int, start_s: float, end_s: float) -> float:
        """Give where the slice of a message may start: behind the one before it, since slices must not overlap."""
        start_s = min(max(start_s, self._used_to_s.get(thread, 0.0)), max(start_s, end_s))
        self._used_to_s[thread] = max(self._used_to_s.get(thread, 0.0), end_s)
        return start_s

    def _pushed(self, event: dict[str, Any]) -> Iterator[Trace]:
        if event["is_blocking"]:
            yield from self._wait(event["worker"], True, event["at_s"])

    def _reported(self, event: dict[str, Any]) -> Iterator[Trace]:
        if event["is_waiting"]:
            yield from self._wait(event["worker"], True, event["at_s"])

    def _released(self, event: dict[str, Any]) -> Iterator[Trace]:
        yield from self._wait(event["worker"], False, event["at_s"])

    def _left(self, event: dict[str, Any]) -> Iterator[Trace]:
        yield _instant(f"left: {event['reason']}", _thread(event["worker"]), event["at_s"])
        yield from self._wait(event["worker"], False, event["at_s"])

    def _wait(self, worker: int, is_waiting: bool, at_s: float) -> Iterator[Trace]:
        before = len(self._waiting)
        (self._waiting.add if is_waiting else self._waiting.discard)(worker)
        if len(self._waiting) != before:
            yield _counter("waiting", at_s, {"workers": len(self._waiting)})

    def _joined(self, event: dict[str, Any]) -> Iterator[Trace]:
        yield _instant("joined", _thread(event["worker"]), event["at_s"])

    def _applied(self, event: dict[str, Any]) -> Iterator[Trace]:
        parts = event["contributions"]
        args = {
            "version": event["version"],
            "workers": [part["worker"] for part in parts],
            "staleness": [part["staleness"] for part in parts],
            "reason": event["reason"],
        }
        yield _instant("synchronisation", _SERVER, event["at_s"], args)

    def _forecast(self, event: dict[str, Any]) -> Iterator[Trace]:
        name = f"worker {event['worker']}: end of the iteration"
        args = {"iteration": event["iteration"], "expected_at_s": event["expected_at_s"], "window": "5% to 95%"}
        yield from _window(name, event["seq"], event["low_at_s"], event["high_at_s"], args)

    def _planned(self, event: dict[str, Any]) -> Iterator[Trace]:
        args = {"version": event["version"], "cut_at_s": event["cut_at_s"], "reason": event["reason"]}
        yield from _window("synchronisation", event["seq"], event["low_at_s"], event["high_at_s"], args)

    def _evaluated(self, event: dict[str, Any]) -> Iterator[Trace]:
        for name in ("loss", "accuracy"):  # a counter's name is shown before that of its value
            if event[name] is not None:
                yield _counter("held-back", event["snapshot_at_s"], {name: event[name]})

    def _reached(self, event: dict[str, Any]) -> Iterator[Trace]:
        yield _instant(f"target reached: {event['metric']} {event['value']:g}", _SERVER, event["at_s"], scope="p")

    def _resumed(self, event: dict[str, Any]) -> Iterator[Trace]:
        self._waiting.clear()
        yield _instant("resumed", _SERVER, event["at_s"], scope="p")

    def _finished(self, event: dict[str, Any]) -> Iterator[Trace]:
        yield _instant(event["outcome"], _SERVER, event["at_s"], {"reason": event["reason"]}, "p")


_TAKE: dict[str, Callable[[_Fold, dict[str, Any]], Iterator[Trace]]] = {
    "WorkerJoined": _Fold._joined,
    "WorkerLeft": _Fold._left,
    "IterationFinished": _Fold._iterated,
    "ExchangeFinished": _Fold._exchanged,
    "PushArrived": _Fold._pushed,
    "IterationReported": _Fold._reported,
    "WorkerReleased": _Fold._released,
    "AggregateApplied": _Fold._applied,
    "ForecastUpdated": _Fold._forecast,
    "SyncPlanned": _Fold._planned,
    "EvaluationFinished": _Fold._evaluated,
    "TargetReached": _Fold._reached,
    "RunResumed": _Fold._resumed,
    "RunFinished": _Fold._finished,
}
assert set(_TAKE) == set(_KINDS)


# ---- events of the trace ---------------------------------------------------------------------------------


def _thread(worker: int) -> int:
    return 3 * worker + 10


def _us(at_s: float) -> int:
    return round(at_s * 1e6)


def _name(kind: str, process: int, thread: int, name: str) -> Trace:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _order(thread: int, rank: int) -> Trace:
    return {"ph": "M", "name": "thread_sort_index", "pid": _RUN, "tid": thread, "args": {"sort_index": rank}}


def _slice(name: str, thread: int, start_s: float, end_s: float, args: dict[str, Any] | None = None) -> Trace:
    start_us = _us(start_s)
    length_us = max(0, _us(end_s) - start_us)
    made = {"ph": "X", "name": name, "pid": _RUN, "tid": thread, "ts": start_us, "dur": length_us}
    return made | {"args": args} if args else made


def _instant(name: str, thread: int, at_s: float, args: dict[str, Any] | None = None, scope: str = "t") -> Trace:
    made = {"ph": "i", "name": name, "pid": _RUN, "tid": thread, "ts": _us(at_s), "s": scope}
    return made | {"args": args} if args else made


def _counter(name: str, at_s: float, values: dict[str, float]) -> Trace:
    return {"ph": "C", "name": name, "pid": _RUN, "tid": 0, "ts": _us(at_s), "args": values}


def _window(name: str, seq: int, low_s: float, high_s: float, args: dict[str, Any]) -> Iterator[Trace]:
    """Give a predicted window; windows of one name may overlap, so they are no slices of a thread."""
    common = {"cat": "predicted", "name": name, "id2": {"local": hex(seq)}, "pid": _PREDICTED, "tid": 0}
    yield {"ph": "b", **common, "ts": _us(low_s), "args": args}
    yield {"ph": "e", **common, "ts": max(_us(low_s), _us(high_s))}


def _touch(name: str, at_s: float) -> Trace:
    """Give a moment of the server that arrows can lead to: a slice of a microsecond."""
    return {"ph": "X", "name": name, "pid": _RUN, "tid": _SERVER, "ts": _us(at_s), "dur": 1}


def _arrow(id: int, start: tuple[int, float], end: tuple[int, float]) -> Iterator[Trace]:
    """Give an arrow from a thread and a time to another; each lies at the start of a slice."""
    common = {"cat": "message", "name": "message", "id": id, "pid": _RUN}
    yield {"ph": "s", **common, "tid": start[0], "ts": _us(start[1])}
    yield {"ph": "f", **common, "tid": end[0], "ts": _us(end[1]), "bp": "e"}
