"""The accounting of a run, folded event by event: where the workers' time went, and for whom they waited.

Two streams are joined here: the workers tell when they computed and when weights landed, the gate tells why it held
and released. Either may reach the log a little before the other; a wait whose reasons the gate has not told yet is
kept (`_undecided`) until it has. Memory does not grow with the length of a run, time does: O(1) for most events,
O(workers) where somebody is held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from predictor.accounting.blame import Blame, Charge
from predictor.accounting.counts import Counts
from predictor.accounting.judgement import Judgement
from predictor.accounting.ledger import Boundary, Fields, Ledger
from predictor.accounting.parts import PART_KEYS, UNSAID
from predictor.accounting.traffic import Traffic
from predictor.accounting.waits import Waits
from predictor.accounting.work import Work

Undecided = tuple[int, float, float, float]  # the worker that waited, from, to, the release that ended it


class Account:
    """The fold. Feed it the events of one run in the order of their seqs, and read `report` whenever you like."""

    def __init__(self) -> None:
        self._ledgers: dict[int, Ledger] = {}
        self._blame, self._waits = Blame(), Waits()
        self._undecided: list[Undecided] = []
        self._work, self._judgement, self._traffic = Work(), Judgement(), Traffic()
        self._staleness, self._lead = Counts(), Counts()
        self._stale: dict[int, list[int]] = {}  # worker -> sum of staleness, number
        self._clocks: dict[int, int] = {}  # of the members
        self._num_evaluations, self._evaluation_s = 0, 0.0
        self._newest_s = 0.0
        self.num_events = 0
        self.is_simulated: bool | None = None  # not told yet
        self.is_finished = False

    def update(self, event: Fields) -> None:
        """Take in the next event, as plain data: a line of the log, decoded."""
        take = _TAKE.get(event["kind"])
        self.num_events += 1
        if take:
            take(self, event)
        at_s = event["at_s"]
        self._newest_s = max(self._newest_s, at_s)

    def report(self) -> dict[str, Any]:
        """Give the account so far, as plain data (`backend.api.account_models.Account`, without its words)."""
        waits = self._waits.copy()
        undecided: dict[int, list[tuple[float, float, float]]] = {}
        for worker, from_s, to_s, released_s in self._undecided:
            undecided.setdefault(worker, []).append((from_s, to_s, released_s))
        ledgers = [ledger for _, ledger in sorted(self._ledgers.items()) if ledger.joined_at_s is not None]
        rows = [self._row(ledger, waits, undecided.get(ledger.worker, [])) for ledger in ledgers]
        caused_s = waits.caused_s()
        for row in rows:
            row["wait_kinds"] = waits.kinds(row["worker"])
            row["caused_s"] = caused_s.get(row["worker"], 0.0)
        workers = sorted({row["worker"] for row in rows} | caused_s.keys())
        unfinished_s = sum(row["parts"]["unfinished"] for row in rows)
        return {
            "is_simulated": bool(self.is_simulated),
            "is_finished": self.is_finished,
            "until_s": self._newest_s,
            "num_events": self.num_events,
            "workers": rows,
            "total": _total(rows),
            "waits_for": waits.matrix(workers),
            "sentences": waits.sentences(),
            "critical": waits.critical(),
            "staleness": self._staleness.report(),
            "lead": self._lead.report(),
            "work": self._work.report(unfinished_s),
            "bytes": self._traffic.report(self._ledgers.values()),
            "evaluations": {"num": self._num_evaluations, "seconds": self._evaluation_s},
            "predictions": self._judgement.report(),
        }

    def _row(self, ledger: Ledger, waits: Waits, undecided: list[tuple[float, float, float]]) -> dict[str, Any]:
        """Give one worker's row, with what has begun and not ended; its waits are charged to `waits`."""
        parts, unaccounted_s, booked_s = ledger.parts.copy(), ledger.unaccounted_s, ledger.booked_s
        for from_s, to_s, _ in undecided:
            parts["wait"] += to_s - from_s
            waits.charge(ledger.worker, Charge(from_s, to_s, "", UNSAID, ()))
        for part, from_s, to_s in ledger.rest(self._newest_s):
            unaccounted_s += from_s - booked_s
            parts[part] += to_s - from_s
            booked_s = to_s
            if part == "wait":
                for charge in self._blame.explain_open(ledger.worker, from_s, to_s):
                    waits.charge(ledger.worker, charge)
        staleness, num = self._stale.get(ledger.worker, (0, 0))
        return {
            "worker": ledger.worker,
            "num_lives": ledger.num_lives,
            "is_there": ledger.is_there,
            "wall_s": ledger.wall_s(self._newest_s),
            "parts": parts,
            "unaccounted_s": unaccounted_s,
            "num_iterations": ledger.num_iterations,
            "mean_staleness": staleness / num if num else None,
            "forecasts": self._judgement.of_worker(ledger.worker),
        }

    # ---- the workers' streams -----------------------------------------------------------------------------

    def _ledger(self, worker: int) -> Ledger:
        ledger = self._ledgers.get(worker)
        if ledger is None:
            ledger = self._ledgers[worker] = Ledger(worker)
        return ledger

    def _iterated(self, event: Fields) -> None:
        ledger = self._ledger(event["worker"])
        if not ledger.is_there and ledger.is_early(event["started_at_s"]):
            ledger.early.append(event)
            return
        ledger.book_iteration(event)
        self._work.step(event["at_s"], event["compute_s"])

    def _exchanged(self, event: Fields) -> None:
        ledger = self._ledger(event["worker"])
        from_s, released_s = event["blocked_from_s"], event["released_at_s"]
        if not ledger.is_there and ledger.is_early(event["at_s"] if from_s is None else from_s):
            ledger.early.append(event)
            return
        ledger.sent_bytes += event["sent_bytes"]
        ledger.received_bytes += event["received_bytes"]
        held = None if from_s is None else ledger.book_exchange(event)
        if held is None:
            self._blame.skip(ledger.worker, released_s)
        elif self._blame.is_known(ledger.worker, released_s):
            self._decide(ledger, *held, released_s)
        else:
            self._undecided.append((ledger.worker, *held, released_s))
            self._pass_over(ledger, *held)
        if from_s is not None:
            ledger.book("down", ledger.booked_s, event["at_s"])

    def _pass_over(self, ledger: Ledger, from_s: float, to_s: float) -> None:
        """Leave room for a wait that is booked once its reasons are told."""
        if from_s > ledger.booked_s:
            ledger.unaccounted_s += from_s - ledger.booked_s
        ledger.booked_s = to_s

    def _decide(self, ledger: Ledger, from_s: float, to_s: float, released_s: float) -> None:
        """Book a wait: as waiting for others, or as the server's own time."""
        charges = self._blame.explain(ledger.worker, from_s, to_s, released_s)
        ledger.book("wait" if charges else "server", from_s, to_s)
        for charge in charges:
            self._waits.charge(ledger.worker, charge)

    def _decide_late(self, until_s: float) -> None:
        """Book the waits whose reasons have been told by now."""
        waiting, self._undecided = self._undecided, []
        for worker, from_s, to_s, released_s in waiting:
            if released_s >= until_s and not self._blame.is_known(worker, released_s):
                self._undecided.append((worker, from_s, to_s, released_s))
                continue
            charges = self._blame.explain(worker, from_s, to_s, released_s)
            self._ledgers[worker].parts["wait" if charges else "server"] += to_s - from_s
            for charge in charges:
                self._waits.charge(worker, charge)

    # ---- the gate's stream --------------------------------------------------------------------------------

    def _hear(self, event: Fields, worker: int | None = None, *, has_arrived: bool = False) -> None:
        self._blame.hear(event["at_s"], worker, has_arrived=has_arrived)
        if self._undecided:
            self._decide_late(event["at_s"])

    def _other_stimulus(self, event: Fields) -> None:
        self._hear(event)

    def _pushed(self, event: Fields) -> None:
        worker, iteration = event["worker"], event["iteration"]
        self._reached(event, worker, is_push=True, is_waiting=event["is_blocking"])
        self._work.reach(worker, event["compute_s"], (iteration, event["num_iterations"]))
        clocks = self._clocks
        clocks[worker] = iteration
        self._lead.add(iteration - min(clocks.values()))

    def _reported(self, event: Fields) -> None:
        worker = event["worker"]
        self._reached(event, worker, is_push=False, is_waiting=event["is_waiting"])
        self._work.reach(worker, event["compute_s"], None)

    def _reached(self, event: Fields, worker: int, *, is_push: bool, is_waiting: bool) -> None:
        self._hear(event, worker, has_arrived=is_push)
        ended_s = event["ended_at_s"]
        self._ledger(worker).boundary = Boundary(ended_s, event["at_s"], is_push, is_waiting)
        self._judgement.end(worker, event["iteration"], ended_s)

    def _released(self, event: Fields) -> None:
        worker, at_s = event["worker"], event["at_s"]
        self._blame.release(worker, at_s, event["reason"])
        boundary = self._ledger(worker).boundary
        if boundary and boundary.released_at_s is None:
            boundary.released_at_s = at_s

    def _held(self, event: Fields) -> None:
        self._blame.hold(event["worker"], event["at_s"], event["reason"], event["waits_for"])

    def _applied(self, event: Fields) -> None:
        for one in event["contributions"]:
            worker, staleness = one["worker"], one["staleness"]
            self._staleness.add(staleness)
            mine = self._stale.get(worker)
            if mine is None:
                mine = self._stale[worker] = [0, 0]
            mine[0] += staleness
            mine[1] += 1
            self._work.apply(worker, one["iteration"], one["num_iterations"])
        self._judgement.synchronise(event["version"], event["at_s"])

    def _discarded(self, event: Fields) -> None:
        self._work.discard(event["worker"], event["iteration"])

    def _planned(self, event: Fields) -> None:
        self._judgement.plan(event["version"], (event["cut_at_s"], event["low_at_s"], event["high_at_s"]))

    def _forecast(self, event: Fields) -> None:
        window = event["expected_at_s"], event["low_at_s"], event["high_at_s"]
        self._judgement.expect(event["worker"], event["iteration"], event["started_at_s"], window)

    # ---- lives --------------------------------------------------------------------------------------------

    def _joined(self, event: Fields) -> None:
        worker, at_s = event["worker"], event["at_s"]
        self._hear(event, worker)
        ledger = self._ledger(worker)
        self._close(ledger)
        self._blame.forget(worker)
        ledger.join(at_s)
        self._clocks[worker] = event["iteration"]
        self._judgement.join(worker, event["iteration"])
        early, ledger.early = ledger.early, []
        for told in early:
            self._iterated(told) if told["kind"] == "IterationFinished" else self._exchanged(told)

    def _left(self, event: Fields) -> None:
        worker = event["worker"]
        self._hear(event, worker, has_arrived=True)
        self._blame.leave(worker, event["at_s"])
        self._ledger(worker).leave(event["at_s"], event["reason"])
        self._work.leave(worker)
        self._clocks.pop(worker, None)

    def _close(self, ledger: Ledger) -> None:
        """Book what had begun in a life and was not ended by its end."""
        for part, from_s, to_s in list(ledger.rest(self._newest_s)):
            if part == "wait":
                for charge in self._blame.explain_open(ledger.worker, from_s, to_s):
                    self._waits.charge(ledger.worker, charge)
            ledger.book(part, from_s, to_s)

    def _end_lives(self) -> None:
        """End what the log does not say to have ended: whoever would have written it is dead."""
        for ledger in self._ledgers.values():
            if ledger.is_there:
                self._blame.leave(ledger.worker, self._newest_s)
                ledger.leave(self._newest_s, "stopped")
        self._clocks.clear()
        self._decide_late(float("inf"))
        self._work.end()

    def _started(self, event: Fields) -> None:
        self.is_simulated, self.is_finished = event["is_simulated"], False
        self._end_lives()
        for ledger in self._ledgers.values():
            self._close(ledger)
            ledger.restarted_at_s = event["at_s"]
        self._judgement.restart()
        self._traffic.restart()

    def _resumed(self, event: Fields) -> None:
        self._hear(event)
        self._work.resume(event["clocks"])

    def _finished(self, _: Fields) -> None:
        self._end_lives()
        self.is_finished = True

    # ---- what was measured --------------------------------------------------------------------------------

    def _evaluated(self, event: Fields) -> None:
        self._num_evaluations += 1
        self._evaluation_s += event["at_s"] - event["snapshot_at_s"]
        self._work.evaluate(event["snapshot_at_s"])

    def _reached_target(self, event: Fields) -> None:
        self._work.reach_target(event["at_s"])

    def _sampled(self, event: Fields) -> None:
        self._traffic.sample(event["node"], event["sent_bytes"], event["received_bytes"])


