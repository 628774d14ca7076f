"""The words of the accounting: the parts into which a worker's wall time is divided, and the kinds of waiting."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the wall time."""

    key: str
    label: str
    meaning: str  # with the stamps that begin and end it; docs/accounting.md prints the same


PARTS = (
    Part("compute", "computing", "An iteration, from its start to its end, while no push is in flight."),
    Part(
        "overlap",
        "computing during a synchronisation",
        "The first part of an iteration, as long as a push of the same worker is in flight.",
    ),
    Part(
        "stall",
        "slower than asked for",
        "What an iteration took beyond the time that its speed model asked for, where it took over a tenth longer.",
    ),
    Part("startup", "starting", "From its joining until its first weights have landed."),
    Part("up", "sending", "From the end of an iteration until its push has arrived at the server, not computing."),
    Part(
        "server",
        "at the server, nobody waited for",
        "From the arrival of a push to its own release, or to the worker's leaving after its last push.",
    ),
    Part("wait", "waiting for others", "From the arrival of a push to a release that somebody else had to allow."),
    Part("down", "receiving", "From a release until the weights have landed, not computing."),
    Part("lost", "lost", "From the death of a worker until its run goes on, where it comes back in a resumed run."),
    Part("stopped", "away", "From its leaving, or the start of the resumed run, until it has joined again."),
    Part(
        "unfinished",
        "unfinished",
        "From the last end that it stamped to now, or to its leaving: an iteration or message whose end is not told.",
    ),
)
UNACCOUNTED = Part(
    "unaccounted", "unaccounted", "Between two stamps that leave a gap: time of which the log says nothing."
)
PART_KEYS = tuple(part.key for part in PARTS)


@dataclass(frozen=True, slots=True)
class WaitKind:
    """Why a worker waits."""

    key: str
    label: str
    pattern: re.Pattern[str]  # what the gate's sentences of this kind have in common


KINDS_OF_WAITING = (
    WaitKind("barrier", "a barrier at which all wait for all", re.compile(r"\bbarrier\b")),
    WaitKind("threshold", "the staleness threshold", re.compile(r"\bleads by \d+.*\bthreshold\b")),
    WaitKind(
        "cap", "the limit of local iterations after a push", re.compile(r"\bpast its own, the limit\b|^synchronised\b")
    ),
    WaitKind(
        "newest", "newer weights, whose way is short", re.compile(r"\bnewer weights\b|\bbefore its next boundary\b")
    ),
    WaitKind("first", "the first weights", re.compile(r"\bfirst weights\b")),
    WaitKind("deadline", "a deadline", re.compile(r"\bdeadline\b")),
)
UNSAID = "unsaid"  # the gate has said no sentence, or none that is known here
WAIT_LABELS = {**{kind.key: kind.label for kind in KINDS_OF_WAITING}, UNSAID: "no reason that is known here"}


def kind_of(sentence: str) -> str:
    """Give the kind of waiting that one of the gate's sentences speaks of."""
    return next((kind.key for kind in KINDS_OF_WAITING if kind.pattern.search(sentence)), UNSAID)
