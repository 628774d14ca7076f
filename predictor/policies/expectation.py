"""What `predictive` expects of a member that trains, kept for as long as nothing that it rests on has changed."""

from __future__ import annotations

import math

from predictor.policies.base import Member
from predictor.timing import Outlook


class Expectation:
    """What is expected of a member, with what was derived from it."""

    __slots__ = (
        "_due",
        "_due_limit_s",
        "_ends_limit_s",
        "_ends_s",
        "_first_due_s",
        "_since_s",
        "_until_s",
        "first",
        "iteration",
        "outlook",
    )

    def __init__(self, outlook: Outlook, first: int, basis: tuple[int, float, float]) -> None:
        """Keep an outlook.

        Args:
            outlook: what is expected.
            first: number of the first iteration at whose end it may push: when its last push has been merged.
            basis: what it rests on: the member's `iteration` and `running_since_s`, and until when it holds.
        """
        self.outlook, self.first = outlook, first
        self.iteration, self._since_s, self._until_s = basis
        self._due: dict[int, float] = {}  # by number, for the limit
        self._due_limit_s: float | None = None
        self._first_due_s: float | None = None  # of the first one, for that limit
        self._ends_s: list[float] = []  # up to that limit
        self._ends_limit_s = math.nan

    def holds(self, member: Member, now_s: float) -> bool:
        """Tell whether it still holds: for a member that trains, and is in the same iteration."""
        return (
            now_s <= self._until_s
            and member.iteration == self.iteration
            and member.running_since_s == self._since_s
            and not member.is_waiting
        )

    def ends_s(self, limit_s: float) -> list[float]:
        """Give the expected ends at which it may push, see `Outlook.ends_s`."""
        if self._ends_limit_s != limit_s:
            self._ends_limit_s, self._ends_s = limit_s, self.outlook.ends_s(limit_s, self.first)
        return self._ends_s

    def first_due_s(self, limit_s: float | None) -> float:
        """Give `due_s` of the first iteration at whose end it may push."""
        if self._first_due_s is None or self._due_limit_s != limit_s:
            self._first_due_s = self.due_s(self.first, limit_s)
        return self._first_due_s

    def due_s(self, num: int, limit_s: float | None) -> float:
        """Give the end of the num-th iteration from which a push is overdue; no limit: none is planned yet."""
        if self._due_limit_s != limit_s:
            self._due, self._due_limit_s, self._first_due_s = {}, limit_s, None
        due_s = self._due.get(num)
        if due_s is None:
            due_s = self._due[num] = self.outlook.due_s(num, math.inf if limit_s is None else limit_s)
        return due_s
