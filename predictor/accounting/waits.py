"""What waiting cost: by who waits, for whom, why, in which sentence and when."""

from __future__ import annotations

from typing import Any

from predictor.accounting.blame import NOBODY, Charge
from predictor.accounting.slices import Slices

_MAX_SENTENCES = 2_000  # different ones; beyond, the half that cost least is counted together
SHOWN_SENTENCES = 20


class Waits:
    """Sums of charges."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[int, int], float] = {}  # (waiter, culprit)
        self._kinds: dict[tuple[int, str], float] = {}  # (waiter, kind)
        self._sentences: dict[str, tuple[float, int, str]] = {}  # seconds, number, kind
        self._others = (0.0, 0)  # sentences that are not kept one by one
        self._slices = Slices()

    def charge(self, waiter: int, one: Charge) -> None:
        """Charge a stretch of waiting."""
        took_s = one.to_s - one.from_s
        if took_s <= 0:
            return
        culprits = one.culprits or (NOBODY,)
        share = 1 / len(culprits)
        for culprit in culprits:
            pair = waiter, culprit
            self._seconds[pair] = self._seconds.get(pair, 0.0) + share * took_s
            self._slices.add(culprit, one.from_s, one.to_s, share)
        kind = waiter, one.kind
        self._kinds[kind] = self._kinds.get(kind, 0.0) + took_s
        seconds, num, _ = self._sentences.get(one.sentence, (0.0, 0, ""))
        self._sentences[one.sentence] = seconds + took_s, num + 1, one.kind
        if len(self._sentences) > _MAX_SENTENCES:
            self._gather()

    def copy(self) -> Waits:
        made = Waits()
        made._seconds, made._kinds = self._seconds.copy(), self._kinds.copy()
        made._sentences, made._others, made._slices = self._sentences.copy(), self._others, self._slices.copy()
        return made

    def kinds(self, waiter: int) -> dict[str, float]:
        """Give the seconds of one worker by kind."""
        return {kind: seconds for (worker, kind), seconds in sorted(self._kinds.items()) if worker == waiter}

    def caused_s(self) -> dict[int, float]:
        """Give for each worker how long others waited for it, the largest first."""
        total: dict[int, float] = {}
        for (_, culprit), seconds in self._seconds.items():
            if culprit != NOBODY:
                total[culprit] = total.get(culprit, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    def matrix(self, workers: list[int]) -> dict[str, Any]:
        """Give a row for each worker that waits, a column for each that is waited for."""
        get = self._seconds.get
        return {
            "workers": workers,
            "seconds": [[get((waiter, culprit), 0.0) for culprit in workers] for waiter in workers],
            "nobody_s": [get((waiter, NOBODY), 0.0) for waiter in workers],
        }

    def sentences(self) -> dict[str, Any]:
        """Give the gate's sentences that cost most."""
        ranked = sorted(self._sentences.items(), key=lambda item: (-item[1][0], item[0]))
        rest = [values for _, values in ranked[SHOWN_SENTENCES:]]
        return {
            "top": [
                {"sentence": sentence, "kind": kind, "seconds": seconds, "num": num}
                for sentence, (seconds, num, kind) in ranked[:SHOWN_SENTENCES]
            ],
            "others_s": self._others[0] + sum(seconds for seconds, _, _ in rest),
            "num_others": self._others[1] + sum(num for _, num, _ in rest),
        }

    def critical(self) -> dict[str, Any]:
        """Give for each slice of time who was waited for most; null: nobody who was named."""
        rows = self._slices.rows
        num = max((len(row) for row in rows.values()), default=0)
        seconds = {key: row + [0.0] * (num - len(row)) for key, row in rows.items()}
        named = sorted(key for key in rows if key != NOBODY)
        critical, most_s, waited_s = [], [], []
        for place in range(num):
            worst = max(named, key=lambda key: seconds[key][place], default=None)
            worst_s = 0.0 if worst is None else seconds[worst][place]
            critical.append(worst if worst_s > 0 else None)
            most_s.append(worst_s)
            waited_s.append(sum(row[place] for row in seconds.values()))
        return {"slice_s": self._slices.length_s, "workers": critical, "seconds": most_s, "waited_s": waited_s}

    def _gather(self) -> None:
        ranked = sorted(self._sentences.items(), key=lambda item: -item[1][0])
        kept, dropped = ranked[: _MAX_SENTENCES // 2], ranked[_MAX_SENTENCES // 2 :]
        seconds, num = self._others
        self._others = seconds + sum(one[0] for _, one in dropped), num + sum(one[1] for _, one in dropped)
        self._sentences = dict(kept)