_TAKE: dict[str, Callable[[Account, Fields], None]] = {
    "RunStarted": Account._started,
    "RunResumed": Account._resumed,
    "RunFinished": Account._finished,
    "WorkerJoined": Account._joined,
    "WorkerLeft": Account._left,
    "PushArrived": Account._pushed,
    "IterationReported": Account._reported,
    "DeadlinePassed": Account._other_stimulus,
    "Retuned": Account._other_stimulus,
    "WorkerReleased": Account._released,
    "WorkerHeld": Account._held,
    "AggregateApplied": Account._applied,
    "PushDiscarded": Account._discarded,
    "SyncPlanned": Account._planned,
    "ForecastUpdated": Account._forecast,
    "IterationFinished": Account._iterated,
    "ExchangeFinished": Account._exchanged,
    "EvaluationFinished": Account._evaluated,
    "TargetReached": Account._reached_target,
    "NodeSampled": Account._sampled,
}
KINDS = tuple(_TAKE)  # of events that count here; the others need not be read


def _total(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the sums over all workers."""
    kinds: dict[str, float] = {}
    for row in rows:
        for kind, seconds in row["wait_kinds"].items():
            kinds[kind] = kinds.get(kind, 0.0) + seconds
    parts = {key: sum(row["parts"][key] for row in rows) for key in PART_KEYS}
    return {
        "wall_s": sum(row["wall_s"] for row in rows),
        "parts": parts,
        "unaccounted_s": sum(row["unaccounted_s"] for row in rows),
        "wait_kinds": kinds,
        "num_iterations": sum(row["num_iterations"] for row in rows),
    }
